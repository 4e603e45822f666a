"""From a network and images to profiles, which are kept with what they were learned from."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bandwise.recipes.stages import Event

from bandwise import jpeg
from bandwise.data import Dataset
from bandwise.errors import ConfigurationError
from bandwise.learning import GradientConfig
from bandwise.profile import Profile
from bandwise.recipes import learning
from bandwise.recipes.learning import LearnConfig, learning_row
from bandwise.recipes.target import Learned, Target, learn_profile
from bandwise.results import read_rows
from tests.recipes.conftest import CONFIG, LOSSY, SLOPES

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown method 'magic'"):
        LearnConfig(method="magic")
    for slopes in ((), (0.0,), (1e-6, -1.0), (float("nan"),)):
        with pytest.raises(ConfigurationError, match="above 0"):
            LearnConfig(slopes=slopes)
    with pytest.raises(ConfigurationError, match="first two digits"):
        LearnConfig(slopes=(1.01e-6, 1.02e-6))
    with pytest.raises(ConfigurationError, match="images is at least 1"):
        LearnConfig(images=0)
    with pytest.raises(ConfigurationError, match="epochs is at least 1"):
        LearnConfig(epochs=0)


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


@pytest.mark.parametrize("record", ["", "{", "[]", '{"provenance": 1}', "[" * 100_000])
def test_a_damaged_record_of_profiles_learns_again(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path, record: str
) -> None:
    shutil.copytree(work, tmp_path / "work")
    (path,) = (tmp_path / "work").rglob("sensitivity.json")
    path.write_text(record)
    again = learn_profile(
        replace(CONFIG, weights=learned.weights), few_digits, LOSSY, tmp_path / "work"
    )
    assert [p.tables for p in again.profiles] == [p.tables for p in learned.profiles]
    assert path.read_text() != record


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
    assert isinstance(optimised.profile, Profile)
    choice = optimised.profile.rate_distortion
    assert choice is not None
    assert choice.slope == 0.5 * optimised.profile.provenance["slope"]
    assert optimised.chosen.family == "sensitivity + rdo"
    assert len(optimised.profile.curve) == len(learned.profile.curve)
    again = learn_profile(CONFIG, few_digits, LOSSY, tmp_path / "work")
    assert again.profile.curve == learned.profile.curve
