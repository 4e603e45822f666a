"""Numbers and comparisons in words, the same way everywhere on the page."""

from __future__ import annotations

from collections.abc import Iterable

from bandwise.measures import quantity
from bandwise.report.summary import Gain, Spread
from bandwise.report.variants import VARIANTS

ABSENT = "n/a"


def percent(spread: Spread) -> str:
    """Accuracy as ``96.79 ± 0.08 %``; the deviation is ``n/a`` for one seed."""
    deviation = ABSENT if spread.std is None else f"{100 * spread.std:.2f}"
    return f"{100 * spread.mean:.2f} ± {deviation} %"


def plain(spread: Spread) -> str:
    """Return ``0.125 ± 0.002``, or ``0.125`` for one value."""
    return f"{spread.mean:.3f}" + (f" ± {spread.std:.3f}" if spread.std is not None else "")


def points(difference: float) -> str:
    """Signed percentage points of a difference of fractions."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def seconds(value: float) -> str:
    """Return ``2,395 s`` or, where it is short, with as many decimals as say something."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{decimals}f} s"


def p_value(gain: Gain) -> str:
    """Return ``0.004``, ``< 0.001`` or ``n/a``."""
    if gain.p_value is None:
        return ABSENT
    return "< 0.001" if gain.p_value < 0.001 else f"{gain.p_value:.3f}"


def interval(gain: Gain) -> str:
    """Return ``+0.90 to +1.52``, or ``n/a``."""
    return ABSENT if gain.interval is None else " to ".join(points(end) for end in gain.interval)


def evidence(gain: Gain) -> str:
    """Say how sure a gain is: interval, p-value and number of seeds."""
    count = quantity(len(gain.seeds), "common seed")
    if gain.interval is not None:
        prefix = "p " if gain.p_value is not None and gain.p_value < 0.001 else "p = "
        return f"95 % interval {interval(gain)}, {prefix}{p_value(gain)}, {count}"
    if len(gain.seeds) > 1:
        return f"{count} with equal differences, so no interval"
    return f"{count}, so no interval"


def comparison(gain: Gain) -> str:
    """Return ``adaptive is 1.21 points above static``, or that the two cannot be told apart."""
    variant, baseline = _label(gain.variant), _label(gain.baseline)
    if gain.interval is not None and gain.direction == 0:
        return f"{variant} and {baseline} cannot be told apart"
    if gain.mean == 0:
        return f"{variant} equals {baseline}"
    side = "above" if gain.mean > 0 else "below"
    return f"{variant} is {100 * abs(gain.mean):.2f} points {side} {baseline}"


def claim(gain: Gain) -> str:
    """Compare; where there is no interval, say so, since then the difference may be chance."""
    return comparison(gain) if gain.interval is not None else finding(gain)


def finding(gain: Gain) -> str:
    """Compare, with the evidence in a parenthesis."""
    unclear = gain.interval is not None and gain.direction == 0
    amount = f"{points(gain.mean)} points; " if unclear else ""
    return f"{comparison(gain)} ({amount}{evidence(gain)})"


def listing(items: Iterable[object]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    *head, last = [str(item) for item in items]
    return f"{', '.join(head)} and {last}" if head else last


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def _label(name: str) -> str:
    return VARIANTS[name].label if name in VARIANTS else name
