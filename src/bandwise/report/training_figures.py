"""Figures of training from JPEG: accuracy by epoch and time, by what is kept, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from bandwise.frequency.coefficients import COMPONENTS
from bandwise.frequency.tables import BLOCK
from bandwise.report.charts import (
    DOTTED,
    Colours,
    draw_curve,
    draw_marks,
    enlarge,
    epoch_axis,
    no_frame,
    panels,
)
from bandwise.report.style import GRID, INK, MUTED, Look, legend_above, looks_of
from bandwise.report.training_study import Selection, Study
from bandwise.results import Trained, TrainedSetting
from bandwise.wording import quantity

GAP = 1
"""Cells between the components."""


def training_curves(study: Study, network: str) -> Figure:
    """Validation accuracy of twins by epoch and by time, the later epochs once more enlarged."""
    with panels(6.6, 2, 2, sharex="col", sharey="row") as (figure, grid):
        late: list[float] = []
        epochs = 0
        for reads, look in looks_of(("coefficients", "pixels")).items():
            runs = list(study.runs[TrainedSetting(network, reads)].values())
            values = list(zip(*(run.validation_curve for run in runs), strict=False))
            times = zip(*(study.elapsed_seconds(run) for run in runs), strict=False)
            minutes = [fmean(time) / 60 for time in times]
            epochs = max(epochs, len(values))
            late += [100 * value for each in values[len(values) // 3 :] for value in each]
            for by_epoch, by_time in grid:
                draw_curve(by_epoch, list(enumerate(values, start=1)), look, scale=100)
                draw_curve(by_time, list(zip(minutes, values, strict=True)), look, scale=100)
        enlarge(grid[1, 0], late)
        small = study.small_epochs(epochs)
        for axes in grid[:, 0]:
            axes.set_ylabel("validation accuracy (%)")
            if 0 < small < epochs:
                axes.axvline(small + 0.5, color=MUTED, lw=0.9, ls=DOTTED)
                axes.annotate(
                    "full size",
                    (small + 0.5, 0),
                    xycoords=("data", "axes fraction"),
                    xytext=(4, 4),
                    textcoords="offset points",
                    fontsize=8,
                )
        grid[0, 0].set_title("By epoch")
        grid[0, 1].set_title("By time")
        grid[1, 0].set_title("The same, later epochs enlarged")
        epoch_axis(grid[1, 0])
        grid[1, 1].set_xlabel("training time (minutes)")
        legend_above(figure, grid[0, 0])
        return figure


def kept_accuracy(study: Study, selection: Selection) -> Figure:
    """Test accuracy against frequencies kept and against bytes: a line a rule, all as reference."""
    with panels(4.4, 1, 2, sharey=True) as (figure, grid):
        by_count, by_bytes = grid[0]
        looks = looks_of(selection.rules)
        for order, (rule, look) in enumerate(looks.items()):
            settings = [selection.setting(kept, rule) for kept in selection.counts]
            shown = [setting for setting in settings if setting in study.runs]
            # Rules are moved apart a little, so that their whiskers can be seen.
            shift = 1.035 ** (order - (len(looks) - 1) / 2)
            counts = [shift * (setting.kept or 0) for setting in shown]
            _draw_settings(by_count, counts, study, shown, look)
            _draw_settings(by_bytes, [*map(study.file_bytes, shown)], study, shown, look)
        ticks = [*selection.counts]
        if (whole := selection.whole) in study.runs:
            ticks.append(study.frequencies)
            look = Look(f"all {study.frequencies}", INK, (0, (1, 1.2)), "X")
            places = study.frequencies, study.file_bytes(whole)
            for axes, place in zip((by_count, by_bytes), places, strict=True):
                axes.axhline(100 * study.accuracy(whole).mean, color=INK, lw=0.9, ls=look.line)
                _draw_settings(axes, [place], study, [whole], look)
        by_count.set_xscale("log")
        by_count.xaxis.set_major_locator(FixedLocator(ticks))
        by_count.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        by_count.xaxis.set_minor_locator(NullLocator())
        by_count.set(xlabel="frequencies kept (log scale)", ylabel="test accuracy (%)")
        by_bytes.set(xlabel="bytes a test file with the others zero")
        by_bytes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        legend_above(figure, by_count)
        return figure


def _draw_settings(
    axes: Axes,
    places: Sequence[float],
    study: Study,
    settings: Sequence[TrainedSetting],
    look: Look,
) -> None:
    """Means with their 95 % intervals, joined, and every seed as a dash."""
    spreads = [study.accuracy(setting) for setting in settings]
    draw_marks(axes, places, [100 * spread.mean for spread in spreads], look, ms=6)
    for place, setting, spread in zip(places, settings, spreads, strict=True):
        if spread.interval is not None:
            low, high = spread.interval
            axes.vlines(place, 100 * low, 100 * high, color=look.colour, lw=1.1)
        seeds = [100 * run.test_accuracy for run in study.runs[setting].values()]
        axes.plot([place] * len(seeds), seeds, "_", color=look.colour, ms=5, mew=1)


def kept_frequencies(study: Study, selection: Selection) -> Figure:
    """How many seeds keep each frequency: a row a number, a column a rule."""
    names = COMPONENTS[study.channels]
    seeds = max(len(runs) for runs in study.runs.values())
    # Lightness alone tells them apart, and neither end is lost in the page of either theme.
    steps = matplotlib.colormaps["Blues"](np.linspace(0.05, 0.85, seeds + 1))
    colours = Colours(
        colormap=ListedColormap(steps),
        norm=BoundaryNorm(np.arange(seeds + 2) - 0.5, seeds + 1),
        label="seeds that keep the frequency",
        ticks=range(seeds + 1),
        tick_labels=[f"{count} of {seeds}" for count in range(seeds + 1)],
    )
    height = 0.9 + (1.3 if len(names) == 3 else 2.4) * len(selection.counts)
    with panels(height, len(selection.counts), len(selection.rules)) as (figure, grid):
        for row, kept in zip(grid, selection.counts, strict=True):
            for axes, rule in zip(row, selection.rules, strict=True):
                runs = list(study.runs.get(selection.setting(kept, rule), {}).values())
                fewer = f", {quantity(len(runs), 'seed')}" if 0 < len(runs) < seeds else ""
                axes.set_title(f"{kept} by {rule}{fewer}")
                if runs:
                    _draw_components(axes, [times_kept(runs, n) for n in names], names, colours)
                else:
                    axes.set_axis_off()
        bar = colours.draw_scale(figure, grid.flat, drawedges=True, aspect=40, shrink=0.5)
        bar.tick_params(length=0)
        return figure


def times_kept(runs: Sequence[Trained], component: str) -> NDArray[np.int64]:
    """(8, 8): how many runs keep each frequency of a component."""
    masks = [run.frequencies.mask(component) for run in runs if run.frequencies]
    total: NDArray[np.int64] = np.sum(masks, axis=0)
    return total


def _draw_components(
    axes: Axes, planes: Sequence[NDArray[np.int64]], names: Sequence[str], colours: Colours
) -> None:
    """Planes of the components beside each other, each with its name below."""
    edges = np.arange(BLOCK + 1)
    for number, plane in enumerate(planes):
        axes.pcolormesh(
            (BLOCK + GAP) * number - 0.5 + edges,
            edges - 0.5,
            plane,
            cmap=colours.colormap,
            norm=colours.norm,
            edgecolors=GRID,
            lw=0.5,
        )
    centres = [(BLOCK + GAP) * number + (BLOCK - 1) / 2 for number in range(len(names))]
    axes.set_xticks(centres, names)
    axes.set(aspect="equal", yticks=[])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    no_frame(axes)
