"""``bandwise encode`` as a person uses it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.frequency.tables import TableSet, flat
from bandwise.profile import Profile
from tests.cli.terminal import said

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


STEP_ZERO = json.dumps(Profile(name="p", tables=TableSet(luma=flat(7))).to_json()).replace("7", "0")


def test_a_folder_is_encoded_and_summed_up(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]) == 0
    out, err = said(capfd)
    written = sum(path.stat().st_size for path in (tmp_path / "out").glob("*.jpg"))
    assert "3 images encoded" in out
    assert f"→ {written:,} bytes" in out
    assert err == ""
    with Image.open(tmp_path / "out" / "a.jpg") as image:
        assert image.quantization[0] == list(TableSet.ijg(40).luma.values)  # type: ignore[attr-defined]


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the profile"),
        (STEP_ZERO, "is 0; a baseline table holds integers 1..255; round it and clamp it"),
        ("", "not JSON"),
        ('{"format": "bandwise-profile", "schema": 99}', "schema 99"),
        ('{"format": "else"}', "no profile"),
    ],
)
def test_a_wrong_profile_is_one_message_and_nothing_is_written(
    images: Path,
    profile: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    content: str | None,
    message: str,
) -> None:
    profile.unlink()
    if content is not None:
        profile.write_text(content)
    assert run(["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]) == 1
    out, err = said(capfd)
    assert message in err
    assert str(profile) in err
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_an_interruption_says_how_to_go_on(
    images: Path,
    profile: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    interrupt: Callable[[str], None],
) -> None:
    interrupt("bandwise.cli.encode.encode_tree")
    assert run(["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]) == 130
    assert "the same command with --resume goes on" in said(capfd)[1]
