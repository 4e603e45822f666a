"""Rows with something missing or wrong are refused with the line and the field."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from bandwise.errors import ResultsError
from bandwise.report.records import parse_records

from .conftest import Row, synthetic_rows

ROWS = synthetic_rows(variants=["static", "adaptive"], seeds=[0], epochs=2)
EPOCH = next(index for index, row in enumerate(ROWS) if row["record"] == "epoch")
RUN = next(index for index, row in enumerate(ROWS) if row["record"] == "run")


def test_a_plane_beyond_all_memory_is_refused() -> None:
    bands = ROWS[0]["bands"] | {"height": 2**40}
    with pytest.raises(ResultsError, match="up to 4096 rows and columns"):
        parse_records(changed(0, bands=bands))


def changed(index: int, **fields: Any) -> list[Row]:
    rows = copy.deepcopy(ROWS)
    rows[index].update(fields)
    return rows


EXTENDED = synthetic_rows(variants=["edges", "input"], seeds=[0], epochs=1)


def test_rows_of_learned_edges_hold_rings_and_others_none() -> None:
    records = parse_records(EXTENDED)
    rings = records.runs["edges", 0].rings
    assert rings is not None
    assert rings == records.histories["edges", 0][0].rings
    assert len(rings.edges) == 7
    assert records.runs["input", 0].rings is None
    assert records.runs["input", 0].band_weights_by_class is not None
    assert records.runs["edges", 0].band_weights_by_class is None
    older = parse_records(ROWS).runs["adaptive", 0]
    assert (older.rings, older.band_weights_std, older.band_weights_by_class) == (None,) * 3


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("band_edges", [0.5, 0.2, 0.6, 0.7, 0.8, 0.9, 1.0], "ascend"),
        ("band_edges", [0.5], "7 numbers"),
        ("band_exponent", "two", "a number"),
        ("band_weights_by_class", [[0.1] * 8], "10 lists"),
        ("band_weights_by_class", [[0.1] * 7] * 10, "8 numbers"),
        ("band_weights_std", [0.1], "8 numbers"),
        ("train_seconds", 10**400, "a number of 64 bits"),
    ],
)
def test_wrong_extensions_are_named(field: str, value: object, word: str) -> None:
    rows = copy.deepcopy(EXTENDED)
    row = next(row for row in rows if row["record"] == "run" and field in row)
    row[field] = value
    with pytest.raises(ResultsError, match=rf"field '{field}': .*{word}"):
        parse_records(rows)


def test_order_is_that_of_variants_and_seeds() -> None:
    rows = synthetic_rows(variants=["none", "adaptive", "static"], seeds=[1, 0], epochs=2)
    records = parse_records([rows[0], *reversed(rows[1:])])
    assert list(records.runs) == [(v, s) for v in ("static", "adaptive", "none") for s in (0, 1)]
    assert [epoch.number for epoch in records.histories["none", 1]] == [1, 2]


def test_unknown_records_are_left_alone() -> None:
    assert parse_records([*ROWS, {"record": "curve", "points": 3}]) is not None


@pytest.mark.parametrize(
    ("index", "fields", "words"),
    [
        (EPOCH, {"train_loss": math.nan}, ["train_loss", "finite"]),
        (EPOCH, {"train_loss": "low"}, ["train_loss", "a number", "'low'"]),
        (EPOCH, {"test_accuracy": 96.8}, ["test_accuracy", "fraction", "96.8"]),
        (EPOCH, {"band_weights": [0.5, 0.5]}, ["band_weights", "8 numbers", "got 2"]),
        (EPOCH, {"epoch": 1.5}, ["epoch", "integer", "1.5"]),
        (EPOCH, {"epoch": 2**63}, ["epoch", "integer of 64 bits"]),
        (EPOCH, {"train_loss": 10**400}, ["train_loss", "64 bits"]),
        (EPOCH, {"epoch": 2}, ["epoch", "twice"]),
        (EPOCH, {"variant": "magic"}, ["variant", "static", "'magic'"]),
        (RUN, {"test_per_class": [0.9]}, ["test_per_class", "10 numbers"]),
        (RUN, {"epochs": 0}, ["epochs", "1 or more"]),
        (RUN, {"provenance": "me"}, ["provenance", "an object"]),
        (1, {"pixels_u8": [[[0, 999]]]}, ["pixels_u8", "(1, 28, 28)"]),
        (1, {"pixels_u8": [[[1], [1, 2]]]}, ["pixels_u8", "regular"]),
    ],
)
def test_wrong_field_is_named(index: int, fields: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ResultsError) as caught:
        parse_records(changed(index, **fields))
    # A repeated epoch is noticed where it comes for the second time.
    line = index + 2 if fields == {"epoch": 2} else index + 1
    assert f"line {line}, field" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("field", ["band_weights", "validation_loss", "test_accuracy", "seed"])
def test_missing_field_is_named(field: str) -> None:
    rows = copy.deepcopy(ROWS)
    del rows[EPOCH][field]
    with pytest.raises(ResultsError, match=rf"line {EPOCH + 1}, field '{field}': missing"):
        parse_records(rows)


def test_pixels_out_of_range_are_refused() -> None:
    pixels = copy.deepcopy(ROWS[1]["pixels_u8"])
    pixels[0][3][4] = 256
    with pytest.raises(ResultsError, match="0 to 255"):
        parse_records(changed(1, pixels_u8=pixels))


@pytest.mark.parametrize(
    ("bands", "word"),
    [
        ({"kind": "spiral", "count": 8, "height": 28, "width": 28}, "spiral"),
        ({"kind": "radial", "count": 999, "height": 28, "width": 28}, "999"),
        ({"kind": "zigzag", "count": 8, "height": 28, "width": 28}, "expected 55 zigzag bands"),
    ],
)
def test_bands_that_cannot_be_are_refused(bands: Row, word: str) -> None:
    with pytest.raises(ResultsError, match=f"line 1, bands.*{word}"):
        parse_records(changed(0, bands=bands))


def test_exactly_one_experiment() -> None:
    with pytest.raises(ResultsError, match="got 0"):
        parse_records(ROWS[1:])
    with pytest.raises(ResultsError, match="got 2"):
        parse_records([ROWS[0], *ROWS])


def test_a_run_twice_is_refused() -> None:
    with pytest.raises(ResultsError, match=f"line {len(ROWS) + 1}.*twice"):
        parse_records([*ROWS, ROWS[RUN]])


def test_nothing_trained_is_refused() -> None:
    with pytest.raises(ResultsError, match="no epoch and no run"):
        parse_records(ROWS[:1])
