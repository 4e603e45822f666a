"""Figures of rates: accuracy and divergence against bytes, estimated against real bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from bandwise.measures import LEARNED, LIBJPEG, quantity
from bandwise.report.drawing import (
    INK,
    MUTED,
    PAPER,
    house_style,
    legend_above,
    new_figure,
    plain_log_axis,
)
from bandwise.report.rate_accuracy.codecs import Look
from bandwise.report.rate_accuracy.curves import Chart, Curve, Mark
from bandwise.report.rate_accuracy.records import Floats, Point
from bandwise.report.rate_accuracy.summary import BOUNDS

ENLARGED_POINTS = 6.0
"""How far below the originals the enlarged panel reaches, percentage points."""

MAX_BANDS = 3
"""With more curves than this, shaded intervals would hide each other."""

TOLERANCE_PERCENT = 5.0
"""How close to real bytes an estimate is meant to be."""

Looks = Mapping[str, Look]


def accuracy_curves(chart: Chart, looks: Looks) -> Figure:
    """Accuracy against bytes an image: everything, and what lies near the originals enlarged."""
    with house_style():
        figure = new_figure(9.4 if chart.original is not None else 5.2)
        if chart.original is None:
            whole = figure.subplots()
            _draw_accuracy(whole, chart, looks)
            legend_above(figure, whole)
            return figure
        whole, enlarged = figure.subplots(2, 1, height_ratios=[1, 1])
        for axes in (whole, enlarged):
            _draw_accuracy(axes, chart, looks)
        whole.set_title(f"{chart.split.capitalize()} accuracy of every setting")
        enlarged.set_title("The same, near the originals")
        _enlarge(enlarged, chart, 100 * chart.original)
        legend_above(figure, whole)
        return figure


def banded(chart: Chart) -> list[str]:
    """Curves drawn with their interval: of many, only the two that are compared."""
    names = [curve.name for curve in chart.curves]
    return names if len(names) <= MAX_BANDS else [n for n in names if n in (LEARNED, LIBJPEG)]


def divergence_curves(chart: Chart, looks: Looks) -> Figure:
    """Divergence of the network's output against bytes an image, both logarithmic."""
    with house_style():
        figure = new_figure(4.9)
        axes = figure.subplots()
        for curve in chart.curves:
            kept = curve.divergences
            if not kept:
                continue
            look = looks[curve.name]
            axes.plot(
                [mark.mean_bytes for mark in kept],
                [mark.divergence or 0 for mark in kept],
                **look.of_line(),
                marker=look.marker,
                ms=5,
                mec=PAPER,
                mew=0.6,
            )
        axes.set_yscale("log")
        plain_log_axis(axes.yaxis)
        axes.set_ylabel("mean KL divergence (nats an image)")
        _bytes_axis(axes, chart)
        legend_above(figure, axes)
        return figure


