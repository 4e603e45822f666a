import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandwise.statistics import (
    BdRate,
    DivergenceSaving,
    Undefined,
    accuracy_interval,
    bd_rate,
    envelope,
    saving_at_equal_divergence,
)
from tests.statistics.curves import CURVE, cubic_bd, measurements, original, rows_of, scaled


def bd(ours: list[tuple[float, int]], theirs: list[tuple[float, int]], floor: float = 0) -> BdRate:
    found = measurements(original(), rows_of("ours", ours), rows_of("theirs", theirs))
    result = bd_rate(found, candidate="ours", baseline="theirs", floor=floor)
    assert isinstance(result, BdRate), result
    return result


def test_a_curve_against_itself_is_zero() -> None:
    result = bd(CURVE, CURVE)
    assert result.rate.value == pytest.approx(0, abs=1e-12)
    assert result.rate.low == pytest.approx(0, abs=1e-12)
    assert result.overlap == 1
    assert (result.low, result.high) == (0.5, 0.9)


def test_half_the_bytes_are_minus_one_half() -> None:
    result = bd(scaled(0.5), CURVE)
    assert result.rate.value == pytest.approx(-0.5, abs=1e-3)
    assert result.rate.low <= result.rate.value <= result.rate.high


@settings(max_examples=5)
@given(factor=st.floats(0.2, 4.0))
def test_exchanging_the_sides_inverts_the_ratio(factor: float) -> None:
    there = bd(scaled(factor), CURVE[1:]).rate.value
    back = bd(CURVE[1:], scaled(factor)).rate.value
    assert (1 + there) * (1 + back) == pytest.approx(1)


def test_a_setting_that_is_worse_in_both_changes_nothing() -> None:
    assert bd([*CURVE, (2000.0, 120), (5000.0, 120)], CURVE).rate.value == pytest.approx(
        0, abs=1e-12
    )


def test_saturated_curves_do_not_run_away_as_a_cubic_does() -> None:
    theirs = [(300.0, 60), (700.0, 150), (1300.0, 176), (2500.0, 178), (5000.0, 179)]
    ours = [(230.0, 58), (560.0, 152), (1000.0, 177), (1900.0, 179), (3900.0, 179)]
    assert abs(cubic_bd(theirs, ours) - bd(ours, theirs).rate.value) > 0.2
    assert -0.35 < bd(ours, theirs).rate.value < -0.15


def test_curves_that_hardly_overlap_are_undefined() -> None:
    found = measurements(
        original(), rows_of("ours", [(100, 40), (200, 101)]), rows_of("theirs", CURVE[:4])
    )
    undefined = bd_rate(found, candidate="ours", baseline="theirs")
    assert isinstance(undefined, Undefined)
    assert "share" in undefined.reason
    missing = bd_rate(found, candidate="webp", baseline="theirs")
    assert isinstance(missing, Undefined)
    assert "webp" in missing.reason


def test_a_single_point_is_no_curve() -> None:
    found = measurements(original(), rows_of("ours", [(100, 170)]), rows_of("theirs", CURVE))
    assert isinstance(bd_rate(found, candidate="ours", baseline="theirs"), Undefined)


def test_accuracies_below_the_floor_do_not_count() -> None:
    ours = [(size * (0.1 if correct < 150 else 0.5), correct) for size, correct in CURVE]
    assert bd(ours, CURVE, floor=0.83).rate.value == pytest.approx(-0.5, abs=1e-3)
    assert bd(ours, CURVE).rate.value < -0.6


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 1)), min_size=1, max_size=9))
def test_the_envelope_dominates_every_point(curve: list[tuple[float, float]]) -> None:
    log_bytes, score = np.array(curve).T
    scores, logs = envelope(log_bytes, score)
    assert (np.diff(scores) > 0).all()
    assert (np.diff(logs) > 0).all()
    for each_log, each_score in curve:
        assert any((logs <= each_log) & (scores >= each_score))


def test_an_accuracy_has_an_interval() -> None:
    interval = accuracy_interval(measurements(original())[0])
    assert interval.value == 0.9
    assert 0.84 < interval.low < 0.87 < 0.93 < interval.high < 0.96


def test_equal_divergence_compares_on_straight_lines_of_logarithms() -> None:
    found = measurements(original(), rows_of("ours", scaled(0.6)), rows_of("theirs", CURVE))
    result = saving_at_equal_divergence(found, 1, candidate="ours", baseline="theirs")
    assert isinstance(result, DivergenceSaving)
    assert result.divergence == pytest.approx(50 / 2400)
    assert result.baseline_mean_bytes == pytest.approx(2400, rel=0.01)
    assert result.saving == pytest.approx(0, abs=0.01)  # divergence is 50 / bytes for both


def test_less_divergence_at_the_same_bytes_is_a_saving() -> None:
    ours = [{**row, "divergence": row["divergence"] / 4} for row in rows_of("ours", scaled(0.999))]
    found = measurements(original(), ours, rows_of("theirs", CURVE))
    result = saving_at_equal_divergence(found, 2, candidate="ours", baseline="theirs")
    assert isinstance(result, DivergenceSaving)
    assert result.saving == pytest.approx(1 - 1 / 4, abs=0.01)
    assert math.isclose(result.divergence, 50 / 1600)


def test_a_divergence_out_of_reach_is_undefined() -> None:
    found = measurements(original(), rows_of("ours", CURVE[:2]), rows_of("theirs", CURVE))
    undefined = saving_at_equal_divergence(found, 1, candidate="ours", baseline="theirs")
    assert isinstance(undefined, Undefined)
    assert "ours" in undefined.reason
