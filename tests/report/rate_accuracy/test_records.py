"""Rows are typed, and rows with something missing or wrong are refused with line and field."""

from __future__ import annotations

import base64
import copy
import math
from typing import Any

import numpy as np
import pytest

from bandwise.errors import ResultsError
from bandwise.report.rate_accuracy.records import RateRecords, main_network, parse_rate_records

from .synthetic import FEW, Row, rate_rows

ROWS = rate_rows(families=FEW, retrained=(), transfer=False, examples=1, images=60)
POINT = next(i for i, row in enumerate(ROWS) if row.get("codec") == "libjpeg")
ORIGINAL = next(i for i, row in enumerate(ROWS) if row.get("codec") == "original")
PROFILE = next(i for i, row in enumerate(ROWS) if row["record"] == "profile")
EXAMPLE = next(i for i, row in enumerate(ROWS) if row["record"] == "example")


def changed(index: int, **fields: Any) -> list[Row]:
    rows = copy.deepcopy(ROWS)
    rows[index].update(fields)
    return rows


def test_point_is_typed() -> None:
    row = ROWS[POINT]
    point = next(p for p in parse_rate_records(ROWS).points if p.row == row)
    assert point.mean_bytes == row["bytes"] / row["images"]
    assert point.bits_per_pixel == pytest.approx(8 * row["bytes"] / row["pixels"])
    assert point.image_correct is not None
    assert point.image_correct.mean() == pytest.approx(row["accuracy"])
    assert point.image_bytes is not None
    assert point.image_bytes.sum() == row["bytes"]


def test_originals_have_no_size() -> None:
    original = parse_rate_records(ROWS).points[0]
    assert original.codec == "original"
    assert math.isnan(original.mean_bytes)


def test_grey_profiles_and_missing_importance_are_fine() -> None:
    tables = {**ROWS[PROFILE]["tables"], "chroma": None}
    profile = parse_rate_records(changed(PROFILE, tables=tables, importance=None)).profiles[0]
    assert profile.tables.chroma is None
    assert profile.importance is None


def test_points_without_single_images_are_fine() -> None:
    rows = changed(POINT, image_bytes=None)
    del rows[POINT]["image_correct"], rows[POINT]["divergence"]
    point = next(p for p in parse_rate_records(rows).points if p.row == rows[POINT])
    assert (point.image_bytes, point.image_correct, point.divergence) == (None, None, None)


@pytest.mark.parametrize(
    ("index", "fields", "words"),
    [
        (POINT, {"accuracy": 86.0}, ["accuracy", "fraction", "86.0"]),
        (POINT, {"bytes": None}, ["bytes", "only 'original'"]),
        (POINT, {"bytes": 0}, ["bytes", "1 or more"]),
        (POINT, {"images": 0}, ["images", "1 or more"]),
        (POINT, {"split": "train"}, ["split", "validation, test", "'train'"]),
        (POINT, {"protocol": "thawed"}, ["protocol", "frozen, retrained"]),
        (POINT, {"image_correct": "01"}, ["image_correct", "characters 0 or 1", "got 2"]),
        (POINT, {"image_bytes": [1]}, ["image_bytes", "got 1"]),
        (POINT, {"divergence": "low"}, ["divergence", "a number"]),
        (POINT, {"setting": []}, ["setting", "an object"]),
        (PROFILE, {"tables": {"luma": [[0] * 8] * 8}}, ["tables", "1..255"]),
        (PROFILE, {"importance": {"luma": [[1.0]]}}, ["luma", "8 rows of 8"]),
        (PROFILE, {"importance": {"luma": [[math.nan] * 8] * 8}}, ["luma", "finite"]),
        (PROFILE, {"importance": {"luma": "x"}}, ["luma", "8 rows of 8"]),
        (PROFILE, {"importance": {"luma": [[10**400] * 8] * 8}}, ["luma", "8 rows of 8"]),
        (EXAMPLE, {"png_base64": "!!"}, ["png_base64", "not base64"]),
        (EXAMPLE, {"png_base64": "\ud800"}, ["png_base64", "not base64"]),
        (EXAMPLE, {"png_base64": base64.b64encode(b"<svg/>").decode()}, ["JPEG or PNG"]),
    ],
)
def test_wrong_field_is_named(index: int, fields: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ResultsError) as caught:
        parse_rate_records(changed(index, **fields))
    assert f"line {index + 1}" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_missing_field_is_named() -> None:
    rows = copy.deepcopy(ROWS)
    del rows[POINT]["network"]
    with pytest.raises(ResultsError, match=rf"line {POINT + 1}, field 'network': missing"):
        parse_rate_records(rows)


def test_a_point_twice_is_refused() -> None:
    with pytest.raises(ResultsError, match=f"line {len(ROWS) + 1}.*twice"):
        parse_rate_records([*ROWS, ROWS[POINT]])


def test_main_network_is_the_one_that_tables_were_learned_for(records: RateRecords) -> None:
    assert main_network(records) == "resnet"
    renamed = [
        {**row, "network": "plain-cnn"} if row["record"] == "profile" else row
        for row in rate_rows(families=FEW, retrained=(), images=60)
    ]
    assert main_network(parse_rate_records(renamed)) == "plain-cnn"


def test_decisions_keep_their_order() -> None:
    rows = changed(POINT, image_correct="1" + "0" * (ROWS[POINT]["images"] - 1))
    point = next(p for p in parse_rate_records(rows).points if p.row == rows[POINT])
    assert point.image_correct is not None
    assert np.flatnonzero(point.image_correct).tolist() == [0]
