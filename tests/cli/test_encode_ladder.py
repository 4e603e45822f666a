"""``bandwise encode`` with several profiles, as a person uses it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.dataset import read_picture
from bandwise.encoding import encode_pixels
from bandwise.frequency.tables import TableSet
from bandwise.guidance import Guide
from bandwise.models.networks import load_network
from bandwise.profile import Profile
from tests.cli.conftest import CLASSES, STEPS
from tests.cli.terminal import said
from tests.jpeg.images import picture


def test_each_image_gets_the_smallest_file_of_a_ladder_within_the_tolerance(
    images: Path,
    ladder: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for seed in range(2, 8):
        Image.fromarray(picture(24, 32, seed=seed)).save(images / f"{seed}.png")
    Image.fromarray(picture(40, 24, grey=True)).save(images / "grey.png")
    profiles = {step: Profile.load(ladder / f"{step}.json") for step in STEPS}
    model = load_network("small-cnn", Path(network[3]), num_classes=CLASSES, channels=3)
    guide = Guide(list(profiles.values()), model)
    rungs = {}
    for path in images.iterdir():
        rungs[path.stem] = guide.rungs(read_picture(path.read_bytes()).pixels_u8)
    middle = sorted(one.divergences[1] for one in rungs.values())[len(rungs) // 2]
    command = ["encode", str(images), "--profile", str(ladder), *network, "--json"]
    for name, tolerance in (("none", 0.0), ("some", middle), ("all", 1e6)):
        out = tmp_path / name
        assert run([*command, str(out), "--tolerance", repr(tolerance)]) == 0
        summary = json.loads(said(capfd)[0])
        files = {path.stem: path.read_bytes() for path in out.glob("*.jpg")}
        assert files == {stem: one.choose(tolerance) for stem, one in rungs.items()}
        assert summary["bytes_out"] == sum(map(len, files.values()))
    assert (
        len(
            {
                jpeg.read_coefficients(f.read_bytes()).planes[0].table
                for f in (tmp_path / "some").glob("*.jpg")
            }
        )
        > 1
    )

    (tmp_path / "some" / "a.jpg").unlink()
    strange = Profile(name="strange", tables=TableSet.ijg(50))
    (tmp_path / "some" / "b.jpg").write_bytes(encode_pixels(picture(8, 8), strange))
    again = [*command, str(tmp_path / "some"), "--tolerance", repr(middle), "--resume"]
    assert run(again) == 3
    text, err = said(capfd)
    summary = json.loads(text)
    assert (summary["encoded"], summary["skipped"]) == (1, 1)
    assert "b.jpg is there, but the file's quantisation tables are not those" in err


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
