"""``bandwise verify`` as a person uses it."""

import json
from pathlib import Path

import pytest

from bandwise.cli.main import run
from bandwise.dataset import encode_tree
from tests.dataset.datasets import ENCODER, put_images


def test_a_tree_is_verified_and_what_is_wrong_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    encode_tree(put_images(tmp_path / "in", 30), out, ENCODER)
    assert run(["verify", str(out), "--workers", "1"]) == 0
    assert capfd.readouterr().out == "30 images whole\n"
    for path in out.rglob("*.jpg"):
        path.write_bytes(b"[bold]")
    assert run(["verify", str(out), "--workers", "1", "--json"]) == 1
    said = capfd.readouterr()
    assert len(json.loads(said.out)["problems"]) == 30
    lines = said.err.splitlines()
    assert lines[0] == "cat/00.jpg: its bytes are not those that were written"
    assert len(lines) == 21
    assert lines[-1].startswith(f"error: 30 problems in {out}; remove the files that are named")
