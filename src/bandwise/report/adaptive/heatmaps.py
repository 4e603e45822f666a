"""Heat maps of a codebook: a ladder from end to end, and what tells the kinds apart."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from bandwise.measures import quantity
from bandwise.report.adaptive.records import Codebook
from bandwise.report.drawing import house_style, new_figure
from bandwise.report.rate_accuracy.heatmaps import colour_bar, draw_cells, draw_steps
from bandwise.tables import STEP_MAX, STEP_MIN, TableSet

COLUMNS = 4

_REACH = 1.0
"""Ratios from 1/2 to 2, as powers of two, fill the colours."""


def ladder(tables: dict[str, TableSet]) -> Figure:
    """Steps of some rungs of a ladder, named by their titles; luma and, in colour, chroma."""
    sets = list(tables.values())
    planes = [("luma", [each.luma for each in sets])]
    chroma = [each.chroma for each in sets if each.chroma is not None]
    if len(chroma) == len(sets):
        planes.append(("chroma", chroma))
    steps = matplotlib.colormaps["viridis"], LogNorm(STEP_MIN, STEP_MAX)
    with house_style():
        figure = new_figure(0.8 + 3.05 * len(planes))
        grid = figure.subplots(len(planes), len(sets), squeeze=False)
        for panels, (component, row) in zip(grid, planes, strict=True):
            panels[0].set_ylabel("vertical frequency v")
            for axes, table, title in zip(panels, row, tables, strict=True):
                draw_steps(axes, table, *steps)
                axes.set_title(f"{title}, {component}")
        for axes in grid[-1]:
            axes.set_xlabel("horizontal frequency u")
        colour_bar(figure, grid.ravel().tolist(), *steps, "step of the table", [1, 10, 100])
        return figure


def kinds(book: Codebook, one: Codebook, rung: int) -> Figure:
    """Luma steps of each kind ÷ those of the one table, both at the same rung, from 0."""
    ratios = matplotlib.colormaps["PuOr_r"], Normalize(-_REACH, _REACH)
    reference = one.ladders[0][rung].luma.array
    rows = -(-len(book.ladders) // COLUMNS)
    with house_style():
        figure = new_figure(0.9 + 2.2 * rows)
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        for axes in grid.ravel()[len(book.ladders) :]:
            axes.remove()
        shown = grid.ravel()[: len(book.ladders)].tolist()
        for number, (axes, tables, images) in enumerate(
            zip(shown, (each[rung] for each in book.ladders), book.kinds, strict=True), start=1
        ):
            logarithm = np.log2(tables.luma.array / reference)
            draw_cells(axes, logarithm, *ratios, ())
            axes.set_title(f"kind {number}: {quantity(images, 'image')}")
        bar = colour_bar(figure, shown, *ratios, "step of the kind ÷ of one table", [-1, 0, 1])
        bar.set_xticklabels(["1/2", "1", "2"])
        return figure
