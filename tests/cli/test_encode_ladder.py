"""``bandwise encode`` with several profiles, as a person uses it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.dataset import read_picture
from bandwise.encoding import encode_pixels
from bandwise.frequency.tables import TableSet, flat
from bandwise.guidance import Guide
from bandwise.models.networks.registry import load_network
from bandwise.profile import Profile
from tests.cli.conftest import CLASSES, STEPS
from tests.cli.terminal import said
from tests.jpeg.images import picture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


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


@pytest.mark.parametrize(
    ("left_out", "added", "message"),
    [
        (slice(0, 4), [], "give --network NAME and --weights FILE"),
        (slice(2, 4), [], "give --network NAME and --weights FILE"),
        (slice(0, 2), [], "give --network NAME and --weights FILE"),
        (slice(0, 0), ["--requantise"], "leave out --requantise"),
        (slice(0, 0), ["--tolerance", "-1"], "tolerance"),
        (slice(0, 0), None, "belong to a ladder of several profiles and there is one"),
        (slice(0, 4), ["--tolerance", "1"], "belong to a ladder of several profiles"),
    ],
)
def test_a_ladder_that_is_used_wrongly_is_a_usage_error(
    images: Path,
    ladder: Path,
    profile: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    left_out: slice,
    added: list[str] | None,
    message: str,
) -> None:
    del network[left_out]
    profiles = profile if "belong" in message else ladder
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(profiles)]
    assert run([*command, *network, *(added or [])]) == 2
    err = " ".join(said(capfd)[1].replace("│", " ").split())
    assert message in err
    assert not (tmp_path / "out").exists()


def test_ladders_that_do_not_fit_are_one_message(
    images: Path,
    ladder: Path,
    profile: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(ladder)]

    def fails(*options: str, code: int = 2) -> str:
        assert run([*command, *network, *options]) == code
        err = said(capfd)[1]
        assert "Traceback" not in err
        assert err.count("\n") == 1
        return err

    assert "does not say for how many classes" in fails("--profile", str(profile))
    (tmp_path / "empty").mkdir()
    assert "holds no profiles" in fails("--profile", str(tmp_path / "empty"))
    grey = Profile(name="grey", tables=TableSet(luma=flat(9)), provenance={"num_classes": CLASSES})
    grey.save(tmp_path / "grey.json")
    assert "for grey images alone" in fails("--profile", str(tmp_path / "grey.json"))
    other = Profile(name="other", tables=TableSet.ijg(9), provenance={"num_classes": 7})
    other.save(tmp_path / "other.json")
    assert "different numbers of classes" in fails("--profile", str(tmp_path / "other.json"))
    network[1] = "magic"
    assert "unknown network 'magic'" in fails()
    network[1] = "resnet"
    assert "does not hold the weights of resnet" in fails(code=1)
    network[3] = "none.safetensors"
    assert "none.safetensors cannot be read" in fails(code=1)
    assert not (tmp_path / "out").exists()
