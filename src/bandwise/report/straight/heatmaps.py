"""Maps of the frequencies that are kept: one for each rule and number."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bandwise.coefficients import COMPONENTS
from bandwise.measures import quantity
from bandwise.report.drawing import GRID, house_style, new_figure
from bandwise.report.straight.records import Runs
from bandwise.report.straight.summary import Selection, StraightSummary
from bandwise.tables import BLOCK

GAP = 1
"""Cells between the components."""

_LIGHTEST, _DARKEST = 0.05, 0.85
"""Ends of the colours: lightness alone tells them apart, in print and for every eye. Neither end is
lost in the page of either theme."""


def kept_frequencies(summary: StraightSummary, selection: Selection) -> Figure:
    """How many seeds keep each frequency: a row a number, a column a rule."""
    names = COMPONENTS[summary.records.channels]
    seeds = max(len(runs) for runs in summary.runs.values())
    colours = ListedColormap(
        matplotlib.colormaps["Blues"](np.linspace(_LIGHTEST, _DARKEST, seeds + 1))
    )
    norm = BoundaryNorm(np.arange(seeds + 2) - 0.5, seeds + 1)
    with house_style():
        figure = new_figure(0.9 + (1.3 if len(names) == 3 else 2.4) * len(selection.counts))
        figure.set_layout_engine("constrained", wspace=0.12)
        grid = figure.subplots(len(selection.counts), len(selection.rules), squeeze=False)
        for panels, kept in zip(grid, selection.counts, strict=True):
            for axes, rule in zip(panels, selection.rules, strict=True):
                axes.set_title(f"{kept} by {rule}")
                runs = summary.runs.get(selection.setting(kept, rule))
                if runs is None:
                    axes.set_axis_off()
                    continue
                if len(runs) < seeds:
                    axes.set_title(f"{kept} by {rule}, {quantity(len(runs), 'seed')}")
                _draw(axes, [times_kept(runs, name) for name in names], colours, norm)
                centres = [(BLOCK + GAP) * n + (BLOCK - 1) / 2 for n in range(len(names))]
                axes.set_xticks(centres, names)
        bar = figure.colorbar(
            ScalarMappable(norm, colours),
            ax=grid.ravel().tolist(),
            orientation="horizontal",
            label="seeds that keep the frequency",
            ticks=range(seeds + 1),
            drawedges=True,
            aspect=40,
            shrink=0.5,
        )
        bar.ax.set_xticklabels([f"{count} of {seeds}" for count in range(seeds + 1)])
        bar.ax.tick_params(length=0)
        return figure


def times_kept(runs: Runs, component: str) -> NDArray[np.int64]:
    """(8, 8): how many runs keep each frequency of a component."""
    masks = [run.frequencies.mask(component) for run in runs.values() if run.frequencies]
    total: NDArray[np.int64] = np.sum(masks, axis=0)
    return total


def _draw(
    axes: Axes, planes: list[NDArray[np.int64]], colours: ListedColormap, norm: BoundaryNorm
) -> None:
    for number, plane in enumerate(planes):
        left = (BLOCK + GAP) * number - 0.5
        edges = np.arange(BLOCK + 1)
        axes.pcolormesh(
            left + edges, edges - 0.5, plane, cmap=colours, norm=norm, edgecolors=GRID, lw=0.5
        )
    axes.set(aspect="equal", yticks=[])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
