"""From a network and images to profiles, which are kept with what they were learned from."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bandwise.data import Dataset
from bandwise.learning import profiles as learning
from bandwise.learning.target import Learned, Target, learn_profile
from bandwise.progress import Progress
from bandwise.results import Measurement
from tests.learning.digits import CONFIG, LOSSY


def test_a_second_call_does_nothing_again(
    learned: Learned, few_digits: Dataset, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not(*_: object, **__: object) -> None:
        raise AssertionError("tables were learned again")

    monkeypatch.setattr(learning, "sensitivity_candidates", must_not)
    reported: list[Progress] = []
    again = learn_profile(CONFIG, few_digits, LOSSY, work, progress=reported.append)
    assert again.profile.to_json() == learned.profile.to_json()
    assert reported == []

    fewer = learn_profile(
        CONFIG, few_digits, Target(size_bytes=1e6), work, progress=reported.append
    )
    assert fewer.chosen.divergence == min(
        entry["divergence"]
        for entry in learned.profile.curve
        if entry["split"] == "validation" and entry["label"] != "original"
    )
    assert reported == []


def test_other_settings_learn_again_and_only_then(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work")
    given = replace(CONFIG, weights=learned.weights, images=10)
    few = learn_profile(given, few_digits, LOSSY, tmp_path / "work")
    assert few.profile.provenance["settings"]["images"] == 10
    assert {p.sha256 for p in few.profiles}.isdisjoint(p.sha256 for p in learned.profiles)
    measured = {
        (each.label, each.setting["profile_sha256"])
        for each in few.results.of(Measurement)
        if each.codec == "bandwise"
    }
    assert measured == {(profile.name, profile.sha256) for profile in few.profiles}

    reported: list[Progress] = []
    seeded = learn_profile(
        replace(given, seed=1), few_digits, LOSSY, tmp_path / "work", progress=reported.append
    )
    assert {"measuring sensitivity", "measuring"} <= {each.stage for each in reported}
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


def test_rate_distortion_optimisation_is_told_from_tables_alone(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work")
    optimised = learn_profile(replace(CONFIG, rdo=0.5), few_digits, LOSSY, tmp_path / "work")
    choice = optimised.profile.rate_distortion
    assert choice is not None
    assert choice.lagrangian == 0.5 * optimised.profile.provenance["slope"]
    assert optimised.chosen.family == "sensitivity + rdo"
    assert len(optimised.profile.curve) == len(learned.profile.curve)
    again = learn_profile(CONFIG, few_digits, LOSSY, tmp_path / "work")
    assert again.profile.curve == learned.profile.curve
