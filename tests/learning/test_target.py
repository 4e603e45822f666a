"""The profile that meets a target: chosen on validation, reported on test."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from bandwise.data import Dataset
from bandwise.errors import TargetError
from bandwise.learning.profiles import profile_file_name
from bandwise.learning.target import Learned, Target, learn_profile
from bandwise.profile import Profile
from bandwise.results import LearnedTables, Measurement, Split
from bandwise.statistics import Undefined
from tests.learning.digits import CONFIG, LAGRANGIANS
from tests.results.rows import POINT


def point(
    size: int,
    *,
    accuracy: float = 0.5,
    divergence: float = 0.1,
    split: Split = "validation",
    codec: str = "bandwise",
) -> Measurement:
    sizes = None if codec == "original" else [size] * 1000
    right = round(1000 * accuracy)
    return Measurement.from_row(
        POINT
        | {"codec": codec, "family": codec, "label": f"{size}", "split": split}
        | {"images": 1000, "pixels": 64000, "accuracy": accuracy, "divergence": divergence}
        | {"bytes": sizes and 1000 * size, "payload_bytes": None, "image_bytes": sizes}
        | {"image_correct": right * "1" + (1000 - right) * "0"}
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
    chosen = target.choose(CURVE, pixels=64)
    assert isinstance(chosen, Measurement)
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
    chosen = target.choose(CURVE, pixels=64)
    assert isinstance(chosen, Undefined)
    assert reason in chosen.reason


def test_the_chosen_profile_meets_the_target_and_holds_its_evidence(
    learned: Learned, few_digits: Dataset, work: Path
) -> None:
    profile = learned.profile
    curve = {(entry["split"], entry["label"]): entry for entry in profile.curve}
    labels = {"original", *(f"sensitivity {value:.2g}" for value in LAGRANGIANS)}
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
    sizes = [curve["validation", f"sensitivity {value:.2g}"]["mean_bytes"] for value in LAGRANGIANS]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]

    provenance = profile.provenance
    assert provenance["dataset_sha256"] == few_digits.sha256
    assert provenance["num_classes"] == 10
    assert provenance["settings"]["slopes"] == list(LAGRANGIANS)
    assert provenance["settings"]["images"] == 100
    assert provenance["slope"] in LAGRANGIANS
    assert Profile.from_json(json.loads(json.dumps(profile.to_json()))).curve == profile.curve


def test_the_profiles_are_those_of_the_files_and_rows(learned: Learned, work: Path) -> None:
    assert [profile.name for profile in learned.profiles] == [
        f"sensitivity {value:.2g}" for value in LAGRANGIANS
    ]
    stored = {
        profile.name: Profile.load(work / "profiles" / profile_file_name(profile))
        for profile in learned.profiles
    }
    assert learned.profile.sha256 == stored[learned.profile.name].sha256
    tables = {each.name: each.tables for each in learned.results.of(LearnedTables)}
    assert tables == {name: profile.tables for name, profile in stored.items()}
    assert learned.profile.tables.chroma is None
    measured = {
        each.label: each.setting["profile_sha256"]
        for each in learned.results.of(Measurement)
        if each.codec == "bandwise"
    }
    assert measured == {name: profile.sha256 for name, profile in stored.items()}
    assert learned.weights == work / "networks" / "small-cnn.safetensors"
    assert load_file(learned.weights)


def test_a_target_out_of_reach_is_an_error_that_keeps_the_work(
    learned: Learned, few_digits: Dataset, work: Path
) -> None:
    before = learned.results.path.read_bytes()
    with pytest.raises(TargetError, match=r"at most 3 bytes.*other slopes \(now 1e-05 to 0.001\)"):
        learn_profile(CONFIG, few_digits, Target(size_bytes=3), work)
    assert learned.results.path.read_bytes() == before
