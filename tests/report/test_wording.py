from __future__ import annotations

import pytest

from bandwise.report import wording
from bandwise.report.summary import Gain, Spread


def gain(
    mean: float, interval: tuple[float, float] | None, p_value: float | None, seeds: int = 3
) -> Gain:
    return Gain(
        variant="adaptive",
        baseline="static",
        seeds=tuple(range(seeds)),
        differences=(mean,) * seeds,
        mean=mean,
        interval=interval,
        p_value=p_value,
    )


def test_percent() -> None:
    assert wording.percent(Spread(0.9679, 0.0008, 3)) == "96.79 ± 0.08 %"
    assert wording.percent(Spread(0.9679, None, 1)) == "96.79 ± n/a %"


@pytest.mark.parametrize(
    ("value", "text"), [(2395, "2,395 s"), (827.4, "827 s"), (12.34, "12.3 s"), (0.256, "0.26 s")]
)
def test_seconds(value: float, text: str) -> None:
    assert wording.seconds(value) == text


def test_claims_say_no_more_than_the_interval() -> None:
    clear = gain(0.0121, (0.009, 0.0152), 0.004)
    assert wording.claim(clear) == "adaptive is 1.21 points above static"
    assert wording.finding(clear) == (
        "adaptive is 1.21 points above static "
        "(95 % interval +0.90 to +1.52, p = 0.004, 3 common seeds)"
    )
    unclear = gain(-0.001, (-0.004, 0.002), 0.4)
    assert wording.claim(unclear) == "adaptive and static cannot be told apart"
    assert "−0.10 points" in wording.finding(unclear)
    alone = gain(-0.001, None, None, seeds=1)
    assert wording.claim(alone) == (
        "adaptive is 0.10 points below static (1 common seed, so no interval)"
    )
    same = gain(0.0, None, None)
    assert wording.claim(same).startswith("adaptive equals static (3 common seeds with equal")


def test_small_p_value() -> None:
    assert "p < 0.001" in wording.evidence(gain(0.01, (0.009, 0.011), 0.0002))


def test_listing() -> None:
    assert wording.listing([1]) == "1"
    assert wording.listing([1, 2]) == "1 and 2"
    assert wording.listing("abc") == "a, b and c"
