"""``bandwise encode --shards`` as a person uses it."""

import json
import re
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.cli.main import run
from tests.cli.terminal import said

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


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


def test_too_many_bad_files_stop_a_run_with_a_code_of_its_own(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(11):
        (images / f"{number}.txt").touch()
    command = ["encode", str(images), "--profile", str(profile), "--workers", "1"]
    for options in ([], ["--shards"]):
        out = str(tmp_path / f"out{len(options)}")
        assert run([*command, out, *options]) == 4
        err = said(capfd)[1]
        assert "stopped: 11 of 14 images cannot be encoded" in err
        assert "the same command with --resume goes on, with --max-error-rate" in err
        assert run([*command, out, *options, "--resume", "--max-error-rate", "0.9"]) == 3


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


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("list.txt", [], "with --shards, lists, archives and Parquet"),
        ("s3://bucket/a.tar", [], "with --shards, lists, archives and Parquet"),
        ("in", ["--engine", "ray"], "--engine belong to --shards"),
        ("in", ["--image-column", "image"], "--engine belong to --shards"),
        ("in", ["--shards", "--max-error-rate", "7"], "is a share 0..1"),
        ("in", ["--shards", "--workers", "0"], "workers is at least 1"),
    ],
)
def test_what_shards_are_needed_for_is_a_usage_error_without_them(
    images: Path,
    profile: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    source: str,
    options: list[str],
    message: str,
) -> None:
    name = source if "://" in source else str(tmp_path / source)
    command = ["encode", name, str(tmp_path / "out"), "--profile", str(profile)]
    assert run([*command, *options]) == 2
    assert message in " ".join(said(capfd)[1].replace("│", " ").split())
    assert not (tmp_path / "out").exists()
