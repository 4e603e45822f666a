"""``bandwise encode --shards`` as a person uses it."""

import json
import re
from pathlib import Path

import pytest

from bandwise.cli.main import run
from tests.cli.terminal import said


def test_shards_are_made_verified_and_gone_on_with(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (images / "bad.png").write_bytes(b"")
    out = str(tmp_path / "out")
    command = ["encode", str(images), out, "--profile", str(profile), "--shards", "--workers", "1"]
    assert run([*command, "--shard-images", "2", "--json"]) == 3
    text, err = said(capfd)
    summary = json.loads(text)
    assert (summary["shards"], summary["encoded"], summary["skipped"]) == (2, 3, 1)
    assert "skipped bad.png: the file is empty" in err
    assert run(["verify", out, "--workers", "1"]) == 0
    assert said(capfd) == ("3 images whole in 2 shards, 1 quarantined\n", "")
    (tmp_path / "out" / "shard-000001.tar").write_bytes(b"")
    assert run(["verify", out, "--workers", "1"]) == 1
    assert "shard-000001.tar: sample clear: its bytes are not" in said(capfd)[1]
    assert run([*command, "--shard-images", "2"]) == 1
    assert "is not empty; go on from there with --resume" in said(capfd)[1]
    assert run([*command, "--resume"]) == 1
    assert "shard_images: 2 then, 1000 now" in said(capfd)[1]
    assert run([*command, "--shard-images", "2", "--resume"]) == 3
    assert re.match(r"1 image encoded into 2 shards: .*\d images/s; 2 kept$", said(capfd)[0])
    assert run([*command, "--shard-images", "2", "--resume"]) == 3
    assert re.match(r"0 images encoded into 2 shards: [^/]*; 3 kept$", said(capfd)[0])
    assert run(["verify", out, "--workers", "1"]) == 0


def test_a_ladder_makes_the_same_shards_in_processes_of_its_own(
    images: Path,
    ladder: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    command = ["encode", str(images), "--shards", "--profile", str(ladder), *network]
    for out, workers in (("a", "1"), ("b", "2")):
        assert run([*command, str(tmp_path / out), "--workers", workers]) == 0
    files = [
        {path.name: path.read_bytes() for path in (tmp_path / out).rglob("*") if path.is_file()}
        for out in "ab"
    ]
    assert files[0] == files[1]
    said(capfd)
    again = [*command, str(tmp_path / "a"), "--workers", "1", "--resume", "--tolerance", "0.5"]
    assert run(again) == 1
    assert "tolerance: 0.05 then, 0.5 now" in said(capfd)[1]
