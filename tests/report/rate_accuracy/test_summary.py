"""Choices and savings find their place; the statistics are tested where they are computed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bandwise.measures import Undefined
from bandwise.report.rate_accuracy.records import RateRecords, parse_rate_records
from bandwise.report.rate_accuracy.summary import RateSummary

from .synthetic import FEW, rate_rows


def small(families: tuple[str, ...] = FEW) -> RateRecords:
    return parse_rate_records(
        rate_rows(families=families, retrained=(), transfer=False, examples=0, images=150)
    )


def test_choice_is_the_smallest_within_the_bound_on_validation() -> None:
    summary = RateSummary(small(), "resnet")
    choice = summary.choice("libjpeg", 1)
    assert choice is not None
    tried = [p for p in summary.points("validation") if p.codec == "libjpeg"]
    original = next(p for p in summary.points("validation") if p.codec == "original").accuracy
    meeting = [p for p in tried if p.accuracy >= original - 0.01 - 1e-9]
    best = min(meeting, key=lambda p: p.mean_bytes)
    assert (choice.family, choice.label) == (best.family, best.label)
    on_test = summary.point_of("libjpeg", best.family, best.label)
    assert on_test is not None
    assert choice.mean_bytes.value == pytest.approx(on_test.mean_bytes)


def test_yardstick_is_libjpeg_where_it_was_measured() -> None:
    summary = RateSummary(small(), "resnet")
    assert summary.yardstick == "libjpeg"
    assert summary.closest_saving(1) is None
    assert RateSummary(small(("webp", "avif", "gradient")), "resnet").yardstick == "webp"
    alone = RateSummary(small(("gradient",)), "resnet")
    assert alone.yardstick is None
    assert isinstance(alone.main_saving(1), Undefined)


def test_saving_over_the_common_range_is_positive_where_fewer_bytes_do() -> None:
    saving = RateSummary(small(), "resnet").common_range("bandwise", "libjpeg")
    assert saving is not None
    assert 0.2 < saving.low < saving.value < saving.high < 0.6


def test_shown_profile_is_the_one_that_was_chosen() -> None:
    records = small()
    summary = RateSummary(records, "resnet")
    choice, profile = summary.choice("bandwise", 1), summary.shown_profile()
    assert choice is not None
    assert profile is not None
    assert (profile.family, profile.label) == (choice.family, choice.label)
    only_test = tuple(point for point in records.points if point.split == "test")
    unchosen = RateSummary(replace(records, points=only_test), "resnet")
    assert unchosen.choice("bandwise", 1) is None
    assert unchosen.shown_profile() == records.profiles[len(records.profiles) // 2]


def test_other_networks_are_those_tables_were_not_learned_for(records: RateRecords) -> None:
    assert RateSummary(records, "resnet").other_networks == ["plain-cnn"]