def estimates(points: Sequence[Point], looks: Looks) -> Figure:
    """Deviation of estimated from real payload bytes, against real payload bytes an image."""
    with house_style():
        figure = new_figure(3.9)
        axes = figure.subplots()
        axes.axhspan(-TOLERANCE_PERCENT, TOLERANCE_PERCENT, color=MUTED, alpha=0.14, lw=0)
        axes.axhline(0, color=INK, lw=0.9)
        deviations = []
        for family, look in looks.items():
            shown = [point for point in points if point.family == family]
            values = [100 * estimate_deviation(point) for point in shown]
            axes.plot(
                [(point.payload_bytes or 0) / point.images for point in shown],
                values,
                look.marker,
                color=look.colour,
                ms=6,
                mec=PAPER,
                mew=0.6,
                label=look.label,
            )
            deviations += values
        reach = 1.15 * max(TOLERANCE_PERCENT * 1.3, *map(abs, deviations))
        axes.set_ylim(-reach, reach)
        axes.set_xscale("log")
        plain_log_axis(axes.xaxis)
        axes.set_xlabel("real entropy-coded payload (bytes an image, log scale)")
        axes.set_ylabel("estimate − real (% of real)")
        axes.annotate(
            f"±{TOLERANCE_PERCENT:g} %",
            (1, TOLERANCE_PERCENT),
            xycoords=("axes fraction", "data"),
            xytext=(-4, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8,
        )
        legend_above(figure, axes)
        return figure


def estimate_deviation(point: Point) -> float:
    """Estimated payload bytes relative to real ones, minus 1; both must be there."""
    assert point.estimated_payload_bytes is not None
    assert point.payload_bytes is not None
    return point.estimated_payload_bytes / point.payload_bytes - 1


def _draw_accuracy(axes: Axes, chart: Chart, looks: Looks) -> None:
    for curve in reversed(chart.curves):
        look = looks[curve.name]
        if curve.name in banded(chart):
            _draw_band(axes, curve, look)
        beaten = [mark for mark in curve.marks if mark not in curve.envelope]
        axes.plot(*_xy(beaten), look.marker, color=look.colour, ms=3.2, mec="none", alpha=0.45)
    for curve in chart.curves:
        look = looks[curve.name]
        axes.plot(
            *_xy(curve.envelope),
            **look.of_line(),
            marker=look.marker,
            ms=5,
            mec=PAPER,
            mew=0.6,
        )
    if chart.original is not None:
        axes.axhline(100 * chart.original, color=INK, lw=0.9)
        _beside(axes, 100 * chart.original, "originals")
    axes.set_ylabel(f"{chart.split} accuracy (%)")
    _bytes_axis(axes, chart)


def _draw_band(axes: Axes, curve: Curve, look: Look) -> None:
    kept = curve.envelope
    sizes = [mark.mean_bytes for mark in kept]
    lows, highs = [100 * mark.low for mark in kept], [100 * mark.high for mark in kept]
    axes.fill_between(sizes, lows, highs, color=look.colour, alpha=0.13, lw=0)


def _xy(marks: Sequence[Mark]) -> tuple[list[float], list[float]]:
    return [mark.mean_bytes for mark in marks], [100 * mark.accuracy for mark in marks]


def _bytes_axis(axes: Axes, chart: Chart) -> None:
    """Bytes an image below, bits per pixel above, both logarithmic."""
    axes.set_xscale("log")
    plain_log_axis(axes.xaxis)
    axes.set_xlabel("bytes an image, headers and tables included (log scale)")
    mark = chart.curves[0].marks[0]
    bits = mark.bits_per_pixel / mark.mean_bytes

    def to_bits(size: ArrayLike) -> Floats:
        return bits * np.asarray(size, np.float64)

    def to_bytes(rate: ArrayLike) -> Floats:
        return np.asarray(rate, np.float64) / bits

    above = axes.secondary_xaxis("top", functions=(to_bits, to_bytes))
    plain_log_axis(above.xaxis)
    above.set_xlabel("bits per source pixel", fontsize=8)


def _enlarge(axes: Axes, chart: Chart, original: float) -> None:
    """Show what lies within a few points of the originals, with the bounds drawn."""
    near = [
        mark
        for curve in chart.curves
        for mark in curve.marks
        if original - 100 * mark.accuracy <= ENLARGED_POINTS
    ]
    top = max([original, *(100 * mark.accuracy for mark in near)])
    axes.set_ylim(original - ENLARGED_POINTS, top + 0.12 * ENLARGED_POINTS)
    if near:
        sizes = np.array([mark.mean_bytes for mark in near])
        axes.set_xlim(sizes.min() / 1.12, sizes.max() * 1.12)
    for bound in BOUNDS[1:]:
        axes.axhline(original - bound, color=MUTED, lw=0.9, ls=(0, (2, 2)))
        _beside(axes, original - bound, f"−{quantity(bound, 'point')}")


def _beside(axes: Axes, height: float, text: str) -> None:
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
    )
