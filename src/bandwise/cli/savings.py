"""The closing table of an evaluation: bytes at equal accuracy, and what a profile saves."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bandwise.measures import (
    GUIDED,
    GUIDED_LIBJPEG,
    LEARNED,
    LIBJPEG,
    ORIGINAL,
    Headline,
    Interval,
    OperatingPoint,
    Point,
    Undefined,
    bound_in_words,
    headline,
    operating_point,
    quantity,
    setting_in_words,
)

GUIDED_BASELINES = (LIBJPEG, GUIDED_LIBJPEG, "webp", "avif")


def print_savings(
    console: Console, points: Sequence[Point], *, bound: float, bounds: Sequence[float]
) -> None:
    """Print bytes an image at each bound, codec by codec, and the savings at `bound`."""
    console.print(savings_table(points, bounds))
    for line in savings_lines(points, bound):
        console.print(line, highlight=False, soft_wrap=True)


def savings_table(points: Sequence[Point], bounds: Sequence[float]) -> Table:
    """Bytes an image and accuracy on test, of settings chosen on validation for each bound."""
    table = Table(
        box=None,
        pad_edge=False,
        title="bytes an image (accuracy) on test; settings chosen on validation",
        caption="* loses more than that on test",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("codec")
    for bound in bounds:
        table.add_column(f"≤ {bound_in_words(bound)} lost", justify="right")
    for codec in _codecs(points):
        table.add_row(codec, *(_cell(operating_point(points, codec, bound)) for bound in bounds))
    return table


def savings_lines(points: Sequence[Point], bound: float) -> list[str]:
    """What learned profiles save, alone and chosen by image, against what was measured beside.

    Profiles for all images alike are compared with libjpeg and with the best of all codecs that
    treat images alike.
    """
    measured = _codecs(points)
    ours = [codec for codec in (LEARNED, GUIDED) if codec in measured]
    if not ours:
        return ["no profile was measured, so nothing is compared; give --profile"]
    alike = [codec for codec in measured if codec not in (LEARNED, GUIDED, GUIDED_LIBJPEG)]
    baselines: dict[str, list[str | list[str]]] = {
        LEARNED: [*([LIBJPEG] if LIBJPEG in alike else []), alike],
        GUIDED: [name for name in GUIDED_BASELINES if name in measured],
    }
    results = [
        headline(points, bound, candidate=candidate, baseline=baseline)
        for candidate in ours
        for baseline in baselines[candidate]
        if baseline
    ]
    return list(dict.fromkeys(map(_line, results)))


def _line(result: Headline | Undefined) -> str:
    if isinstance(result, Undefined):
        return f"no saving can be stated: {result.reason}"
    ours, theirs, saving = result.candidate, result.baseline, result.saving
    low, high = sorted((abs(saving.low), abs(saving.high)))
    text = (
        f"{abs(saving.value):.1%} {'fewer' if saving.value >= 0 else 'more'} bytes than "
        f"{_name(theirs)} at ≤ {bound_in_words(result.bound)} lost on validation"
    )
    if saving.low * saving.high > 0:
        text += f" (95 % interval {low:.1%} to {high:.1%})"
    else:
        text += f" (95 % interval of the saving {saving.low:.1%} to {saving.high:.1%})"
    text += (
        f", with {_name(ours)}; on the {quantity(ours.images, 'test image')} "
        f"{_points(ours.drop)} points lost, by {theirs.codec} {_points(theirs.drop)}"
    )
    failing = [side.codec for side in (ours, theirs) if not side.holds]
    return f"{text}: the bound does not hold there for {' and '.join(failing)}" if failing else text


def _cell(chosen: OperatingPoint | Undefined) -> str:
    if isinstance(chosen, Undefined):
        return "–"
    mark = " " if chosen.holds else "*"
    return f"{chosen.mean_bytes.value:,.0f} ({chosen.accuracy.value:.2%}){mark}"


def _points(drop: Interval) -> str:
    return f"{drop.value:.2f} ({drop.low:+.2f} to {drop.high:+.2f})"


def _name(chosen: OperatingPoint) -> str:
    setting = setting_in_words(chosen.family, chosen.label)
    return setting if setting.startswith(chosen.codec) else f"{chosen.codec} {setting}"


def _codecs(points: Sequence[Point]) -> list[str]:
    return [c for c in dict.fromkeys(point.codec for point in points) if c != ORIGINAL]
