"""From a data set and a network to the profile that meets a target."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bandwise import jpeg
from bandwise.data import Dataset, with_validation
from bandwise.errors import (
    CheckpointError,
    ConfigurationError,
    OutputError,
    TargetError,
)
from bandwise.learning import GradientConfig
from bandwise.measures import Point, Undefined
from bandwise.profile import Profile
from bandwise.recipes import learning
from bandwise.recipes.learning import LearnConfig, learning_row, profile_file_name
from bandwise.recipes.networks import default_training, prepare_network
from bandwise.recipes.stages import Event
from bandwise.recipes.target import Learned, Target, learn_profile
from bandwise.results import read_rows

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

SLOPES = (1e-5, 1e-4, 1e-3)
CONFIG = LearnConfig(network="small-cnn", epochs=4, slopes=SLOPES, images=100)
LOSSY = Target(accuracy_drop=20.0)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("learning") / "work"


@pytest.fixture(scope="module")
def learned(few_digits: Dataset, work: Path) -> Learned:
    return learn_profile(CONFIG, few_digits, LOSSY, work)


def point(
    size: int,
    *,
    accuracy: float = 0.5,
    divergence: float = 0.1,
    split: str = "validation",
    codec: str = "bandwise",
) -> Point:
    correct = np.zeros(1000)
    correct[: round(1000 * accuracy)] = 1
    return Point(
        codec=codec,
        family=codec,
        label=f"{size}",
        split=split,
        image_bytes=None if codec == "original" else np.full(1000, size),
        image_correct=correct,
        agreement=1.0,
        divergence=divergence,
        seeds=(0,),
    )


CURVE = [
    point(0, accuracy=0.90, divergence=0, codec="original"),
    point(100, accuracy=0.80, divergence=0.3),
    point(200, accuracy=0.886, divergence=0.2),
    point(300, accuracy=0.899, divergence=0.1),
    point(50, accuracy=0.90, divergence=0, split="test"),
    point(60, accuracy=0.90, divergence=0, codec="libjpeg"),
]


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (Target(), 300),
        (Target(accuracy_drop=0.1), 300),
        (Target(accuracy_drop=2), 200),
        (Target(accuracy_drop=50), 100),
        (Target(size_bytes=1e9), 300),
        (Target(size_bytes=300), 300),
        (Target(size_bytes=299), 200),
        (Target(rate_bpp=25), 200),
        (Target(rate_bpp=24.9), 100),
    ],
)
def test_a_target_is_met_on_validation_alone(target: Target, size: int) -> None:
    chosen = target.chosen(CURVE, pixels=64)
    assert isinstance(chosen, Point)
    assert (chosen.mean_bytes, chosen.split, chosen.codec) == (size, "validation", "bandwise")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target(accuracy_drop=0), "no profile is within 0 point"),
        (Target(size_bytes=99), "at most 99 bytes"),
        (Target(rate_bpp=0), "at most 0 bytes"),
    ],
)
def test_a_target_that_nothing_meets_says_so(target: Target, reason: str) -> None:
    chosen = target.chosen(CURVE, pixels=64)
    assert isinstance(chosen, Undefined)
    assert reason in chosen.reason


def test_wrong_targets_and_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="give one target"):
        Target(accuracy_drop=1, size_bytes=1000)
    with pytest.raises(ConfigurationError, match="0 or more"):
        Target(rate_bpp=-1)
    with pytest.raises(ConfigurationError, match="0 or more"):
        Target(rate_bpp=float("nan"))
    with pytest.raises(ConfigurationError, match="unknown method 'magic'"):
        LearnConfig(method="magic")
    for slopes in ((), (0.0,), (1e-6, -1.0), (float("nan"),)):
        with pytest.raises(ConfigurationError, match="above 0"):
            LearnConfig(slopes=slopes)
    with pytest.raises(ConfigurationError, match="first two digits"):
        LearnConfig(slopes=(1.01e-6, 1.02e-6))
    with pytest.raises(ConfigurationError, match="images is at least 1"):
        LearnConfig(images=0)


def test_the_chosen_profile_meets_the_target_and_holds_its_evidence(
    learned: Learned, few_digits: Dataset, work: Path
) -> None:
    profile = learned.profile
    curve = {(entry["split"], entry["label"]): entry for entry in profile.curve}
    labels = {"original", *(f"sensitivity {slope:.2g}" for slope in SLOPES)}
    assert set(curve) == {(split, label) for split in ("validation", "test") for label in labels}
    chosen = curve["validation", profile.name]
    original = curve["validation", "original"]
    assert chosen["accuracy"] >= original["accuracy"] - 0.2
    assert all(
        entry["mean_bytes"] >= chosen["mean_bytes"]
        for (split, label), entry in curve.items()
        if split == "validation"
        and label != "original"
        and entry["accuracy"] >= original["accuracy"] - 0.2
    )
    assert learned.chosen.label == profile.name
    assert learned.test.accuracy == curve["test", profile.name]["accuracy"]
    assert learned.original_test.accuracy == curve["test", "original"]["accuracy"]
    assert curve["test", "original"]["images"] == len(few_digits.test)
    sizes = [curve["validation", f"sensitivity {slope:.2g}"]["mean_bytes"] for slope in SLOPES]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]

    provenance = profile.provenance
    assert provenance["dataset_sha256"] == few_digits.sha256
    assert provenance["num_classes"] == 10
    assert provenance["settings"]["slopes"] == list(SLOPES)
    assert provenance["settings"]["images"] == 100
    assert provenance["slope"] in SLOPES
    assert Profile.from_json(json.loads(json.dumps(profile.to_json()))).curve == profile.curve


def test_the_profiles_are_those_of_the_files_and_rows(learned: Learned, work: Path) -> None:
    assert [profile.name for profile in learned.profiles] == [
        f"sensitivity {slope:.2g}" for slope in SLOPES
    ]
    stored = {
        profile.name: Profile.load(work / "profiles" / profile_file_name(profile))
        for profile in learned.profiles
    }
    assert learned.profile.sha256 == stored[learned.profile.name].sha256
    rows = read_rows(learned.results)
    tables = {row["name"]: row["tables"] for row in rows if row["record"] == "profile"}
    assert tables == {name: profile.tables.to_json() for name, profile in stored.items()}
    assert learned.profile.tables.chroma is None
    measured = {
        row["label"]: row["setting"]["profile_sha256"]
        for row in rows
        if row["record"] == "point" and row["codec"] == "bandwise"
    }
    assert measured == {name: profile.sha256 for name, profile in stored.items()}
    assert learned.weights == work / "networks" / "small-cnn.safetensors"
    assert load_file(learned.weights)


def test_a_second_call_does_nothing_again(
    learned: Learned, few_digits: Dataset, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not(*_: object, **__: object) -> None:
        raise AssertionError("tables were learned again")

    monkeypatch.setattr(learning, "sensitivity_candidates", must_not)
    heard: list[Event] = []
    again = learn_profile(CONFIG, few_digits, LOSSY, work, listener=heard.append)
    assert again.profile.to_json() == learned.profile.to_json()
    assert heard == []

    fewer = learn_profile(CONFIG, few_digits, Target(size_bytes=1e6), work, listener=heard.append)
    assert fewer.chosen.divergence == min(
        entry["divergence"]
        for entry in learned.profile.curve
        if entry["split"] == "validation" and entry["label"] != "original"
    )
    assert heard == []


def test_other_settings_learn_again_and_only_then(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work")
    given = replace(CONFIG, weights=learned.weights, images=10)
    few = learn_profile(given, few_digits, LOSSY, tmp_path / "work")
    assert few.profile.provenance["settings"]["images"] == 10
    assert {p.sha256 for p in few.profiles}.isdisjoint(p.sha256 for p in learned.profiles)
    measured = {
        (row["label"], row["setting"]["profile_sha256"])
        for row in read_rows(few.results)
        if row["record"] == "point" and row["codec"] == "bandwise"
    }
    assert measured == {(profile.name, profile.sha256) for profile in few.profiles}

    heard: list[Event] = []
    seeded = learn_profile(
        replace(given, seed=1), few_digits, LOSSY, tmp_path / "work", listener=heard.append
    )
    assert {"measuring sensitivity", "measuring"} <= {event.stage for event in heard}
    assert seeded.profile.provenance["settings"]["seed"] == 1
    assert seeded.chosen.seeds == (1,)


def test_descent_starts_from_sensitivity(
    learned: Learned, few_digits: Dataset, tmp_path: Path
) -> None:
    config = replace(
        CONFIG,
        weights=learned.weights,
        method="gradient",
        slopes=SLOPES[:2],
        gradient=GradientConfig(steps=2, batch_size=8),
    )
    heard: list[Event] = []
    found = learn_profile(config, few_digits, LOSSY, tmp_path / "w", listener=heard.append)
    assert found.profile.provenance["family"] == "gradient"
    assert found.weights == learned.weights
    assert ("descending", "steps", 4) in {(e.stage, e.unit, e.done) for e in heard}
    row = learning_row(config, tmp_path / "w" / "profiles")
    assert (row["family"], row["network"], row["images"]) == ("gradient", "small-cnn", 100)
    assert row["settings"]["gradient"]["steps"] == 2
    assert row["seconds"] > 0


def test_rate_distortion_optimisation_is_told_from_tables_alone(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work")
    optimised = learn_profile(replace(CONFIG, rdo=0.5), few_digits, LOSSY, tmp_path / "work")
    choice = optimised.profile.rate_distortion
    assert choice is not None
    assert choice.slope == 0.5 * optimised.profile.provenance["slope"]
    assert optimised.chosen.family == "sensitivity + rdo"
    assert len(optimised.profile.curve) == len(learned.profile.curve)
    again = learn_profile(CONFIG, few_digits, LOSSY, tmp_path / "work")
    assert again.profile.curve == learned.profile.curve


def test_a_target_out_of_reach_is_an_error_that_keeps_the_work(
    learned: Learned, few_digits: Dataset, work: Path
) -> None:
    before = learned.results.read_bytes()
    with pytest.raises(TargetError, match=r"at most 3 bytes.*other slopes \(now 1e-05 to 0.001\)"):
        learn_profile(CONFIG, few_digits, Target(size_bytes=3), work)
    assert [row["record"] for row in read_rows(learned.results)].count("profile") == 3
    assert len(learned.results.read_bytes()) == len(before)


def test_weights_that_do_not_fit_are_refused(
    learned: Learned, few_digits: Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    other = replace(CONFIG, network="plain-cnn", weights=learned.weights)
    with pytest.raises(CheckpointError, match="does not hold the weights of plain-cnn"):
        learn_profile(other, few_digits, LOSSY, out)
    with pytest.raises(CheckpointError, match="cannot be read"):
        learn_profile(replace(CONFIG, weights=tmp_path / "none"), few_digits, LOSSY, out)
    with pytest.raises(ConfigurationError, match="unknown network 'magic'"):
        learn_profile(replace(CONFIG, network="magic"), few_digits, LOSSY, out)
    with pytest.raises(ConfigurationError, match="plain-cnn cannot read images of 8×8"):
        learn_profile(replace(CONFIG, network="plain-cnn"), few_digits, LOSSY, out)
    assert not out.exists()


def test_another_network_does_not_go_on_from_the_first(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work")
    weights = tmp_path / "other.safetensors"
    other = prepare_network(
        replace(CONFIG, epochs=1, seed=3),
        with_validation(few_digits, seed=3),
        tmp_path / "networks",
    )
    weights.write_bytes((tmp_path / "networks" / "small-cnn.safetensors").read_bytes())
    assert isinstance(other, torch.nn.Module)
    with pytest.raises(ConfigurationError, match="with other weights"):
        learn_profile(replace(CONFIG, weights=weights), few_digits, LOSSY, tmp_path / "work")


def test_a_folder_with_something_else_is_refused_before_any_work(
    few_digits: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "precious.txt").touch()
    heard: list[Event] = []
    with pytest.raises(OutputError, match="not empty"):
        learn_profile(CONFIG, few_digits, LOSSY, tmp_path, listener=heard.append)
    assert heard == []
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_training_fits_the_kind_of_images(few_digits: Dataset) -> None:
    glyphs = default_training(few_digits, LearnConfig(seed=4))
    assert (glyphs.seed, glyphs.small_share) == (4, 0.0)
    assert 4 <= glyphs.epochs <= 40
    assert default_training(few_digits, LearnConfig(epochs=3)).epochs == 3
    train = replace(
        few_digits.train, pixels_u8=torch.zeros(len(few_digits.train), 3, 64, 64, dtype=torch.uint8)
    )
    photographs = default_training(replace(few_digits, train=train), LearnConfig())
    assert photographs.epochs == 75
