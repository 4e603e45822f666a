import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bandwise.errors import ConfigurationError, OutputError, ResultsError
from bandwise.results import (
    RESULTS_NAME,
    Epoch,
    Experiment,
    Learning,
    Measurement,
    Results,
    write_rows,
)
from tests.results.rows import EPOCH, EXPERIMENT, LEARNING, POINT, REPRODUCE

OURS = Experiment.from_row(EXPERIMENT)
MEASURED = Measurement.from_row(POINT)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / RESULTS_NAME).read_text().splitlines()]


def test_records_are_appended_and_read_back(tmp_path: Path) -> None:
    results = Results.open(tmp_path / "out", OURS)
    results.add(MEASURED, Learning.from_row(LEARNING))
    assert lines(tmp_path / "out") == [EXPERIMENT, POINT, LEARNING]
    loaded = Results.load(tmp_path / "out")
    assert [each.to_row() for each in loaded.of(Measurement)] == [POINT]
    assert loaded.experiment.to_row() == EXPERIMENT
    assert loaded.find(Measurement, *MEASURED.key[1:]) is loaded.of(Measurement)[0]
    assert loaded.find(Learning, "other", "cnn") is None


def test_a_later_record_replaces_an_older_one_in_its_place(tmp_path: Path) -> None:
    results = Results.open(tmp_path, OURS)
    results.add(MEASURED, replace(MEASURED, label="q9"))
    results.add(replace(MEASURED, divergence=1.0))
    for each in (results, Results.load(tmp_path)):
        assert [(m.label, m.divergence) for m in each.of(Measurement)] == [("q5", 1), ("q9", 0.25)]
    assert len(lines(tmp_path)) == 4


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    Results.open(tmp_path, OURS).add(MEASURED)
    before = lines(tmp_path)
    results = Results.open(tmp_path, replace(OURS, created="later"))
    results.add(MEASURED)
    assert lines(tmp_path) == before


def test_networks_of_both_are_kept(tmp_path: Path) -> None:
    Results.open(tmp_path, OURS)
    Results.open(tmp_path, replace(OURS, networks={"other": "ef"}))
    there = Results.load(tmp_path).experiment
    assert there.networks == {**EXPERIMENT["networks"], "other": "ef"}


@pytest.mark.parametrize("kept", range(1, len(json.dumps(POINT)), 97))
def test_half_a_line_of_a_killed_run_is_dropped(tmp_path: Path, kept: int) -> None:
    Results.open(tmp_path, OURS)
    with (tmp_path / RESULTS_NAME).open("a") as stream:
        stream.write(json.dumps(POINT)[:kept])
    assert Results.load(tmp_path).of(Measurement) == []
    Results.open(tmp_path, OURS).add(MEASURED)
    assert lines(tmp_path) == [EXPERIMENT, POINT]


def test_rows_of_unknown_kinds_stay_in_the_file(tmp_path: Path) -> None:
    other = {"record": "codebook", "seed": 0}
    write_rows(tmp_path / RESULTS_NAME, [EXPERIMENT, other])
    Results.open(tmp_path, OURS).add(MEASURED)
    assert lines(tmp_path) == [EXPERIMENT, other, POINT]


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (EXPERIMENT, {"recipe": "straight-from-jpeg"}),
        (EXPERIMENT, {"dataset": {**EXPERIMENT["dataset"], "sha256": "other"}}),
        (EXPERIMENT, {"networks": {"cnn, frozen, seed 0": "other"}}),
        (EXPERIMENT, {"settings": {"batch_size": 32}}),
        (REPRODUCE, {"bands": {**REPRODUCE["bands"], "count": 3}}),
    ],
)
def test_another_experiment_is_refused(
    tmp_path: Path, there: dict[str, Any], asked: dict[str, Any]
) -> None:
    Results.open(tmp_path, Experiment.from_row(there))
    before = lines(tmp_path)
    with pytest.raises(ConfigurationError, match="another experiment"):
        Results.open(tmp_path, Experiment.from_row(there | asked))
    assert lines(tmp_path) == before


def test_another_device_or_a_new_setting_is_no_other_experiment(tmp_path: Path) -> None:
    Results.open(tmp_path, OURS)
    settings = {"batch_size": 64, "device": "cuda", "new": 1}
    Results.open(tmp_path, replace(OURS, settings=settings))


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    with pytest.raises(OutputError, match="not empty"):
        Results.open(tmp_path, OURS)
    Results.open(tmp_path, OURS, allowed_entries=("profiles",))
    with pytest.raises(OutputError):
        Results.open(tmp_path / RESULTS_NAME, OURS)


def test_what_cannot_be_appended_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    results = Results.open(tmp_path, OURS)
    with pytest.raises(ValueError, match="JSON"):
        results.add(MEASURED, replace(MEASURED, label="q9", setting={"quality": float("nan")}))
    assert lines(tmp_path) == [EXPERIMENT]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([POINT], "no row with record 'experiment'"),
        ([EXPERIMENT, {**EXPERIMENT, "recipe": "other"}], "line 2: a second experiment"),
    ],
)
def test_a_file_holds_one_experiment(rows: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(ResultsError, match=complaint):
        Results.from_rows(rows)


def test_epochs_are_told_apart(tmp_path: Path) -> None:
    results = Results.open(tmp_path, Experiment.from_row(REPRODUCE))
    results.add(*(Epoch.from_row({**EPOCH, "epoch": number}) for number in (1, 2)))
    assert [epoch.epoch for epoch in Results.load(tmp_path).of(Epoch)] == [1, 2]
