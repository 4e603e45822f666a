"""Numbers in words."""

from __future__ import annotations

import pytest

from bandwise.report import wording
from bandwise.statistics import Gain, Interval, Spread, paired_gain


def gain_of(*differences: float) -> Gain:
    base = [0.9 + 0.001 * seed for seed in range(len(differences))]
    found = paired_gain(
        "a",
        {seed: base[seed] + each for seed, each in enumerate(differences)},
        "b",
        dict(enumerate(base)),
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wording.listing([]), ""),
        (wording.listing("a"), "a"),
        (wording.listing("abc"), "a, b and c"),
        (wording.sentence("one"), "One."),
        (wording.points(-0.0123), "−1.23"),
        (wording.points(0.0123), "+1.23"),
        (wording.ends((-0.001, 0.02)), "−0.10 to +2.00"),
        (wording.percent(Spread(0.9679, 0.0008, 3)), "96.79 ± 0.08 %"),
        (wording.percent(Spread(0.9679, None, 1)), "96.79 %"),
        (wording.plain(Spread(0.125, 0.002, 3)), "0.125 ± 0.002"),
        (wording.seconds(2395), "2,395 s"),
        (wording.seconds(12.34), "12.3 s"),
        (wording.seconds(1.234), "1.23 s"),
        (wording.share(-0.015), "1.5 % more"),
        (wording.saved(-0.015), "−1.5"),
        (wording.saved(Interval(value=0.2, low=-0.1, high=0.3)), "20.0\n(−10.0 to 30.0)"),
    ],
)
def test_numbers_in_words(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("saving", "expected"),
    [
        ((0.231, 0.2, 0.262), "23.1 % fewer bytes (95 % interval 20.0 to 26.2 %)"),
        ((-0.034, -0.039, -0.029), "3.4 % more bytes (95 % interval 2.9 to 3.9 %)"),
    ],
)
def test_a_saving_is_turned_round_where_it_is_none(
    saving: tuple[float, float, float], expected: str
) -> None:
    value, low, high = saving
    assert wording.amount(Interval(value=value, low=low, high=high)) == expected


@pytest.mark.parametrize(
    ("differences", "beginning"),
    [
        ((0.01, 0.012, 0.011), "a is 1.10 points above b (95 % interval +"),
        ((-0.01, -0.012, -0.011), "a is 1.10 points below b (95 % interval −"),
        ((0.01, -0.01, 0.001), "a and b cannot be told apart (+0.03 points; 95 % interval −"),
        ((0.01,), "a is 1.00 points above b (1 common seed, so no interval)"),
        ((0.0, 0.0), "a equals b (2 common seeds with equal differences, so no interval)"),
    ],
)
def test_a_gain_is_claimed_as_far_as_its_interval_goes(
    differences: tuple[float, ...], beginning: str
) -> None:
    gain = gain_of(*differences)
    assert wording.finding(gain).startswith(beginning)
    bare = wording.claim(gain) == wording.finding(gain).split(" (")[0]
    assert bare == (gain.interval is not None)


def test_small_p_values_are_bounds() -> None:
    assert wording.p_value(gain_of(0.01, 0.010001, 0.010002)) == "< 0.001"
    assert wording.p_value(gain_of(0.01)) == "n/a"
