"""Heat maps over the 8×8 frequencies of a block: quantisation tables, importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bandwise.coefficients import COMPONENTS
from bandwise.report.drawing import house_style, new_figure, text_on
from bandwise.report.rate_accuracy.records import Floats
from bandwise.tables import BLOCK, STEP_MAX, STEP_MIN, QuantTable, TableSet

COMPONENT_NAMES = {"luma": "luma (Y)", "cb": "blue difference (Cb)", "cr": "red difference (Cr)"}

_RATIO_REACH = 3.0
"""Ratios from 1/8 to 8, as powers of two, fill the colours of the ratio panels."""

_DECADES = 4.0
"""Importance is drawn down to a ten-thousandth of the largest."""


def tables_beside(learned: TableSet, reference: TableSet, titles: tuple[str, str]) -> Figure:
    """Steps of learned tables, of reference tables, and their ratio; luma and chroma."""
    pairs = [(learned.luma, reference.luma, "luma")]
    if learned.chroma is not None and reference.chroma is not None:
        pairs.append((learned.chroma, reference.chroma, "chroma"))
    steps = matplotlib.colormaps["viridis"], LogNorm(STEP_MIN, STEP_MAX)
    ratios = matplotlib.colormaps["PuOr_r"], Normalize(-_RATIO_REACH, _RATIO_REACH)
    with house_style():
        figure = new_figure(0.8 + 3.05 * len(pairs))
        grid = figure.subplots(len(pairs), 3, squeeze=False)
        for panels, (ours, theirs, component) in zip(grid, pairs, strict=True):
            for axes, table, title in zip(panels, (ours, theirs), titles, strict=False):
                draw_steps(axes, table, *steps)
                axes.set_title(f"{title}, {component}")
            _draw_ratio(panels[2], ours, theirs, *ratios)
            panels[2].set_title(f"ratio, {component}")
            panels[0].set_ylabel("vertical frequency v")
        for axes in grid[-1]:
            axes.set_xlabel("horizontal frequency u")
        colour_bar(figure, grid[:, :2].ravel().tolist(), *steps, "step of the table", [1, 10, 100])
        bar = colour_bar(
            figure, grid[:, 2].tolist(), *ratios, "learned ÷ libjpeg", [-3, -1, 0, 1, 3]
        )
        bar.set_xticklabels(["1/8", "1/2", "1", "2", "8"])
        return figure


def importance(planes: Mapping[str, Floats]) -> Figure:
    """Importance of each frequency relative to the largest of all components, logarithmic."""
    names = [name for name in COMPONENTS[3] if name in planes]
    largest = max(float(planes[name].max()) for name in names)
    colours = matplotlib.colormaps["cividis"], Normalize(-_DECADES, 0)
    with house_style():
        figure = new_figure(4.0)
        grid = figure.subplots(1, max(len(names), 3), squeeze=False)[0]
        for axes, name in zip(grid, names, strict=False):
            relative = np.maximum(planes[name] / largest, 0)
            exponents = np.log10(np.maximum(relative, 10 ** (-2 * _DECADES)))
            texts = [
                _signed(exponent) if share > 0 else "0"
                for share, exponent in zip(relative.flat, exponents.flat, strict=True)
            ]
            draw_cells(axes, exponents, *colours, texts)
            axes.set(title=COMPONENT_NAMES[name], xlabel="horizontal frequency u")
        for axes in grid[len(names) :]:
            axes.remove()
        grid[0].set_ylabel("vertical frequency v")
        colour_bar(
            figure,
            list(grid[: len(names)]),
            *colours,
            "log₁₀ of importance ÷ the largest importance",
            [-4, -3, -2, -1, 0],
        )
        return figure


def draw_steps(axes: Axes, table: QuantTable, colormap: Colormap, norm: Normalize) -> None:
    """Draw the steps of a table, each with its number."""
    draw_cells(axes, table.array, colormap, norm, [str(step) for step in table.values])


def _draw_ratio(
    axes: Axes, ours: QuantTable, theirs: QuantTable, colormap: Colormap, norm: Normalize
) -> None:
    ratio = ours.array / theirs.array
    draw_cells(axes, np.log2(ratio), colormap, norm, [_short(value) for value in ratio.flat])


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _short(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 1.05 else f"{ratio:.2f}"


def draw_cells(
    axes: Axes,
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64 | np.int32]],
    colormap: Colormap,
    norm: Normalize,
    texts: Sequence[str],
) -> None:
    """Draw (8, 8) values as colours, each with a text."""
    axes.imshow(values, cmap=colormap, norm=norm)
    axes.set(xticks=range(BLOCK), yticks=range(BLOCK))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for index, text in enumerate(texts):
        v, u = divmod(index, BLOCK)
        fill = colormap(norm(float(values[v, u])))
        axes.text(u, v, text, ha="center", va="center", fontsize=8, color=text_on(fill))


def colour_bar(
    figure: Figure,
    panels: list[Axes],
    colormap: Colormap,
    norm: Normalize,
    label: str,
    ticks: Sequence[float],
) -> Axes:
    """Add the scale of the colours below some panels."""
    bar = figure.colorbar(
        ScalarMappable(norm, colormap),
        ax=panels,
        orientation="horizontal",
        label=label,
        ticks=list(ticks),
        format=FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")),
        aspect=18 * len(panels),
        shrink=0.85,
    )
    bar.ax.minorticks_off()
    return bar.ax
