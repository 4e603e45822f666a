"""Figures of training on JPEG files: accuracy by epoch and time, and by what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from bandwise.report.drawing import (
    INK,
    MUTED,
    PAPER,
    house_style,
    legend_above,
    new_figure,
)
from bandwise.report.rate_accuracy.codecs import Look, family_looks
from bandwise.report.straight.records import COEFFICIENTS, PIXELS, Run, Setting
from bandwise.report.straight.summary import Selection, StraightSummary

Value = Callable[[Run], Iterable[float]]


def training_curves(summary: StraightSummary, network: str) -> Figure:
    """Validation accuracy of twins by epoch and by time, the later epochs once more enlarged."""
    with house_style():
        figure = new_figure(6.6)
        grid = figure.subplots(2, 2, sharex="col", sharey="row")
        late: list[float] = []
        epochs = 0
        for name, look in family_looks((COEFFICIENTS, PIXELS)).items():
            runs = list(summary.runs[Setting(network, name)].values())
            curves = _by_epoch(runs, lambda run: run.validation_curve)
            times = _by_epoch(runs, summary.elapsed_seconds)
            epochs = max(epochs, len(curves))
            late += [100 * value for values in curves[len(curves) // 3 :] for value in values]
            for by_epoch, by_time in grid:
                _draw_spread(by_epoch, range(1, len(curves) + 1), curves, look)
                _draw_spread(by_time, [fmean(values) / 60 for values in times], curves, look)
        margin = max(0.06 * (max(late) - min(late)), 0.05)
        grid[1, 0].set_ylim(min(late) - margin, max(late) + margin)
        for axes in grid[:, 0]:
            _mark_full_size(axes, summary.small_epochs(epochs), epochs)
            axes.set_ylabel("validation accuracy (%)")
        grid[0, 0].set_title("By epoch")
        grid[0, 1].set_title("By time")
        grid[1, 0].set(title="The same, later epochs enlarged", xlabel="epoch")
        grid[1, 0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        grid[1, 1].set_xlabel("training time (minutes)")
        legend_above(figure, grid[0, 0])
        return figure


def kept_accuracy(summary: StraightSummary, selection: Selection) -> Figure:
    """Test accuracy against frequencies kept and against bytes: a line a rule, all as reference."""
    with house_style():
        figure = new_figure(4.4)
        by_count, by_bytes = figure.subplots(1, 2, sharey=True)
        looks = family_looks(selection.rules)
        for order, (rule, look) in enumerate(looks.items()):
            settings = [selection.setting(kept, rule) for kept in selection.counts]
            shown = [setting for setting in settings if setting in summary.runs]
            shift = 1.035 ** (order - (len(looks) - 1) / 2)
            counts = [shift * (setting.kept or 0) for setting in shown]
            _draw_marks(by_count, counts, summary, shown, look)
            sizes = [summary.file_bytes(setting) for setting in shown]
            _draw_marks(by_bytes, sizes, summary, shown, look)
        counts = [*selection.counts]
        if selection.whole in summary.runs:
            counts.append(summary.frequencies)
            look = Look(
                label=f"all {summary.frequencies}", colour=INK, line=(0, (1, 1.2)), marker="X"
            )
            for axes, place in (
                (by_count, float(summary.frequencies)),
                (by_bytes, summary.file_bytes(selection.whole)),
            ):
                level = 100 * summary.accuracy(selection.whole).mean
                axes.axhline(level, color=INK, lw=0.9, ls=look.line)
                _draw_marks(axes, [place], summary, [selection.whole], look)
        by_count.set_xscale("log")
        by_count.xaxis.set_major_locator(FixedLocator(counts))
        by_count.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        by_count.xaxis.set_minor_locator(NullLocator())
        by_count.set(xlabel="frequencies kept (log scale)", ylabel="test accuracy (%)")
        by_bytes.set(xlabel="bytes a test file with the others zero")
        by_bytes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        legend_above(figure, by_count)
        return figure


def _mark_full_size(axes: Axes, small: int, epochs: int) -> None:
    """Say where the epochs on smaller images end, if any."""
    if 0 < small < epochs:
        axes.axvline(small + 0.5, color=MUTED, lw=0.9, ls=(0, (2, 2)))
        axes.annotate(
            "full size",
            (small + 0.5, 0),
            xycoords=("data", "axes fraction"),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
        )


def _by_epoch(runs: Iterable[Run], value: Value) -> list[tuple[float, ...]]:
    """Values of all seeds, for every epoch."""
    return list(zip(*(value(run) for run in runs), strict=False))


def _draw_spread(
    axes: Axes, places: Iterable[float], curves: list[tuple[float, ...]], look: Look
) -> None:
    places = list(places)
    axes.plot(places, [100 * fmean(values) for values in curves], **look.of_line())
    lows, highs = [100 * min(values) for values in curves], [100 * max(values) for values in curves]
    axes.fill_between(places, lows, highs, color=look.colour, alpha=0.16, lw=0)


def _draw_marks(
    axes: Axes,
    places: list[float],
    summary: StraightSummary,
    settings: list[Setting],
    look: Look,
) -> None:
    """Means with their 95 % intervals, joined, and every seed as a dot."""
    spreads = [summary.accuracy(setting) for setting in settings]
    means = [100 * spread.mean for spread in spreads]
    axes.plot(places, means, **look.of_line(), marker=look.marker, ms=6, mec=PAPER, mew=0.6)
    for place, setting, spread in zip(places, settings, spreads, strict=True):
        if spread.interval is not None:
            low, high = spread.interval
            axes.vlines(place, 100 * low, 100 * high, color=look.colour, lw=1.1)
        seeds = [100 * run.test_accuracy for run in summary.runs[setting].values()]
        axes.plot([place] * len(seeds), seeds, "_", color=look.colour, ms=5, mew=1)
