"""A folder of images to a folder of JPEG files: what is written, kept, skipped and refused."""

import os
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.dataset import EncodeOptions, encode_tree, transcode
from bandwise.dataset.sources import locations
from bandwise.encoding import ProfileEncoder
from bandwise.errors import ConfigurationError, OutputError
from bandwise.executors import Executor, Threads
from bandwise.frequency.selection import Frequencies
from bandwise.progress import Progress
from tests.dataset.datasets import ENCODER, OTHER, PROFILE, contents, put_image, quarantine

IMAGES = {
    "a.png": ("a.jpg", "PNG"),
    "b.JPG": ("b.jpg", "JPEG"),
    "deep/er/c.webp": ("deep/er/c.jpg", "WEBP"),
    "deep/d.tif": ("deep/d.jpg", "TIFF"),
    "v1.2": ("v1.2.jpg", "PNG"),
    "ümlaut 名.bmp": ("ümlaut 名.jpg", "BMP"),
}
TARGETS = [target for target, _ in IMAGES.values()]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for seed, (name, (_, kind)) in enumerate(IMAGES.items()):
        put_image(tmp_path / "in" / name, seed, kind)
    (tmp_path / "in" / ".DS_Store").write_bytes(b"hidden")
    return tmp_path / "in"


def test_every_file_becomes_its_jpeg_under_the_same_name(images: Path, tmp_path: Path) -> None:
    before = contents(images)
    reports: list[Progress] = []
    totals = encode_tree(images, tmp_path / "out", ENCODER, progress=reports.append)
    written = contents(tmp_path / "out")
    assert written == {
        target: transcode(before[name], ENCODER).data for name, (target, _) in IMAGES.items()
    }
    assert contents(images) == before
    assert [(one.done, one.total) for one in reports] == [(done, 6) for done in range(1, 7)]
    assert (totals.encoded, totals.requantised, totals.kept, totals.skipped) == (6, 0, 0, 0)
    assert totals.bytes_in == sum(len(before[name]) for name in IMAGES)
    assert totals.bytes_out == sum(map(len, written.values()))
    assert totals.images_per_second == pytest.approx(6 / totals.seconds)


