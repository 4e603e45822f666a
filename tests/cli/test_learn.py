"""``bandwise learn`` and ``bandwise evaluate``, from images to smaller files."""

import json
from pathlib import Path

import pytest

from bandwise.cli.main import run
from bandwise.cli.output import warn_of_chance
from bandwise.profile import Profile
from bandwise.results import LearnedTables, Measurement, Results
from bandwise.statistics import find_original
from tests.cli.terminal import said
from tests.statistics.curves import measurements, original

NETWORK = ["--network", "small-cnn", "--colour", "grey"]
QUICK = [*NETWORK, "--epochs", "1", "--images", "12", "--slopes", "1e-5", "1e-3"]
TARGET = ["--target-accuracy-drop", "100"]


@pytest.fixture(scope="module")
def learned(jpegs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with profile, ladder, network and results."""
    folder = tmp_path_factory.mktemp("learn")
    assert run(["learn", str(jpegs), *QUICK, *TARGET, *places(folder)]) == 0
    return folder


def places(folder: Path, out: str = "digits.json") -> list[str]:
    names = {"out": out, "work": "work", "ladder": "ladder"}
    return [word for name, each in names.items() for word in (f"--{name}", str(folder / each))]


def weights_of(learned: Path) -> list[str]:
    return ["--weights", str(learned / "work" / "networks" / "small-cnn.safetensors")]


def test_a_profile_is_learned_and_reported_on_test(
    learned: Path, jpegs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (learned / "work" / "results.jsonl").read_bytes()
    command = ["learn", str(jpegs), *QUICK, *TARGET, *places(learned, "again.json")]
    assert run(command) == 0
    out, err = said(capfd)
    profile = Profile.load(learned / "again.json")
    assert profile.to_json() == Profile.load(learned / "digits.json").to_json()
    curve = {(point["split"], point["label"]): point for point in profile.curve}
    test = curve["test", profile.name]
    for part in (
        *(f"{test['mean_bytes']:,.0f} bytes an image", f"{test['accuracy']:.2%}"),
        *("sensitivity 1e-05", "sensitivity 0.001"),
        *(learned / name for name in ("again.json", "ladder", "work/results.jsonl")),
        weights_of(learned)[1],
    ):
        assert str(part) in out
    assert err == ""  # nothing is trained or measured again
    assert (learned / "work" / "results.jsonl").read_bytes() == before


def test_integers_are_chosen_where_that_is_asked_for(
    learned: Path, jpegs: Path, tmp_path: Path
) -> None:
    command = ["learn", str(jpegs), *QUICK[:-3], *TARGET, *weights_of(learned), *places(tmp_path)]
    assert run([*command, "--slopes", "1e-3", "--rdo", "0.1"]) == 0
    optimised = Profile.load(tmp_path / "digits.json").rate_distortion
    assert optimised is not None
    assert optimised.lagrangian == pytest.approx(1e-4)


def test_the_ladder_serves_encode(
    learned: Path, jpegs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sizes = []
    for tolerance in ("0", "100"):
        out = tmp_path / tolerance
        command = ["encode", str(jpegs / "test"), str(out), "--profile", str(learned / "ladder")]
        options = [*NETWORK[:2], *weights_of(learned), "--json", "--tolerance", tolerance]
        said(capfd)
        assert run([*command, *options]) == 0
        summary = json.loads(said(capfd)[0])
        assert summary["encoded"] == 4
        sizes.append(summary["bytes_out"])
    assert sizes[0] >= sizes[1]


def test_an_evaluation_prints_its_table_and_resumes(
    learned: Path, jpegs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profile = Profile.load(learned / "digits.json")
    command = [
        *("evaluate", str(jpegs), *NETWORK, *weights_of(learned), "--out", str(tmp_path)),
        *("--codecs", "webp", "libjpeg compact", "--every", "40", "--bound", "2.5"),
        *("--profile", str(learned / "digits.json")),
    ]
    assert run(command) == 0
    text = " ".join(said(capfd)[0].split())
    for part in ("2.5 points", str(tmp_path / "results.jsonl")):
        assert part in text
    results = Results.load(tmp_path)
    families = {each.family for each in results.of(Measurement)}
    assert families == {"original", "webp", "libjpeg compact", "sensitivity"}
    assert [each.label for each in results.of(LearnedTables)] == [profile.name]
    before = results.path.read_bytes()
    assert run(command) == 0
    assert results.path.read_bytes() == before


@pytest.mark.parametrize(
    ("right", "warned"), [(0, True), (120, True), (132, True), (134, False), (200, False)]
)
def test_a_network_at_chance_is_warned_of(
    right: int, warned: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    found = find_original(measurements(original(right)), "test")
    warn_of_chance(found, [0] * 120 + [1] * 80)
    text = said(capfd)[0]
    assert (f"{right / 200:.2%}" in text and "60.00%" in text) == warned
    assert bool(text) == warned
