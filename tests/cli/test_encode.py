"""``bandwise encode`` as a person uses it."""

import json
from pathlib import Path

import pytest

from bandwise.cli.main import run
from tests.cli.terminal import said


def test_every_option_has_its_effect(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["encode", str(images), str(out), "--profile", str(profile), "--json"]
    options = ["--container", "baseline", "--requantise", "--alpha", "refuse", "--workers", "1"]
    assert run([*command, *options]) == 3
    text, err = said(capfd)
    summary = json.loads(text)
    assert (summary["encoded"], summary["requantised"], summary["skipped"]) == (2, 1, 1)
    assert summary["bytes_out"] == sum((out / n).stat().st_size for n in ("a.jpg", "b.jpg"))
    assert "skipped clear.png: the file has transparent pixels" in err
    assert f"1 skipped, all named in {out}/quarantine.jsonl" in err
    assert b"\xff\xc0" in (out / "a.jpg").read_bytes()
    assert run([*command, "--resume"]) == 1
    err = said(capfd)[1]
    assert "container: baseline then, smallest now; alpha: refuse then, white now" in err
    (images / "clear.png").unlink()
    assert run([*command, *options, "--resume"]) == 0
    summary = json.loads(said(capfd)[0])
    assert (summary["encoded"], summary["kept"], summary["skipped"]) == (0, 2, 0)
    assert not (out / "quarantine.jsonl").exists()


def test_many_reasons_are_shortened(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(7):
        (images / f"[bold]{number}.txt").touch()
    assert run(["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]) == 3
    lines = said(capfd)[1].splitlines()
    assert lines[0] == "skipped [bold]0.txt: the file is empty"
    assert len(lines) == 6
    assert lines[-1].startswith("7 skipped")
