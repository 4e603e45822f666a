"""Figures of training and its outcome: curves, gains, classes, band weights over the epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bandwise.report.drawing import (
    INK,
    MUTED,
    PAPER,
    band_colours,
    house_style,
    legend_above,
    line_style,
    new_figure,
    plain_log_axis,
    short_name,
)
from bandwise.report.records import Epoch
from bandwise.report.summary import Gain, Summary
from bandwise.report.variants import VARIANTS

MAX_BAND_LABELS = 12
"""With more bands than this, lines are told apart by a few labels only."""

MAX_CLASSES = 30
"""With more classes than this, the figure shows those with the lowest accuracy."""

_BAND_LINES = ("solid", "dashed", (0, (6, 1.5, 1, 1.5)), (0, (1, 1.2)))

Value = Callable[[Epoch], float | None]


def losses(summary: Summary) -> Figure:
    """Joint and task loss by epoch, in training and validation."""
    with house_style():
        figure = new_figure(6.2)
        grid = figure.subplots(2, 2, sharex=True)
        panels: tuple[tuple[Axes, str, Value], ...] = (
            (grid[0, 0], "Joint loss, training", lambda epoch: epoch.train_loss),
            (grid[0, 1], "Joint loss, validation", lambda epoch: epoch.validation_loss),
            (grid[1, 0], "Cross-entropy, training", lambda epoch: epoch.train_task_loss),
            (grid[1, 1], "Cross-entropy, validation", lambda epoch: epoch.validation_task_loss),
        )
        for axes, title, value in panels:
            for variant in summary.started:
                _draw_spread(axes, by_epoch(summary, variant, value), variant)
            axes.set(title=title, ylabel="nats an image")
            _log_where_wide(axes)
        for axes in grid[1]:
            epoch_axis(axes)
        legend_above(figure, grid[0, 0])
        return figure


def accuracies(summary: Summary) -> Figure:
    """Test accuracy by epoch: all of it, and the range of the later epochs enlarged."""
    with house_style():
        figure = new_figure(4.1)
        whole, enlarged = figure.subplots(1, 2)
        late: list[float] = []
        histories = summary.records.histories.values()
        last_epoch = max(epoch.number for history in histories for epoch in history)
        for variant in summary.started:
            curve = by_epoch(summary, variant, _test_percent)
            _draw_spread(whole, curve, variant)
            if VARIANTS[variant].comparable:
                _draw_spread(enlarged, curve, variant)
                late += [x for epoch, xs in curve for x in xs if epoch > last_epoch / 3]
        whole.set(title="Test accuracy", ylabel="test accuracy (%)")
        enlarged.set(title="The same, later epochs enlarged", ylabel="test accuracy (%)")
        if late:
            margin = max(0.06 * (max(late) - min(late)), 0.05)
            enlarged.set_ylim(min(late) - margin, max(late) + margin)
        for axes in (whole, enlarged):
            epoch_axis(axes)
        legend_above(figure, whole)
        return figure


def gains(entries: Sequence[Gain], *, reference: float | None) -> Figure:
    """Gain of each variant over one baseline: every seed, the mean and its interval.

    ``reference`` is the paper's gain of adaptive, a fraction, drawn as a line.
    """
    with house_style():
        figure = new_figure(1.2 + 0.5 * len(entries))
        axes = figure.subplots()
        for row, gain in enumerate(entries):
            look = VARIANTS[gain.variant]
            seeds = [100 * difference for difference in gain.differences]
            axes.plot(seeds, [row + 0.2] * len(seeds), "|", color=look.colour, ms=9, mew=1.6)
            if gain.interval is not None:
                low, high = gain.interval
                axes.hlines(row, 100 * low, 100 * high, color=look.colour, lw=2)
            axes.plot(100 * gain.mean, row, look.marker, color=look.colour, ms=8, mec=PAPER)
            axes.annotate(
                f"{100 * gain.mean:+.2f}".replace("-", "−"),
                (100 * gain.mean, row),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
            )
        axes.axvline(0, color=INK, lw=1)
        if reference is not None:
            axes.axvline(100 * reference, color=MUTED, lw=1.2, ls=(0, (2, 2)))
            axes.annotate(
                f" paper, adaptive: {100 * reference:+.2f}",
                (100 * reference, 1),
                xycoords=("data", "axes fraction"),
                va="bottom",
                ha="center",
                fontsize=8,
            )
        axes.set_yticks(range(len(entries)), [VARIANTS[gain.variant].label for gain in entries])
        axes.set_ylim(len(entries) - 0.5, -0.7)
        axes.set_xlabel(f"test accuracy minus that of {entries[0].baseline} (percentage points)")
        axes.grid(visible=False, axis="y")
        return figure


def class_accuracies(summary: Summary) -> Figure:
    """Test accuracy of each class: mean over seeds, one row a class."""
    shown = [item for item in summary.variants.values() if VARIANTS[item.variant].comparable]
    names = summary.records.experiment.dataset.classes
    classes = list(range(len(names)))
    if len(classes) > MAX_CLASSES:
        mean_accuracy = [fmean(item.per_class[index].mean for item in shown) for index in classes]
        classes = sorted(sorted(classes, key=mean_accuracy.__getitem__)[:MAX_CLASSES])
    with house_style():
        figure = new_figure(1.1 + max(0.3, 0.085 * len(shown)) * len(classes))
        axes = figure.subplots()
        for order, item in enumerate(shown):
            look = VARIANTS[item.variant]
            offset = 0.7 * ((order + 0.5) / len(shown) - 0.5)
            rows = [row + offset for row in range(len(classes))]
            spreads = [item.per_class[index] for index in classes]
            values = [100 * spread.mean for spread in spreads]
            deviations = [100 * (spread.std or 0) for spread in spreads]
            axes.errorbar(
                values,
                rows,
                xerr=deviations,
                fmt=look.marker,
                color=look.colour,
                ms=5,
                mec=PAPER,
                mew=0.5,
                elinewidth=1,
                label=look.label,
            )
        for row in range(1, len(classes), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=MUTED, alpha=0.1, lw=0)
        axes.set_yticks(range(len(classes)), [short_name(names[index]) for index in classes])
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set(xlabel="test accuracy (%)", ylabel="class")
        axes.grid(visible=False, axis="y")
        legend_above(figure, axes)
        return figure


def weight_history(summary: Summary, variant: str) -> Figure:
    """Band weights of one variant by epoch: a line a band, labelled at its end."""
    count = summary.records.experiment.bands.count
    with house_style():
        figure = new_figure(4.4)
        axes = figure.subplots()
        ends: list[tuple[int, float, str]] = []
        for band, colour in enumerate(band_colours(count)):
            curve = by_epoch(summary, variant, _weight_of(band))
            epochs, means = [e for e, _ in curve], [fmean(values) for _, values in curve]
            axes.plot(epochs, means, color=colour, ls=_BAND_LINES[band % len(_BAND_LINES)])
            draw_range(axes, curve, colour)
            ends.append((band, means[-1], colour))
        axes.axhline(_uniform_weight(summary, variant), color=MUTED, lw=0.9)
        axes.set_ylabel("band weight w (no unit)")
        epoch_axis(axes)
        _label_ends(axes, ends if count <= MAX_BAND_LABELS else [ends[0], ends[-1]], count)
        return figure


def weight_histories(summary: Summary, variants: Sequence[str]) -> Figure:
    """Band weights of several variants by epoch, each divided by the variant's mean weight."""
    count = summary.records.experiment.bands.count
    columns = min(3, len(variants))
    rows = -(-len(variants) // columns)
    with house_style():
        figure = new_figure(0.7 + 2.5 * rows)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for axes, variant in zip(panels, variants, strict=False):
            uniform = _uniform_weight(summary, variant)
            for band, colour in enumerate(band_colours(count)):
                curve = by_epoch(summary, variant, _weight_of(band))
                axes.plot(
                    [epoch for epoch, _ in curve],
                    [fmean(values) / uniform for _, values in curve],
                    color=colour,
                    ls=_BAND_LINES[band % len(_BAND_LINES)],
                    lw=1.4,
                    label=_band_name(band, count),
                )
            axes.axhline(1, color=MUTED, lw=0.9)
            axes.set_title(VARIANTS[variant].label)
            epoch_axis(axes)
            axes.xaxis.set_tick_params(labelbottom=True)
        for axes in panels[len(variants) :]:
            axes.remove()
        for axes in grid[:, 0]:
            axes.set_ylabel("weight ÷ mean weight")
        if count <= MAX_BAND_LABELS:
            legend_above(figure, panels[0])
        return figure


def _test_percent(epoch: Epoch) -> float | None:
    return None if epoch.test_accuracy is None else 100 * epoch.test_accuracy


def _weight_of(band: int) -> Value:
    return lambda epoch: epoch.band_weights[band]


def _uniform_weight(summary: Summary, variant: str) -> float:
    """Mean of the variant's weights, which its normalisation keeps: 1/K or 1."""
    history = next(h for (name, _), h in summary.records.histories.items() if name == variant)
    return fmean(history[-1].band_weights)


def by_epoch(summary: Summary, variant: str, value: Value) -> list[tuple[int, list[float]]]:
    """Values of all seeds that reached an epoch, for every epoch."""
    found: dict[int, list[float]] = {}
    for (name, _), history in summary.records.histories.items():
        for epoch in history:
            if name == variant and (number := value(epoch)) is not None:
                found.setdefault(epoch.number, []).append(number)
    return sorted(found.items())


def _draw_spread(axes: Axes, curve: list[tuple[int, list[float]]], variant: str) -> None:
    epochs, means = [epoch for epoch, _ in curve], [fmean(values) for _, values in curve]
    marker = VARIANTS[variant].marker if len(epochs) == 1 else None
    axes.plot(epochs, means, marker=marker, **line_style(variant))
    draw_range(axes, curve, VARIANTS[variant].colour)


def draw_range(axes: Axes, curve: list[tuple[int, list[float]]], colour: str) -> None:
    """Shade from the lowest to the highest seed of every epoch."""
    epochs = [epoch for epoch, _ in curve]
    lows, highs = [min(values) for _, values in curve], [max(values) for _, values in curve]
    axes.fill_between(epochs, lows, highs, color=colour, alpha=0.16, lw=0)


def epoch_axis(axes: Axes) -> None:
    """Name the horizontal axis and mark whole epochs."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))


def _log_where_wide(axes: Axes) -> None:
    """Make the vertical axis logarithmic where values differ more than fourfold."""
    values = [value for line in axes.get_lines() for value in np.asarray(line.get_ydata())]
    if min(values) <= 0 or max(values) < 4 * min(values):
        return
    axes.set(yscale="log", ylabel=f"{axes.get_ylabel()} (log scale)")
    plain_log_axis(axes.yaxis)


def _band_name(band: int, count: int) -> str:
    extreme = {0: " (lowest)", count - 1: " (highest)"}.get(band, "")
    return f"band {band + 1}{extreme}"


def _label_ends(axes: Axes, ends: Sequence[tuple[int, float, str]], count: int) -> None:
    """Name lines at their right end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    gap = (high - low) * 0.052
    placed = low
    for band, value, colour in sorted(ends, key=lambda end: end[1]):
        placed = max(value, placed + gap)
        axes.annotate(
            f"{_band_name(band, count)}: {value:.3f}",
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(1.03, placed),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkA": 1, "shrinkB": 0},
        )
