"""Rows are checked, and the message names the line and the field."""

from __future__ import annotations

from typing import Any

import pytest

from bandwise.bands import Rings
from bandwise.errors import ResultsError
from bandwise.report.adaptive.records import parse_adaptive_records
from bandwise.tables import TableSet

from ..rate_accuracy.synthetic import experiment_row
from .synthetic import IMAGES, LABELS, Row, adaptive_rows, bands_row, choices_row, codebook_row


def test_codebooks_and_choices_are_read() -> None:
    records = parse_adaptive_records(adaptive_rows(seeds=(0, 2)))
    assert [book.seed for book in records.codebooks] == [0] * 4 + [2] * 4
    book = records.codebooks[3]
    assert book.family == "bandwise adaptive: codebook of 2 + rate"
    assert (book.kinds, book.seconds, book.multiplications) == ((150, 50), 20.0, 300_002)
    assert book.ladders[1][4] == TableSet.ijg(15)
    choices = records.choices[2]
    assert (choices.label, choices.split, len(choices.rungs)) == ("1e-06", "validation", IMAGES)
    assert choices.rungs[:3].tolist() == [0, 1, 2]
    assert len(records.rate.points) == 2 * 2 * (1 + 5 * 5) + 2 * 2 * 5


def test_bands_of_tables_are_read_with_their_prices() -> None:
    (book,) = parse_adaptive_records([*adaptive_rows(seeds=()), bands_row(0)]).codebooks
    assert [price for price, _ in book.rings] == [float(label) for label in LABELS]
    assert book.rings[1][1]["chroma"] == Rings(edges=(0.1, 0.5), exponent=2.0)


@pytest.mark.parametrize(
    ("row", "field", "value", "message"),
    [
        (codebook_row("rate", 0), "codebook", "none", "expected a list of lists of tables"),
        (codebook_row("rate", 0), "codebook", [], "expected a list of lists of tables"),
        (codebook_row("rate", 0), "codebook", [[{}]], "field 'codebook': tables are an object"),
        (codebook_row("codebook of 2", 0), "kinds", [200], "expected 2 counts, got 1"),
        (codebook_row("rate", 0), "seconds", "long", "field 'seconds': expected a number"),
        (bands_row(0), "rings", [{"luma": {}}] * 5, "rings.: expected edges and exponent"),
        (bands_row(0), "rings", bands_row(0)["rings"][1:], "rings.: expected bands of 5 rungs"),
        (bands_row(0), "rings", [{}] * 5, "rings.: expected bands of 5 rungs"),
        (bands_row(0), "slopes", [1e-6], "slopes.: expected 5 numbers"),
        (choices_row("rate", "1e-06", "test", 0), "ladders", [0], "rungs.: expected 1 numbers"),
        (choices_row("rate", "1e-06", "test", 0), "rungs", [-1] * IMAGES, "from 0, of every image"),
    ],
)
def test_damaged_rows_are_named(row: Row, field: str, value: Any, message: str) -> None:
    with pytest.raises(ResultsError, match=message) as caught:
        parse_adaptive_records([experiment_row(), row | {field: value}])
    assert "line 2" in str(caught.value)


def test_ladders_are_equally_long() -> None:
    row = codebook_row("codebook of 2", 0)
    row["codebook"][1].pop()
    with pytest.raises(ResultsError, match="ladders of equally many tables"):
        parse_adaptive_records([experiment_row(), row])
