"""Rows are checked, and the message names the line and the field."""

from __future__ import annotations

from typing import Any

import pytest

from bandwise.errors import ResultsError
from bandwise.frequencies import Frequencies
from bandwise.report.straight.records import Setting, parse_straight_records

from .synthetic import experiment_row, straight_rows, trained_row


def test_runs_are_grouped_by_setting_and_seed() -> None:
    records = parse_straight_records(straight_rows(seeds=(0, 4)))
    assert len(records.runs) == 3 + 9
    assert all(list(runs) == [0, 4] for runs in records.runs.values())
    run = records.runs[Setting("resnet-small", "coefficients", 24, "zigzag")][4]
    assert run.frequencies == Frequencies.zigzag(24, channels=3)
    assert run.file_bytes == pytest.approx(1700 * 1.02 + 14, abs=1)
    pixels = records.runs[Setting("resnet", "pixels")][0]
    assert pixels.frequencies is None
    assert (len(pixels.train_seconds), pixels.parameters) == (16, 1_550_358)
    assert (records.channels, records.small_share) == (3, 0.75)


def test_settings_are_named() -> None:
    assert Setting("resnet", "pixels").name == "resnet on pixels"
    some = Setting("vit", "coefficients", 24, "energy")
    assert some.name == "vit on 24 frequencies by energy"
    assert some.inputs == "24 by energy"
    assert Setting("vit", "coefficients", 1, "energy").name == "vit on 1 frequency by energy"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("reads", "waves", "line 2, field 'reads': expected coefficients or pixels, got 'waves'"),
        ("kept", "many", "field 'kept': expected an integer"),
        ("rule", None, "field 'rule': expected a text"),
        ("frequencies", [3, 1], "field 'frequencies': frequencies are different numbers"),
        ("epochs", 0, "field 'epochs': expected 1 or more"),
        ("validation_curve", [0.5], "field 'validation_curve': expected 16 numbers, got 1"),
        ("train_seconds", [0.0] * 16, "field 'train_seconds': expected times above 0"),
        ("test_bytes", [], "field 'test_bytes': expected sizes"),
        ("test_accuracy", 1.5, "field 'test_accuracy': expected a fraction"),
    ],
)
def test_damaged_rows_are_named(field: str, value: Any, message: str) -> None:
    row = trained_row("resnet", "coefficients", 0, 0.5, Frequencies((0, 1)))
    row |= {"kept": 2, "rule": "energy", field: value}
    with pytest.raises(ResultsError, match=message):
        parse_straight_records([experiment_row(), row])


def test_a_run_that_is_there_twice_is_refused() -> None:
    rows = straight_rows(seeds=(0,))
    with pytest.raises(ResultsError, match="resnet on pixels, seed 0, is there twice"):
        parse_straight_records([*rows, rows[3]])
