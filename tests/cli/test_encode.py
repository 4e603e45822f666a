"""``bandwise encode`` as a person uses it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.encoding import encode_pixels
from bandwise.frequencies import Frequencies
from bandwise.guidance import Guide
from bandwise.inference import Model
from bandwise.pipeline import read_picture
from bandwise.profile import Profile
from bandwise.tables import TableSet, flat
from bandwise.tasks.networks import build_coefficient_network, build_network, load_network
from tests.inference.models import own_model
from tests.jpeg.images import picture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


STEP_ZERO = json.dumps(Profile(name="p", tables=TableSet(luma=flat(7))).to_json()).replace("7", "0")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    Profile(name="p", tables=TableSet.ijg(40)).save(path)
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(picture(24, 32)).save(folder / "a.png")
    Image.fromarray(picture(24, 32, seed=1)).save(folder / "b.jpg", quality=95)
    Image.new("RGBA", (8, 8)).save(folder / "clear.png")
    return folder


def said(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capfd.readouterr()
    return out, err


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


def test_one_image_is_no_plural(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["encode", str(images / "a.png"), str(tmp_path / "out")]
    assert run([*command, "--profile", str(profile)]) == 0
    assert said(capfd)[0].startswith("1 image encoded: ")


def test_files_of_one_name_are_skipped_and_the_rest_is_encoded(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(picture(24, 32)).save(images / "a.jpg")
    assert run(["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]) == 3
    out, err = said(capfd)
    assert out.startswith("2 images encoded")
    assert "skipped a.png: a.jpg and a.png would each become" in err


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
        ('{"format": "bandwise-profile", "schema": 99}', "upgrade bandwise"),
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


def test_a_missing_input_is_an_error(
    profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["encode", str(tmp_path / "no"), str(tmp_path), "--profile", str(profile)]) == 1
    assert "does not exist" in said(capfd)[1]


def test_an_interruption_says_how_to_go_on(
    images: Path,
    profile: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bandwise.cli.encode.encode_tree", interrupted)
    assert run(["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]) == 130
    assert "the same command with --resume goes on" in said(capfd)[1]


CLASSES = 4
STEPS = (4, 40, 160)


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    """A folder of profiles that were learned for four classes."""
    for step in STEPS:
        tables = TableSet(luma=flat(step), chroma=flat(step))
        provenance = {"num_classes": CLASSES}
        profile = Profile(name=f"step {step}", tables=tables, provenance=provenance)
        profile.save(tmp_path / "ladder" / f"{step}.json")
    return tmp_path / "ladder"


@pytest.fixture
def network(tmp_path: Path) -> list[str]:
    """Options that name a network with random weights."""
    torch.manual_seed(0)
    state = build_network("small-cnn", num_classes=CLASSES, channels=3).state_dict()
    path = tmp_path / "weights.safetensors"
    save_file({name: 3 * value for name, value in state.items()}, path)
    return ["--network", "small-cnn", "--weights", str(path)]


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
    guide = Guide(list(profiles.values()), model, encode=encode_pixels)
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
    ],
)
def test_a_ladder_that_is_used_wrongly_is_a_usage_error(
    images: Path,
    ladder: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    left_out: slice,
    added: list[str],
    message: str,
) -> None:
    del network[left_out]
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(ladder)]
    assert run([*command, *network, *added]) == 2
    err = " ".join(said(capfd)[1].replace("│", " ").split())
    assert message in err
    assert not (tmp_path / "out").exists()


def test_what_belongs_to_a_ladder_is_a_usage_error_for_one_profile(
    images: Path,
    profile: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]
    for options in (network, ["--tolerance", "0.05"]):
        assert run([*command, *options]) == 2
        err = " ".join(said(capfd)[1].replace("│", " ").split())
        assert "belong to a ladder of several profiles and there is one" in err
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


def saved_model(path: Path, frequencies: Frequencies | None) -> Path:
    """A model with random weights, on pixels if no frequencies are given."""
    classes = tuple("abcd")
    torch.manual_seed(0)
    Model(
        network="resnet" if frequencies else "small-cnn",
        reads="coefficients" if frequencies else "pixels",
        classes=classes,
        channels=3,
        grid=(4, 4),
        frequencies=frequencies,
        module=(
            build_coefficient_network("resnet", num_classes=CLASSES, frequencies=frequencies)
            if frequencies
            else build_network("small-cnn", num_classes=CLASSES, channels=3)
        ),
    ).save(path)
    return path


@pytest.mark.parametrize("several", [False, True])
def test_files_for_a_model_are_smaller_and_read_the_same(
    images: Path,
    profile: Path,
    ladder: Path,
    network: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    several: bool,
) -> None:
    kept = Frequencies.triangle(9, channels=3)
    path = saved_model(tmp_path / "model.safetensors", kept)
    profiles = ["--profile", str(ladder), *network] if several else ["--profile", str(profile)]
    if several:  # so that the same file of the ladder is chosen with and without the model
        profiles += ["--tolerance", "1e6"]
    command = ["encode", str(images), *profiles]
    assert run([*command, str(tmp_path / "whole")]) == 0
    assert run([*command, str(tmp_path / "some"), "--for-model", str(path)]) == 0
    whole, some = (
        [file.read_bytes() for file in sorted((tmp_path / out).glob("*.jpg"))]
        for out in ("whole", "some")
    )
    assert sum(map(len, some)) < sum(map(len, whole))
    for data in some:
        for plane, name in zip(
            jpeg.read_coefficients(data).planes, ("luma", "cb", "cr"), strict=True
        ):
            assert not plane.blocks[..., ~kept.mask(name)].any()
    model = Model.load(path)
    assert torch.equal(model.probabilities(whole), model.probabilities(some))

    said(capfd)
    narrow = saved_model(path, Frequencies((0, 64, 128)))
    again = [*command, str(tmp_path / "some"), "--resume", "--for-model", str(narrow)]
    assert run(again) == 1
    assert "begun with other settings (profiles: " in said(capfd)[1]


def test_models_that_files_cannot_be_made_for_are_usage_errors(
    images: Path, profile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]

    def fails(frequencies: Frequencies | None) -> str:
        path = saved_model(tmp_path / "model.safetensors", frequencies)
        assert run([*command, "--for-model", str(path)]) == 2
        assert not (tmp_path / "out").exists()
        return " ".join(said(capfd)[1].replace("│", " ").split())

    assert "reads pixels, to which every frequency adds; give one that reads" in fails(None)
    Profile(name="full", tables=TableSet.ijg(40), subsampling="4:4:4").save(profile)
    assert "models read chroma at 4:2:0, and the profile 'full' has it" in fails(
        Frequencies.triangle(9, channels=3)
    )
    luma_alone = saved_model(tmp_path / "model.safetensors", Frequencies((0, 1, 8)))
    assert run([*command, "--for-model", str(luma_alone)]) == 0


def test_files_are_made_for_a_network_of_ones_own_without_its_code(
    images: Path, profile: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    replace(own_model(), network="no.such.module:net").save(path)
    command = ["encode", str(images), str(tmp_path / "out"), "--profile", str(profile)]
    assert run([*command, "--for-model", str(path)]) == 0
    luma = jpeg.read_coefficients((tmp_path / "out" / "a.jpg").read_bytes()).planes[0]
    assert not luma.blocks[..., ~Frequencies((0, 1, 8)).mask("luma")].any()


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
    assert said(capfd) == ("3 images whole in 2 shards, 1 were quarantined\n", "")
    (tmp_path / "out" / "shard-000001.tar").write_bytes(b"")
    assert run(["verify", out, "--workers", "1"]) == 1
    assert "shard-000001.tar: sample clear: its bytes are not" in said(capfd)[1]
    assert run([*command, "--shard-images", "2"]) == 1
    assert "is not empty; go on from there with --resume" in said(capfd)[1]
    assert run([*command, "--resume"]) == 1
    assert "shard_images: 2 then, 1000 now" in said(capfd)[1]
    assert run([*command, "--shard-images", "2", "--resume"]) == 3
    assert said(capfd)[0].startswith("1 image encoded into 2 shards: ")
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
