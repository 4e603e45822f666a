"""``bandwise encode`` as a person uses it."""

import json
import re
from pathlib import Path

import pytest

from bandwise.cli.main import run
from tests.cli.conftest import STEPS
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


def test_the_same_files_whatever_the_workers_and_however_the_ladder_is_named(
    images: Path, ladder: Path, network: list[str], tmp_path: Path
) -> None:
    singly = [word for step in (4, 40, 160) for word in ("--profile", str(ladder / f"{step}.json"))]
    folder = ["--profile", str(ladder)]
    names = sorted(str(step) for step in STEPS)
    assert names == ["160", "4", "40"]
    for out, options in (
        ("a", [*folder, "--workers", "1"]),
        ("b", [*folder, "--workers", "4"]),
        ("c", singly),
    ):
        assert run(["encode", str(images), str(tmp_path / out), *options, *network]) == 0
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / out).glob("*.jpg")} for out in "abc"
    ]
    assert contents[0] == contents[1] == contents[2]
    assert len(contents[0]) == 3


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
