"""A folder of images to a folder of JPEG files: what is written, kept, skipped and refused."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.errors import BandwiseError, ConfigurationError, DataNotFoundError, OutputError
from bandwise.frequencies import Frequencies
from bandwise.pipeline import EncodeOptions, Summary, encode_tree, transcode
from bandwise.pipeline.sources import locations
from bandwise.profile import Profile
from bandwise.tables import TableSet, flat
from tests.jpeg.images import picture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

PROFILE = Profile(name="scenes", tables=TableSet(luma=flat(9), chroma=flat(21)))
NAMES = ("a.png", "b.JPG", "deep/er/c.webp", "deep/d.tif", "v1.2", "ümlaut 名.bmp")
TARGETS = ("a.jpg", "b.jpg", "deep/er/c.jpg", "deep/d.jpg", "v1.2.jpg", "ümlaut 名.jpg")


def put_image(path: Path, seed: int = 0, kind: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(24, 32, seed=seed)).save(path, kind)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        put_image(tmp_path / "in" / name, seed, "PNG" if name == "v1.2" else None)
    (tmp_path / "in" / ".DS_Store").write_bytes(b"hidden")
    return tmp_path / "in"


def contents(folder: Path) -> dict[str, bytes]:
    """Files of a folder but for the record of the run."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".bandwise" not in path.parts
    }


def quarantine(out: Path) -> dict[str, str]:
    rows = map(json.loads, (out / "quarantine.jsonl").read_text().splitlines())
    return {row["path"]: row["reason"] for row in rows}


def test_every_file_becomes_its_jpeg_under_the_same_name(images: Path, tmp_path: Path) -> None:
    before = contents(images)
    told: list[tuple[int, int]] = []
    summary = encode_tree(
        images, tmp_path / "out", PROFILE, progress=lambda done, total: told.append((done, total))
    )
    written = contents(tmp_path / "out")
    assert written == {
        target: transcode(before[name], PROFILE).data
        for name, target in zip(NAMES, TARGETS, strict=True)
    }
    assert contents(images) == before
    assert told == [(done, 6) for done in range(1, 7)]
    assert summary == Summary(
        encoded=6,
        requantised=0,
        kept=0,
        skipped=(),
        bytes_in=sum(len(before[name]) for name in NAMES),
        bytes_out=sum(map(len, written.values())),
        seconds=summary.seconds,
    )
    assert summary.images_per_second == pytest.approx(6 / summary.seconds)


@pytest.mark.parametrize("workers", [1, 5])
def test_the_bytes_do_not_depend_on_the_threads(images: Path, tmp_path: Path, workers: int) -> None:
    encode_tree(images, tmp_path / "out", PROFILE)
    encode_tree(images, tmp_path / "again", PROFILE, workers=workers)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_one_image_goes_into_the_folder(images: Path, tmp_path: Path) -> None:
    summary = encode_tree(images / "deep/d.tif", tmp_path / "out", PROFILE)
    assert list(contents(tmp_path / "out")) == ["d.jpg"]
    assert summary.encoded == 1


def test_options_reach_every_image(images: Path, tmp_path: Path) -> None:
    options = EncodeOptions(container="progressive", requantise=True)
    summary = encode_tree(images, tmp_path / "out", PROFILE, options=options)
    assert summary.requantised == 1  # the one JPEG
    for data in contents(tmp_path / "out").values():
        assert b"\xff\xc2" in data  # a progressive frame


