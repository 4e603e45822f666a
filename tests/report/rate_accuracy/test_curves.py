"""Curves: what is on them, which settings are beaten, and how sure accuracies are."""

from __future__ import annotations

import numpy as np
import pytest

from bandwise.report.rate_accuracy.curves import Chart, by_way_of_learning, chart_of
from bandwise.report.rate_accuracy.records import Point, RateRecords, parse_rate_records

from .synthetic import Row, experiment_row


def point(label: str, size: int, correct: str, **fields: object) -> Row:
    return {
        "record": "point",
        "codec": "libjpeg",
        "family": "libjpeg",
        "setting": {},
        "label": label,
        "split": "test",
        "protocol": "frozen",
        "network": "n",
        "seed": 0,
        "images": len(correct),
        "pixels": 64 * len(correct),
        "bytes": size * len(correct),
        "accuracy": correct.count("1") / len(correct),
        "image_correct": correct,
        **fields,
    }


def original(correct: str, **fields: object) -> Row:
    return point("original", 1, correct, codec="original", bytes=None, **fields)


def chart(rows: list[Row], protocol: str = "frozen") -> Chart:
    points = parse_rate_records([experiment_row(), *rows]).points
    found = chart_of(points, protocol=protocol, network="n")
    assert found is not None
    return found


def test_envelope_leaves_out_what_a_smaller_or_equal_file_beats() -> None:
    rows = [
        point("a", 10, "1100"),
        point("b", 20, "1000"),
        point("c", 30, "1111"),
        point("d", 30, "1110"),
        point("e", 40, "1111"),
    ]
    curve = chart(rows).curves[0]
    assert [mark.label for mark in curve.marks] == ["a", "b", "c", "d", "e"]
    assert [mark.label for mark in curve.envelope] == ["a", "c"]


def test_divergence_falls_along_its_curve() -> None:
    values = {"a": 0.5, "b": 0.6, "c": 0.1, "d": 0.0, "e": None}
    rows = [
        point(label, 10 * number, "1", divergence=value)
        for number, (label, value) in enumerate(values.items(), start=1)
    ]
    assert [mark.label for mark in chart(rows).curves[0].divergences] == ["a", "c"]


def test_protocols_networks_and_splits_are_kept_apart() -> None:
    rows = [
        point("a", 10, "11"),
        point("b", 10, "11", protocol="retrained"),
        point("c", 10, "11", network="other"),
        point("d", 10, "11", split="validation"),
    ]
    assert [mark.label for mark in chart(rows).curves[0].marks] == ["a"]
    assert [mark.label for mark in chart(rows, "retrained").curves[0].marks] == ["b"]
    points = parse_rate_records([experiment_row(), *rows]).points
    assert chart_of(points, protocol="frozen", network="third") is None


def test_interval_is_that_of_a_bootstrap_over_images() -> None:
    before = "1" * 80 + "0" * 20
    after = "1" * 70 + "0" * 26 + "1" * 4
    mark = chart([original(before), point("a", 10, after)]).curves[0].marks[0]
    changes = np.array(list(after), dtype=int) - np.array(list(before), dtype=int)
    generator = np.random.default_rng(7)
    means = generator.choice(changes, size=(20_000, 100)).mean(axis=1)
    expected = 0.8 + np.percentile(means, [2.5, 97.5])
    assert [mark.low, mark.high] == pytest.approx(expected.tolist(), abs=0.0101)
    assert mark.accuracy == pytest.approx(0.74)


def test_equal_decisions_leave_nothing_to_chance() -> None:
    mark = chart([original("1100"), point("a", 10, "1100")]).curves[0].marks[0]
    assert (mark.low, mark.high) == (0.5, 0.5)


def test_without_single_images_there_is_no_interval() -> None:
    mark = chart([original("1100"), point("a", 10, "1000", image_correct=None)]).curves[0].marks[0]
    assert mark.low == mark.accuracy == mark.high


def test_several_seeds_are_averaged_with_their_range() -> None:
    rows = [
        point("a", 10, correct, protocol="retrained", seed=seed)
        for seed, correct in enumerate(("1000", "1100", "1110"))
    ]
    rows += [
        original(correct, protocol="retrained", seed=seed)
        for seed, correct in enumerate(("1110", "1111"))
    ]
    found = chart(rows, "retrained")
    mark = found.curves[0].marks[0]
    assert (mark.low, mark.accuracy, mark.high) == (0.25, 0.5, 0.75)
    assert (found.seeds, mark.seeds) == (3, 3)
    assert found.original == pytest.approx(0.875)


def test_codecs_come_in_their_order_and_unknown_ones_last(records: RateRecords) -> None:
    found = chart_of(records.points, protocol="frozen", network="resnet")
    assert found is not None
    assert [curve.name for curve in found.curves][:3] == ["bandwise", "libjpeg", "mozjpeg"]
    rows = [point("a", 1, "1", codec="zip"), point("a", 1, "1", codec="webp")]
    assert [curve.name for curve in chart(rows).curves] == ["webp", "zip"]


def test_ways_of_learning_are_told_apart(records: RateRecords) -> None:
    def shown(point: Point) -> bool:
        return point.codec in ("bandwise", "libjpeg")

    found = chart_of(
        filter(shown, records.points), protocol="frozen", network="resnet", by=by_way_of_learning
    )
    assert found is not None
    assert {curve.name for curve in found.curves} == {
        "sensitivity",
        "sensitivity rdo",
        "gradient",
        "gradient rdo",
        "libjpeg",
    }
