"""Charts that several figures are made of: lines with ranges, marks with intervals, cells.

Each function draws into axes; figures, which say what is drawn, are with their page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bandwise.report.style import (
    INK,
    MUTED,
    PAPER,
    Look,
    house_style,
    new_figure,
    plain_log_axis,
    short_name,
    text_on,
)

Curve = Sequence[tuple[float, Sequence[float]]]
"""Places, each with the values of all seeds there."""

DOTTED = (0, (2, 2))


@contextmanager
def panels(
    height_inches: float, rows: int = 1, columns: int = 1, **options: Any
) -> Iterator[tuple[Figure, NDArray[Any]]]:
    """Figure of the page's width and its (rows, columns) axes, in the house style."""
    with house_style():
        figure = new_figure(height_inches)
        yield figure, figure.subplots(rows, columns, squeeze=False, **options)


def draw_curve(axes: Axes, curve: Curve, look: Look, *, scale: float = 1, **options: Any) -> None:
    """Line through the means, with the range from the lowest to the highest seed shaded."""
    places = [place for place, _ in curve]
    lone = {"marker": look.marker} if len(places) == 1 else {}
    means = [scale * fmean(values) for _, values in curve]
    axes.plot(places, means, **{**look.of_line(), **lone, **options})
    lows, highs = ([scale * end(values) for _, values in curve] for end in (min, max))
    axes.fill_between(places, lows, highs, color=look.colour, alpha=0.16, lw=0)


def draw_range(axes: Axes, places: Sequence[float], ends: ArrayLike, look: Look) -> None:
    """Shade between the lower and the upper ends (2, N)."""
    low, high = np.asarray(ends, np.float64)
    axes.fill_between(places, low, high, color=look.colour, alpha=0.13, lw=0)


def draw_marks(
    axes: Axes, places: Sequence[float], values: Sequence[float], look: Look, **options: Any
) -> None:
    """Line with the look's marker at every value."""
    style = {**look.of_line(), "marker": look.marker, "mec": PAPER, "mew": 0.6, "ms": 5}
    axes.plot(places, values, **{**style, **options})


def epoch_axis(axes: Axes) -> None:
    """Name the horizontal axis and mark whole epochs."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))


def log_where_wide(axes: Axes) -> None:
    """Make the vertical axis logarithmic where values differ more than fourfold."""
    values = [value for line in axes.get_lines() for value in np.asarray(line.get_ydata())]
    if min(values) <= 0 or max(values) < 4 * min(values):
        return
    axes.set(yscale="log", ylabel=f"{axes.get_ylabel()} (log scale)")
    plain_log_axis(axes.yaxis)


def enlarge(axes: Axes, values: Iterable[float]) -> None:
    """Let the vertical axis span some values and a little more."""
    found = list(values)
    if found:
        margin = max(0.06 * (max(found) - min(found)), 0.05)
        axes.set_ylim(min(found) - margin, max(found) + margin)


def level(axes: Axes, height: float, text: str = "", *, colour: str = INK, **options: Any) -> None:
    """Horizontal line, named at its right end."""
    axes.axhline(height, color=colour, lw=0.9, **options)
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
    )


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A value in a row of `draw_dots`, with its interval and what it is the mean of."""

    row: float
    value: float
    look: Look
    interval: tuple[float, float] | None = None
    seeds: Sequence[float] = ()
    label: str = ""


def draw_dots(axes: Axes, names: Sequence[str], dots: Iterable[Dot]) -> None:
    """Values from left to right in named rows: a mark, its interval, its seeds below it."""
    for dot in dots:
        axes.plot(
            dot.seeds, [dot.row + 0.2] * len(dot.seeds), "|", color=dot.look.colour, ms=9, mew=1.6
        )
        if dot.interval is not None:
            axes.hlines(dot.row, *dot.interval, color=dot.look.colour, lw=1.4)
        axes.plot(
            dot.value, dot.row, dot.look.marker, color=dot.look.colour, ms=6.5, mec=PAPER, mew=0.5
        )
        axes.annotate(
            dot.label,
            (dot.value, dot.row),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
        )
    for row in range(1, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=MUTED, alpha=0.1, lw=0)
    axes.set_yticks(range(len(names)), [short_name(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.grid(visible=False, axis="y")


@dataclass(frozen=True, kw_only=True)
class Colours:
    """How the cells of a map are coloured, and what their scale says."""

    colormap: Colormap
    norm: Normalize
    label: str
    ticks: Sequence[float] = ()
    tick_labels: Sequence[str] = ()

    def of(self, value: float) -> tuple[float, ...]:
        """Colour of a value."""
        red, green, blue, alpha = self.colormap(self.norm(value))
        return red, green, blue, alpha

    def draw_scale(self, figure: Figure, axes: Iterable[Axes], **options: Any) -> Axes:
        """Draw the scale of the colours below some axes."""
        bar = figure.colorbar(
            ScalarMappable(self.norm, self.colormap),
            ax=list(axes),
            orientation="horizontal",
            label=self.label,
            ticks=list(self.ticks) or None,
            format=FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")),
            **{"aspect": 50, "shrink": 0.7, **options},
        )
        bar.ax.minorticks_off()
        if self.tick_labels:
            bar.ax.set_xticklabels(list(self.tick_labels))
        return bar.ax


def draw_cells(
    axes: Axes, values: NDArray[Any], colours: Colours, write: Callable[[float], str]
) -> None:
    """Draw (8, 8) values of the frequencies of a block as colours, each with a text."""
    axes.imshow(values, cmap=colours.colormap, norm=colours.norm)
    axes.set(xticks=range(values.shape[1]), yticks=range(values.shape[0]))
    no_frame(axes)
    axes.tick_params(length=0)
    for (v, u), value in np.ndenumerate(values):
        axes.text(
            u,
            v,
            write(float(value)),
            ha="center",
            va="center",
            fontsize=8,
            color=text_on(colours.of(float(value))),
        )


def no_frame(axes: Axes) -> None:
    """Leave out grid and frame, for pictures."""
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