def test_the_bytes_are_the_same_with_every_executor(
    images: Path, tmp_path: Path, executor: Executor
) -> None:
    encode_tree(images, tmp_path / "out", ENCODER)
    encode_tree(images, tmp_path / "again", ENCODER, executor=executor)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_bad_files_are_named_with_reasons_and_the_rest_goes_on(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (images / "a.png").read_bytes()
    bad = {
        "empty.png": (b"", "the file is empty"),
        "cut.png": (data[: len(data) // 2], "cannot be decoded"),
        "notes.txt": (b"hello", "not an image of an accepted format"),
        "huge.ppm": (b"P6 9000 9000 255\n" + bytes(64), "more than the limit"),
        "deep/zero.pgm": (b"P5 0 0 255\n", ""),
        "large.png": (bytes(100_000), "larger than the limit"),
    }
    for name, (content, _) in bad.items():
        (images / name).write_bytes(content)
    monkeypatch.setattr(locations, "MAX_FILE_BYTES", 99_999)
    (images / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(images / "pipe.png")
    expected = {name: reason for name, (_, reason) in bad.items()}
    expected |= {"gone.png": "link to nothing", "pipe.png": "no ordinary file"}
    out = tmp_path / "out"
    totals = encode_tree(images, out, ENCODER)
    reasons = quarantine(out)
    assert list(reasons) == sorted(expected, key=lambda name: name.split("/"))
    for name, reason in expected.items():
        assert reason in reasons[name]
    first = {one.name: one.reason for one in totals.first_skipped}
    assert list(first.items()) == list(reasons.items())[:5]
    assert (totals.encoded, totals.skipped) == (6, len(expected))
    assert sorted(contents(out)) == sorted([*TARGETS, "quarantine.jsonl"])
    assert all((images / name).read_bytes() == content for name, (content, _) in bad.items())


def test_a_file_that_cannot_be_read_is_skipped(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert encode_tree(images, tmp_path / "out", ENCODER).encoded == 5
    assert quarantine(tmp_path / "out") == {"a.png": "the file cannot be read: Permission denied"}


def test_files_that_are_there_are_refused_or_kept(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    encode_tree(images, out, ENCODER)
    whole = contents(out)
    (out / "a.jpg").unlink()
    with pytest.raises(OutputError, match=r"holds 5 of the files .*b\.jpg among them.*--resume"):
        encode_tree(images, out, ENCODER)
    assert not (out / "a.jpg").exists()
    times = {name: (out / name).stat().st_mtime_ns for name in TARGETS[1:]}
    totals = encode_tree(images, out, ENCODER, resume=True)
    assert (totals.encoded, totals.kept, totals.skipped) == (1, 5, 0)
    assert contents(out) == whole
    assert {name: (out / name).stat().st_mtime_ns for name in TARGETS[1:]} == times


def test_resuming_keeps_no_file_that_is_damaged_or_of_another_profile(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    encode_tree(images, out, ENCODER)
    (out / "a.jpg").write_bytes((out / "a.jpg").read_bytes()[:-20])
    other = transcode((images / "b.JPG").read_bytes(), ProfileEncoder(OTHER))
    (out / "b.jpg").write_bytes(other.data)
    before = contents(out)
    assert encode_tree(images, out, ENCODER, resume=True).kept == 4
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
    plain = encode_tree(images, tmp_path / "plain", ENCODER, options=options)
    totals = encode_tree(images, out, ProfileEncoder(some), options=options)
    assert totals.requantised == requantise
    assert totals.bytes_out < plain.bytes_out
    for name in TARGETS:
        planes = jpeg.read_coefficients((out / name).read_bytes()).planes
        for plane, mask in zip(planes, some.masks.values(), strict=True):
            assert not plane.blocks[..., ~mask].any()
    again = encode_tree(images, out, ProfileEncoder(some), options=options, resume=True)
    assert again.kept == len(TARGETS)
    with pytest.raises(OutputError, match=r"begun with other settings \(profiles: scenes"):
        encode_tree(images, out, ProfileEncoder(fewer), options=options, resume=True)


def test_the_list_of_skipped_files_is_not_written_over_and_ends_when_they_do(
    images: Path, tmp_path: Path
) -> None:
    (images / "bad.png").write_bytes(b"")
    out = tmp_path / "out"
    encode_tree(images, out, ENCODER)
    for name in TARGETS:
        (out / name).unlink()
    with pytest.raises(OutputError, match=r"quarantine\.jsonl"):
        encode_tree(images, out, ENCODER)
    assert list(quarantine(out)) == ["bad.png"]
    (images / "bad.png").unlink()
    encode_tree(images, out, ENCODER, resume=True)
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
    out = tmp_path / "out"
    put_image(tmp_path / "in/x.png")
    encode_tree(tmp_path / "in", out, ENCODER)
    (out / "x.jpg").unlink()
    (tmp_path / "in/x.png").unlink()
    for name in [*names, "other.png"]:
        put_image(tmp_path / "in" / name)
    totals = encode_tree(tmp_path / "in", out, ENCODER, resume=True)
    found = quarantine(out)
    assert found.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert found[name].startswith(reason.format(out=out))
    assert totals.encoded == len(names) + 1 - len(reasons)
    assert len(contents(out)) == totals.encoded + 1
    again = encode_tree(tmp_path / "in", out, ENCODER, resume=True)
    assert (again.kept, again.first_skipped) == (totals.encoded, totals.first_skipped)


@pytest.mark.parametrize("out", ["in", "in/out", "in/../in", "link", "link/new"])
def test_the_output_may_not_lie_in_the_input(images: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "link").symlink_to(images)
    before = contents(images)
    with pytest.raises(ConfigurationError, match="lies in the input folder"):
        encode_tree(images, tmp_path / out, ENCODER, resume=True)
    assert contents(images) == before


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    put_image(tmp_path / "a.jpg", 0, "JPEG")
    put_image(tmp_path / "sub" / "a.jpg", 1, "JPEG")
    before = contents(tmp_path)
    for source in ("a.jpg", "sub"):
        with pytest.raises(OutputError, match="holds 1 of the files"):
            encode_tree(tmp_path / source, tmp_path, ENCODER)
    encode_tree(tmp_path / "sub", tmp_path, ENCODER, resume=True)
    (tmp_path / "quarantine.jsonl").unlink()
    assert contents(tmp_path) == before


def test_links_to_folders_are_followed_but_not_round_and_round(
    images: Path, tmp_path: Path
) -> None:
    put_image(tmp_path / "elsewhere" / "e.png")
    (images / "more").symlink_to(tmp_path / "elsewhere")
    (images / "deep" / "loop").symlink_to(images)
    assert encode_tree(images, tmp_path / "out", ENCODER).encoded == 7
    assert sorted(contents(tmp_path / "out")) == sorted([*TARGETS, "more/e.jpg"])


def test_a_name_that_is_no_utf_8_is_encoded_and_listed(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    put_image(tmp_path / "in" / f"{odd}.png")
    (tmp_path / "in" / f"{odd}.txt").write_bytes(b"")
    encode_tree(tmp_path / "in", tmp_path / "out", ENCODER)
    assert (tmp_path / "out" / f"{odd}.jpg").is_file()
    assert list(quarantine(tmp_path / "out")) == [f"{odd}.txt"]


def test_an_interrupted_run_leaves_whole_files_and_resumes_to_the_same(
    images: Path, tmp_path: Path
) -> None:
    (images / "0.png").write_bytes(b"")
    encode_tree(images, tmp_path / "undisturbed", ENCODER)
    out = tmp_path / "out"

    def interrupt(now: Progress) -> None:
        if now.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_tree(images, out, ENCODER, executor=Threads(1), progress=interrupt)
    written = contents(out)
    assert list(quarantine(out)) == ["0.png"]
    encode_tree(images, out, ENCODER, resume=True)
    assert contents(out) == contents(tmp_path / "undisturbed")
    assert {name: contents(out)[name] for name in written} == written


def test_what_a_killed_run_left_is_removed_and_what_others_did_stays(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    (out / "deep/.d.jpg.77.tmp").touch()
    (out / ".editor.1.tmp").touch()
    encode_tree(images, out, ENCODER, resume=True)
    assert not (out / "deep/.d.jpg.77.tmp").exists()
    assert (out / ".editor.1.tmp").exists()
