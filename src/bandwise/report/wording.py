"""Numbers and comparisons in words, the same way in every output."""

from __future__ import annotations

import math
from collections.abc import Iterable

from bandwise.report.table import ABSENT
from bandwise.statistics import Gain, Headline, Interval, OperatingPoint, Spread
from bandwise.wording import quantity

MISSED = " †"
"""Marks a setting that loses more on test than it may."""


def listing(items: Iterable[object]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``; empty for nothing."""
    *head, last = [str(item) for item in items] or [""]
    return f"{', '.join(head)} and {last}" if head else last


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def signed(value: float, decimals: int = 1) -> str:
    """Number with a minus sign that is as wide as a plus."""
    return f"{value:.{decimals}f}".replace("-", "−")


def points(difference: float) -> str:
    """Signed percentage points of a difference of shares."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def ends(interval: tuple[float, float]) -> str:
    """Return ``+0.90 to +1.52``, in percentage points."""
    return " to ".join(map(points, interval))


def percent(spread: Spread) -> str:
    """Accuracy as ``96.79 ± 0.08 %``; without a deviation where there is one seed."""
    deviation = "" if spread.std is None else f" ± {100 * spread.std:.2f}"
    return f"{100 * spread.mean:.2f}{deviation} %"


def plain(spread: Spread) -> str:
    """Return ``0.125 ± 0.002``, or ``0.125`` for one value."""
    return f"{spread.mean:.3f}" + (f" ± {spread.std:.3f}" if spread.std is not None else "")


def seconds(value: float) -> str:
    """Return ``2,395 s`` or, where it is short, with as many decimals as say something."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{decimals}f} s"


def p_value(gain: Gain) -> str:
    """Return ``0.004``, ``< 0.001`` or ``n/a``."""
    if gain.p_value is None:
        return ABSENT
    return "< 0.001" if gain.p_value < 0.001 else f"{gain.p_value:.3f}"


def gain_in_points(gain: Gain) -> str:
    """Return ``+0.53 (+0.35 to +0.71)``; without an interval where there is none."""
    return points(gain.mean) + ("" if gain.interval is None else f" ({ends(gain.interval)})")


def gain_line(gain: Gain) -> str:
    """State a gain in one line, with its p-value to three digits."""
    text = f"Gain {gain.variant} − {gain.baseline}: {points(gain.mean)} points"
    if gain.interval is None or gain.p_value is None:
        return text
    return f"{text}, 95 % interval {ends(gain.interval)}, p = {gain.p_value:.3g} (paired t)"


def evidence(gain: Gain) -> str:
    """Say how sure a gain is: interval, p-value and number of seeds."""
    count = quantity(len(gain.seeds), "common seed")
    if gain.interval is not None:
        p = p_value(gain) if p_value(gain).startswith("<") else f"= {p_value(gain)}"
        return f"95 % interval {ends(gain.interval)}, p {p}, {count}"
    equal = " with equal differences" if len(gain.seeds) > 1 else ""
    return f"{count}{equal}, so no interval"


def claim(gain: Gain) -> str:
    """Compare; where there is no interval, say so, since then the difference may be chance."""
    return _comparison(gain) if gain.interval is not None else finding(gain)


def finding(gain: Gain) -> str:
    """Compare, with the evidence in a parenthesis."""
    unclear = gain.interval is not None and gain.direction == 0
    amount = f"{points(gain.mean)} points; " if unclear else ""
    return f"{_comparison(gain)} ({amount}{evidence(gain)})"


def _comparison(gain: Gain) -> str:
    if gain.interval is not None and gain.direction == 0:
        return f"{gain.variant} and {gain.baseline} cannot be told apart"
    if gain.mean == 0:
        return f"{gain.variant} equals {gain.baseline}"
    side = "above" if gain.mean > 0 else "below"
    return f"{gain.variant} is {100 * abs(gain.mean):.2f} points {side} {gain.baseline}"


def share(saving: float) -> str:
    """Bytes saved as ``8.3 % fewer`` or ``1.5 % more``."""
    return f"{100 * abs(saving):.1f} % {'fewer' if saving >= 0 else 'more'}"


def amount(saving: Interval) -> str:
    """``23.1 % fewer bytes (95 % interval 20.0 to 26.2 %)``; turned round where it is more."""
    low, high = sorted(math.copysign(1, saving.value) * end for end in (saving.low, saving.high))
    bounds = f"95 % interval {signed(100 * low)} to {signed(100 * high)} %"
    return f"{share(saving.value)} bytes ({bounds})"


def saved(found: Headline | Interval | float) -> str:
    """Bytes saved in percent, without the unit; an interval on a line of its own.

    A saving whose bound does not hold on test is marked.
    """
    if isinstance(found, float):
        return signed(100 * found)
    mark = MISSED if isinstance(found, Headline) and not found.holds else ""
    saving = found.saving if isinstance(found, Headline) else found
    value, low, high = (signed(100 * each) for each in (saving.value, saving.low, saving.high))
    return f"{value}{mark}\n({low} to {high})"


def above_originals(chosen: OperatingPoint) -> str:
    """``−0.54 (−1.61 to +0.27)``: points of accuracy above the originals on test."""
    drop = chosen.drop
    value, low, high = (points((0 - end) / 100) for end in (drop.value, drop.high, drop.low))
    return f"{value} ({low} to {high})"
