"""``bandwise learn`` as a person uses it, from images to smaller files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.data import load
from bandwise.profile import Profile
from tests.cli.terminal import said

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

QUICK = ["learn", "digits", "--network", "small-cnn", "--images", "60"]
TARGET = ["--target-accuracy-drop", "90"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with profile, ladder, network and results."""
    folder = tmp_path_factory.mktemp("learn")
    places = [
        *("--out", str(folder / "digits.json"), "--work", str(folder / "work")),
        *("--ladder", str(folder / "ladder")),
    ]
    assert run([*QUICK, *TARGET, "--epochs", "1", "--slopes", "1e-5", "1e-3", *places]) == 0
    return folder


def again(work: Path, *options: str, out: str = "again.json") -> list[str]:
    """Command that goes on in the same work folder."""
    places = ["--out", str(work / out), "--work", str(work / "work")]
    return [*QUICK, "--epochs", "1", "--slopes", "1e-5", "1e-3", *places, *options]


def test_a_profile_is_learned_and_says_what_it_does(
    work: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(again(work, *TARGET)) == 0
    out, err = said(capfd)
    profile = Profile.load(work / "again.json")
    assert profile.to_json() == Profile.load(work / "digits.json").to_json()
    curve = {(point["split"], point["label"]): point for point in profile.curve}
    test = curve["test", profile.name]
    assert f"on test: {test['mean_bytes']:,.0f} bytes an image" in out
    assert f"accuracy {test['accuracy']:.2%}" in out
    assert out.count("chosen") == 1
    for slope in ("1e-05", "0.001"):
        assert f"sensitivity {slope}" in out
    assert "measuring" not in out
    assert f"weights {work}/work/networks/small-cnn.safetensors" in out
    assert err == ""


def test_integers_are_chosen_where_that_is_asked_for(work: Path, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "rdo.json"), "--work", str(tmp_path / "work")]
    weights = ["--weights", str(work / "work" / "networks" / "small-cnn.safetensors")]
    command = [*QUICK, *TARGET, *weights, "--slopes", "1e-3", "--rdo", "0.1", *out]
    assert run(command) == 0
    optimised = Profile.load(tmp_path / "rdo.json").rate_distortion
    assert optimised is not None
    assert optimised.lagrangian == pytest.approx(1e-4)


def test_bytes_and_bits_per_pixel_are_the_same_target(
    work: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sizes = {
        point["label"]: point["mean_bytes"]
        for point in Profile.load(work / "digits.json").curve
        if point["split"] == "validation" and point["mean_bytes"] is not None
    }
    largest = max(sizes.values())
    assert run(again(work, "--target-bytes", str(largest), out="a.json")) == 0
    assert run(again(work, "--target-bpp", str(largest * 8 / 64), out="b.json")) == 0
    a, b = Profile.load(work / "a.json"), Profile.load(work / "b.json")
    assert a.sha256 == b.sha256
    said(capfd)
    assert run(again(work, "--target-bytes", "7", out="none.json")) == 1
    assert "no profile needs at most 7 bytes" in said(capfd)[1]
    assert not (work / "none.json").exists()


def test_the_ladder_serves_encode(
    work: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for index, pixels in enumerate(load("digits").test.pixels_u8[:12, 0]):
        Image.fromarray(pixels.numpy()).save(source / f"{index}.png")
    weights = work / "work" / "networks" / "small-cnn.safetensors"
    guided = ["--network", "small-cnn", "--weights", str(weights), "--json"]
    total = {}
    for tolerance in ("0", "0.01", "100"):
        out = tmp_path / tolerance
        command = ["encode", str(source), str(out), "--profile", str(work / "ladder"), *guided]
        assert run([*command, "--tolerance", tolerance]) == 0
        summary = json.loads(said(capfd)[0])
        assert summary["encoded"] == 12
        total[tolerance] = summary["bytes_out"]
    assert total["0"] >= total["0.01"] >= total["100"]
    assert total["0"] > total["100"]


def test_an_unknown_data_set_is_one_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", "no-such-data", "--out", str(tmp_path / "p.json")]) == 1
    err = said(capfd)[1]
    assert "no-such-data" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--weights", "none.safetensors"], 1, "none.safetensors cannot be read"),
        (["--network", "magic"], 2, "unknown network 'magic'"),
        (["--target-bpp", "nan"], 2, "give one target"),
        (["--images", "0"], 2, "images is at least 1"),
    ],
)
def test_what_needs_no_data_is_checked_before_they_are_read(
    capfd: pytest.CaptureFixture[str], options: list[str], code: int, message: str
) -> None:
    assert run(["learn", "no-such-data", "--out", "p.json", *options]) == code
    assert message in said(capfd)[1]


def test_weights_of_another_network_are_one_message(
    work: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    weights = work / "work" / "networks" / "small-cnn.safetensors"
    options = ["--network", "plain-cnn", "--weights", str(weights)]
    places = ["--out", str(tmp_path / "p.json"), "--work", str(tmp_path / "work")]
    assert run(["learn", "digits", *options, *places]) == 1
    err = said(capfd)[1]
    assert "does not hold the weights of plain-cnn" in err
    assert err.count("\n") == 1


def test_an_interruption_says_how_to_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], interrupt: Callable[[str], None]
) -> None:
    interrupt("bandwise.recipes.target.learn_profile")
    assert run([*QUICK, "--out", str(tmp_path / "p.json")]) == 130
    assert "the same command resumes" in said(capfd)[1]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--network", "magic"], 2, "unknown network 'magic'"),
        (["--target-bpp", "1", "--target-bytes", "9"], 2, "give one target"),
        (["--target-bytes", "-1"], 2, "0 or more"),
        (["--weights", "none.safetensors"], 1, "none.safetensors cannot be read"),
        (["--slopes", "0"], 2, "is above 0"),
        (["--images", "0"], 2, "images is at least 1"),
        (["--epochs", "0"], 2, "epochs is at least 1"),
    ],
)
def test_bad_input_is_one_message(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    message: str,
) -> None:
    places = ["--out", str(tmp_path / "p.json"), "--work", str(tmp_path / "work")]
    assert run([*QUICK, *places, *options]) == code
    err = said(capfd)[1]
    assert message in err
    if not err.startswith("Usage: "):
        assert err.startswith("error: ")
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
