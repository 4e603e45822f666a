"""Where the bands of tables end, by the price of a bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bandwise.measures import part_name
from bandwise.report.adaptive.records import Codebook
from bandwise.report.drawing import MUTED, band_colours, house_style, new_figure

Books = Sequence[Codebook]
"""Of one family, a seed each."""


def edges_by_price(families: Mapping[str, Books]) -> Figure:
    """Edges of the bands by the price of a bit: a row a family, a column a component.

    Lines are means over seeds, shades their ranges; dashed are bands of equal width.
    """
    components = list(next(iter(families.values()))[0].rings[0][1])
    with house_style():
        figure = new_figure(0.6 + 2.7 * len(families))
        grid = figure.subplots(
            len(families), len(components), sharex=True, sharey=True, squeeze=False
        )
        for panels, (family, books) in zip(grid, families.items(), strict=True):
            prices = [price for price, _ in books[0].rings]
            for axes, component in zip(panels, components, strict=True):
                rings = [[each[component] for _, each in book.rings] for book in books]
                edges = np.array([[each.edges for each in of_seed] for of_seed in rings])
                exponents = [each.exponent for of_seed in rings for each in of_seed]
                count = edges.shape[2] + 1
                for number, colour in enumerate(band_colours(count)[:-1]):
                    values = edges[:, :, number]
                    axes.axhline((number + 1) / count, color=MUTED, lw=0.8, ls=(0, (2, 2)))
                    axes.plot(prices, values.mean(0), color=colour)
                    axes.fill_between(
                        prices, values.min(0), values.max(0), color=colour, alpha=0.25, lw=0
                    )
                spread = f"{min(exponents):.2f} to {max(exponents):.2f}"
                axes.set_title(f"{component}, p = {spread}")
                axes.set(xscale="log", ylim=(0, 1))
                axes.xaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:.0e}"))
            panels[0].set_ylabel(f"{part_name(family)}\ndistance d (0 lowest)")
        for axes in grid[-1]:
            axes.set_xlabel("price of a bit (nats, log scale)")
        return figure
