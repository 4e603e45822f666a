import pytest
from scipy import stats

from bandwise.statistics import Gain, Spread, paired_gain


def test_a_spread_has_the_interval_of_students_t() -> None:
    spread = Spread.of([0.9, 0.92, 0.97])
    assert spread.mean == pytest.approx(0.93)
    assert spread.std == pytest.approx(0.036055512)
    assert spread.interval is not None
    half = stats.t.ppf(0.975, 2) * 0.036055512 / 3**0.5
    assert spread.interval == pytest.approx((0.93 - half, 0.93 + half))
    assert Spread.of([0.9]).interval is None


def test_a_gain_is_paired_by_the_seeds_in_common() -> None:
    gain = paired_gain("a", {0: 0.9, 1: 0.92, 2: 0.95, 7: 0.1}, "b", {2: 0.93, 0: 0.89, 1: 0.90})
    assert isinstance(gain, Gain)
    assert gain.seeds == (0, 1, 2)
    assert gain.mean == pytest.approx(0.05 / 3)
    reference = stats.ttest_1samp(gain.differences, 0)
    assert gain.p_value == pytest.approx(reference.pvalue)
    assert gain.interval == pytest.approx(tuple(reference.confidence_interval(0.95)))
    assert gain.direction == 1
    assert paired_gain("a", {0: 0.9}, "b", {1: 0.9}) is None


@pytest.mark.parametrize("ours", [{0: 0.9}, {0: 0.9, 1: 0.8}])
def test_without_spread_there_is_no_interval(ours: dict[int, float]) -> None:
    gain = paired_gain("a", ours, "b", {0: 0.8, 1: 0.7})
    assert gain is not None
    assert (gain.interval, gain.p_value, gain.direction) == (None, None, 0)
