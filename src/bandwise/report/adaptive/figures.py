"""Figures of tables for each image: savings, how images spread over rungs and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bandwise.measures import (
    CONTINUOUS,
    GUIDED,
    ONE_TABLE,
    ORACLE,
    RATE,
    SCALE,
    Point,
    bound_in_words,
    part_name,
)
from bandwise.report.adaptive.summary import (
    BOUND,
    COMMON_RANGE,
    EQUAL_DIVERGENCE,
    TARGET,
    AdaptiveSummary,
    Level,
)
from bandwise.report.drawing import (
    INK,
    MUTED,
    PAPER,
    house_style,
    legend_above,
    new_figure,
    plain_log_axis,
)
from bandwise.report.rate_accuracy.codecs import CODECS, Look
from bandwise.report.rate_accuracy.figures import Looks
from bandwise.report.rate_accuracy.records import Floats
from bandwise.report.variants import LineStyle

_FIXED = {
    ONE_TABLE: Look(label="one table", colour="#d55e00", line="dashed", marker="s"),
    SCALE: Look(label="scale", colour="#e69f00", line=(0, (2, 3)), marker="v"),
    RATE: Look(label="rate", colour="#0072b2", line="solid", marker="o"),
    CONTINUOUS: Look(label="continuous rate", colour="#7b3294", line=(0, (5, 1, 1, 1)), marker="<"),
    GUIDED: CODECS[GUIDED],
    ORACLE: Look(label="oracle", colour=INK, line=(0, (1, 1.2)), marker="X"),
}

_CODEBOOKS: tuple[tuple[str, LineStyle, str], ...] = (
    ("#cc79a7", (0, (6, 1.5, 1, 1.5)), "^"),
    ("#009e73", (0, (8, 2)), "D"),
    ("#56b4e9", (0, (4, 1.5)), "P"),
)


def looks_of(summary: AdaptiveSummary) -> dict[str, Look]:
    """Look of each way of choosing that has curves, the same in every figure."""
    looks, order = dict[str, Look](), 0
    for name in (*summary.compared, *summary.bounds):
        if name in _FIXED:
            looks[name] = _FIXED[name]
        else:
            colour, line, marker = _CODEBOOKS[order % len(_CODEBOOKS)]
            looks[name] = Look(label=part_name(name), colour=colour, line=line, marker=marker)
            order += 1
    return looks


def savings(summary: AdaptiveSummary) -> Figure:
    """Saving of every way of choosing against one table: seeds, their mean and its interval."""
    names = [name for name in (*summary.families, *summary.bounds) if name != ONE_TABLE]
    levels: dict[Level, str] = {
        BOUND: f"At ≤ {bound_in_words(BOUND)}",
        COMMON_RANGE: "Over common accuracies",
        EQUAL_DIVERGENCE: "At equal divergence",
    }
    with house_style():
        figure = new_figure(1.2 + 0.32 * len(names))
        panels = figure.subplots(1, len(levels), sharey=True)
        for axes, (level, title) in zip(panels, levels.items(), strict=True):
            axes.axvline(0, color=INK, lw=0.9)
            axes.axvline(100 * TARGET, color=MUTED, lw=0.9, ls=(0, (2, 2)))
            for place, name in enumerate(names):
                _draw_saving(axes, place, summary, name, level)
            axes.set(title=title, xlabel="fewer bytes (%)", xlim=_reach(summary, names, level))
            axes.annotate(
                "target",
                (100 * TARGET, 0),
                xycoords=("data", "axes fraction"),
                xytext=(3, 3),
                textcoords="offset points",
                fontsize=8,
            )
        panels[0].set_yticks(range(len(names)), [part_name(name) for name in names])
        panels[0].set_ylim(len(names) - 0.4, -0.6)
        return figure


def _reach(summary: AdaptiveSummary, names: Sequence[str], level: Level) -> tuple[float, float]:
    """Ends of the axis, in percent: every seed, 0 and the target, but not all of wide intervals."""
    gains = [gain for name in names if (gain := summary.gain(name, level))]
    shown = [0.0, TARGET, *(saving for gain in gains for saving in gain.differences)]
    margin = 0.15 * (max(shown) - min(shown))
    return 100 * (min(shown) - margin), 100 * (max(shown) + margin)


def _draw_saving(axes: Axes, place: int, summary: AdaptiveSummary, name: str, level: Level) -> None:
    gain = summary.gain(name, level)
    if gain is None:
        return
    colour = MUTED if name in summary.bounds else "#0072b2"
    if gain.interval is not None:
        low, high = gain.interval
        axes.hlines(place, 100 * low, 100 * high, color=colour, lw=1.1)
    seeds = [100 * saving for saving in gain.differences]
    axes.plot(seeds, [place] * len(seeds), "|", color=colour, ms=8, mew=1)
    axes.plot(100 * gain.mean, place, "o", color=colour, ms=6, mec=PAPER, mew=0.6)


def rungs(summary: AdaptiveSummary, labels: Sequence[str]) -> Figure:
    """Share of the test images at each rung: a panel a price of a bit, a bar a policy."""
    looks = {name: looks_of(summary)[name] for name in summary.candidates}
    with house_style():
        figure = new_figure(3.4)
        panels = figure.subplots(1, len(labels), sharey=True, squeeze=False)[0]
        for axes, label in zip(panels, labels, strict=True):
            for order, (family, look) in enumerate(looks.items()):
                shares = rung_shares(summary, family, label)
                width = 0.8 / len(looks)
                places = np.arange(1, len(shares) + 1) + (order - (len(looks) - 1) / 2) * width
                axes.bar(places, 100 * shares, width, color=look.colour, label=look.label)
            axes.set(title=f"Price {label}", xlabel="rung, from large to small files")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
            axes.grid(visible=False, axis="x")
        panels[0].set_ylabel("test images (%)")
        legend_above(figure, panels[0])
        return figure


def rung_shares(summary: AdaptiveSummary, family: str, label: str) -> Floats:
    """(R,): share of the test images that a policy gives each rung, mean over seeds.

    What lies between two rungs counts as the nearer one.
    """
    book = summary.codebook(family)
    assert book is not None
    found = (summary.decided(family, label, seed) for seed in summary.seeds)
    counts = [
        np.bincount(np.rint(each.rungs).astype(np.int64), minlength=len(book.ladders[0]))
        / len(each.rungs)
        for each in found
        if each is not None
    ]
    shares: Floats = np.mean(counts, axis=0)
    return shares


def sizes(points: Mapping[str, Point], looks: Looks) -> Figure:
    """Share of the test images whose files have at most so many bytes, and the means."""
    with house_style():
        figure = new_figure(3.9)
        axes = figure.subplots()
        for name, point in points.items():
            look, image_bytes = looks[name], ordered_bytes(point)
            shares = 100 * np.arange(1, len(image_bytes) + 1) / len(image_bytes)
            axes.step(image_bytes, shares, where="post", **look.of_line())
            mean = float(image_bytes.mean())
            level = 100 * float((image_bytes <= mean).mean())
            axes.plot(mean, level, look.marker, color=look.colour, ms=7, mec=PAPER, mew=0.6)
        axes.set_xscale("log")
        plain_log_axis(axes.xaxis)
        axes.set(xlabel="bytes of an image's file (log scale)", ylabel="test images (%)")
        legend_above(figure, axes)
        return figure


def ordered_bytes(point: Point) -> NDArray[np.int64]:
    """(N,) sizes of the files of a point, from the smallest."""
    assert point.image_bytes is not None
    return np.sort(point.image_bytes)