def test_bad_files_are_named_with_reasons_and_the_rest_goes_on(
    images: Path, tmp_path: Path
) -> None:
    data = (images / "a.png").read_bytes()
    bad = {
        "empty.png": b"",
        "cut.png": data[: len(data) // 2],
        "notes.txt": b"hello",
        "huge.ppm": b"P6 9000 9000 255\n" + bytes(64),
        "deep/zero.pgm": b"P5 0 0 255\n",
    }
    for name, content in bad.items():
        (images / name).write_bytes(content)
    (images / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(images / "pipe.png")
    before = {name: (images / name).read_bytes() for name in bad}
    out = tmp_path / "out"
    summary = encode_tree(images, out, PROFILE)
    reasons = quarantine(out)
    assert set(reasons) == {*bad, "gone.png", "pipe.png"}
    assert {(one.name, one.reason) for one in summary.skipped} == set(reasons.items())
    assert [one.name for one in summary.skipped] == sorted(
        reasons, key=lambda name: name.split("/")
    )
    assert "the file is empty" in reasons["empty.png"]
    assert "cannot be decoded" in reasons["cut.png"]
    assert "not an image of an accepted format" in reasons["notes.txt"]
    assert "more than the limit" in reasons["huge.ppm"]
    assert "link to nothing" in reasons["gone.png"]
    assert "no ordinary file" in reasons["pipe.png"]
    assert summary.encoded == 6
    assert sorted(contents(out)) == sorted([*TARGETS, "quarantine.jsonl"])
    assert {name: (images / name).read_bytes() for name in bad} == before


def test_a_file_that_cannot_be_read_is_skipped(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert encode_tree(images, tmp_path / "out", PROFILE).encoded == 5
    assert quarantine(tmp_path / "out") == {"a.png": "the file cannot be read: Permission denied"}


def test_a_file_beyond_the_size_limit_is_skipped(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "MAX_FILE_BYTES", (images / "deep/d.tif").stat().st_size - 1)
    encode_tree(images, tmp_path / "out", PROFILE)
    assert "larger than the limit" in quarantine(tmp_path / "out")["deep/d.tif"]


def test_files_that_are_there_are_refused_or_kept(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    encode_tree(images, out, PROFILE)
    whole = contents(out)
    (out / "a.jpg").unlink()
    with pytest.raises(OutputError, match=r"holds 5 of the files .*b\.jpg among them.*--resume"):
        encode_tree(images, out, PROFILE)
    assert not (out / "a.jpg").exists()
    times = {name: (out / name).stat().st_mtime_ns for name in TARGETS[1:]}
    summary = encode_tree(images, out, PROFILE, resume=True)
    assert (summary.encoded, summary.kept, summary.skipped) == (1, 5, ())
    assert contents(out) == whole
    assert {name: (out / name).stat().st_mtime_ns for name in TARGETS[1:]} == times


def test_resuming_keeps_no_file_that_is_damaged_or_of_another_profile(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    encode_tree(images, out, PROFILE)
    (out / "a.jpg").write_bytes((out / "a.jpg").read_bytes()[:-20])
    other = replace(PROFILE, name="other", tables=TableSet(luma=flat(3), chroma=flat(3)))
    (out / "b.jpg").write_bytes(transcode((images / "b.JPG").read_bytes(), other).data)
    before = contents(out)
    summary = encode_tree(images, out, PROFILE, resume=True)
    assert summary.kept == 4
    reasons = quarantine(out)
    assert "a.jpg is there, but" in reasons["a.png"]
    assert "tables are not those of 'scenes'; remove it and resume" in reasons["b.JPG"]
    assert {name: contents(out)[name] for name in TARGETS} == before


@pytest.mark.parametrize("requantise", [False, True])
def test_files_hold_what_a_profile_keeps_and_resuming_sees_that_it_keeps_less(
    images: Path, tmp_path: Path, requantise: bool
) -> None:
    out = tmp_path / "out"
    options = EncodeOptions(requantise=requantise)
    some, fewer = (PROFILE.keeping(Frequencies.zigzag(count, channels=3)) for count in (24, 6))
    plain = encode_tree(images, tmp_path / "plain", PROFILE, options=options)
    summary = encode_tree(images, out, some, options=options)
    assert summary.requantised == requantise
    assert summary.bytes_out < plain.bytes_out
    for name in TARGETS:
        for plane, mask in zip(
            jpeg.read_coefficients((out / name).read_bytes()).planes,
            some.masks.values(),
            strict=True,
        ):
            assert not plane.blocks[..., ~mask].any()
    assert encode_tree(images, out, some, options=options, resume=True).kept == len(TARGETS)
    with pytest.raises(OutputError, match=r"begun with other settings \(profiles: scenes"):
        encode_tree(images, out, fewer, options=options, resume=True)


def test_the_list_of_skipped_files_is_not_written_over_and_ends_when_they_do(
    images: Path, tmp_path: Path
) -> None:
    (images / "bad.png").write_bytes(b"")
    out = tmp_path / "out"
    encode_tree(images, out, PROFILE)
    for name in TARGETS:
        (out / name).unlink()
    with pytest.raises(OutputError, match=r"quarantine\.jsonl"):
        encode_tree(images, out, PROFILE)
    assert list(quarantine(out)) == ["bad.png"]
    (images / "bad.png").unlink()
    encode_tree(images, out, PROFILE, resume=True)
    assert sorted(contents(out)) == sorted(TARGETS)


@pytest.mark.parametrize(
    ("names", "reasons"),
    [
        (
            ["x.png", "x.webp", "s/x.png"],
            dict.fromkeys(("x.png", "x.webp"), "x.png and x.webp would each become {out}/x.jpg"),
        ),
        (
            ["x.jpg", "x.jpeg"],
            dict.fromkeys(("x.jpg", "x.jpeg"), "x.jpeg and x.jpg would each become {out}/x.jpg"),
        ),
        (
            ["x.png", "x.jpg/y.png"],
            {"x.png": "it would become {out}/x.jpg, which is a folder with x.jpg/y.png in it"},
        ),
    ],
)
def test_files_that_would_get_one_name_are_skipped_and_the_rest_goes_on(
    tmp_path: Path, names: list[str], reasons: dict[str, str]
) -> None:
    for name in [*names, "other.png"]:
        put_image(tmp_path / "in" / name)
    out = tmp_path / "out"
    summary = encode_tree(tmp_path / "in", out, PROFILE)
    found = quarantine(out)
    assert found.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert found[name].startswith(reason.format(out=out))
    assert summary.encoded == len(names) + 1 - len(reasons)
    assert (out / "other.jpg").exists()
    assert len(contents(out)) == summary.encoded + 1
    again = encode_tree(tmp_path / "in", out, PROFILE, resume=True)
    assert (again.kept, again.skipped) == (summary.encoded, summary.skipped)


def test_a_file_that_is_there_is_not_taken_for_one_whose_name_is_shared(tmp_path: Path) -> None:
    put_image(tmp_path / "in" / "x.png")
    encode_tree(tmp_path / "in", tmp_path / "out", PROFILE)
    put_image(tmp_path / "in" / "x.jpg", 1)
    summary = encode_tree(tmp_path / "in", tmp_path / "out", PROFILE, resume=True)
    assert (summary.kept, len(summary.skipped)) == (0, 2)


@pytest.mark.parametrize("out", ["in", "in/out", "in/../in", "link", "link/new"])
def test_the_output_may_not_lie_in_the_input(images: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "link").symlink_to(images)
    before = contents(images)
    with pytest.raises(ConfigurationError, match="lies in the input folder"):
        encode_tree(images, tmp_path / out, PROFILE, resume=True)
    assert contents(images) == before


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    put_image(tmp_path / "a.jpg")
    put_image(tmp_path / "sub" / "a.jpg", 1)
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="holds 1 of the files"):
        encode_tree(tmp_path / "a.jpg", tmp_path, PROFILE)
    with pytest.raises(OutputError, match="holds 1 of the files"):
        encode_tree(tmp_path / "sub", tmp_path, PROFILE)
    encode_tree(tmp_path / "sub", tmp_path, PROFILE, resume=True)
    (tmp_path / "quarantine.jsonl").unlink()
    assert contents(tmp_path) == before


def test_links_to_folders_are_followed_but_not_round_and_round(
    images: Path, tmp_path: Path
) -> None:
    put_image(tmp_path / "elsewhere" / "e.png")
    (images / "more").symlink_to(tmp_path / "elsewhere")
    (images / "deep" / "loop").symlink_to(images)
    summary = encode_tree(images, tmp_path / "out", PROFILE)
    assert sorted(contents(tmp_path / "out")) == sorted([*TARGETS, "more/e.jpg"])
    assert summary.encoded == 7


def test_a_name_that_is_no_utf_8_is_encoded_and_listed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    odd = os.fsdecode(b"caf\xe9")
    put_image(tmp_path / "in" / f"{odd}.png")
    (tmp_path / "in" / f"{odd}.txt").write_bytes(b"")
    encode_tree(tmp_path / "in", tmp_path / "out", PROFILE)
    assert (tmp_path / "out" / f"{odd}.jpg").is_file()
    assert list(quarantine(tmp_path / "out")) == [f"{odd}.txt"]


def empty_folder(folder: Path) -> tuple[Path, Path]:
    (folder / "in").mkdir()
    (folder / "in" / ".hidden.png").touch()
    return folder / "in", folder / "out"


def output_is_a_file(folder: Path) -> tuple[Path, Path]:
    put_image(folder / "in" / "a.png")
    (folder / "out.jpg").touch()
    return folder / "in", folder / "out.jpg"


@pytest.mark.parametrize(
    ("arrange", "kind", "message"),
    [
        (lambda folder: (folder / "in", folder / "out"), DataNotFoundError, "does not exist"),
        (empty_folder, DataNotFoundError, "holds no files"),
        (output_is_a_file, OutputError, r"out\.jpg is a file"),
    ],
)
def test_a_run_that_cannot_begin_is_an_error(
    tmp_path: Path,
    arrange: Callable[[Path], tuple[Path, Path]],
    kind: type[BandwiseError],
    message: str,
) -> None:
    with pytest.raises(kind, match=message):
        encode_tree(*arrange(tmp_path), PROFILE)


@pytest.mark.parametrize("workers", [0, -1])
def test_no_threads_are_an_error(images: Path, tmp_path: Path, workers: int) -> None:
    with pytest.raises(ConfigurationError, match="workers is at least 1"):
        encode_tree(images, tmp_path / "out", PROFILE, workers=workers)


def test_a_folder_that_cannot_be_written_ends_the_run(images: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        encode_tree(images, tmp_path / "file" / "out", PROFILE)


def test_an_interrupted_run_leaves_whole_files_and_resumes_to_the_same(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (images / "0.png").write_bytes(b"")
    encode_tree(images, tmp_path / "undisturbed", PROFILE)
    out = tmp_path / "out"

    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_tree(images, out, PROFILE, workers=1, progress=interrupt)
    written = contents(out)
    assert list(quarantine(out)) == ["0.png"]
    encode_tree(images, out, PROFILE, resume=True)
    assert contents(out) == contents(tmp_path / "undisturbed")
    assert {name: contents(out)[name] for name in written} == written


def test_grey_images_of_a_tree_stay_grey(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(picture(16, 16, grey=True)).save(tmp_path / "in" / "a.png")
    encode_tree(tmp_path / "in", tmp_path / "out", PROFILE)
    pixels = np.asarray(Image.open(tmp_path / "out" / "a.jpg"))
    assert pixels.shape == (16, 16)


def test_what_a_killed_run_left_is_removed_and_what_others_did_stays(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    (out / "deep/.d.jpg.77.tmp").touch()
    (out / ".editor.1.tmp").touch()
    encode_tree(images, out, PROFILE, resume=True)
    assert not (out / "deep/.d.jpg.77.tmp").exists()
    assert (out / ".editor.1.tmp").exists()
