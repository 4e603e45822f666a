"""Figures of rates: accuracy and divergence against bytes, tables and importance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from bandwise.frequency.coefficients import COMPONENTS
from bandwise.frequency.tables import STEP_MAX, STEP_MIN, TableSet
from bandwise.report.charts import (
    DOTTED,
    Colours,
    draw_cells,
    draw_marks,
    draw_range,
    level,
    panels,
)
from bandwise.report.style import INK, MUTED, Look, legend_above, plain_log_axis
from bandwise.report.wording import signed
from bandwise.results import GUIDED, GUIDED_LIBJPEG, LEARNED, LIBJPEG, ORIGINAL, Measurement
from bandwise.wording import bound_in_words

ENLARGED_POINTS = 6.0
"""How far below the originals the enlarged panel reaches, percentage points."""

COMPONENT_NAMES = {"luma": "luma (Y)", "cb": "blue difference (Cb)", "cr": "red difference (Cr)"}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CodecLook(Look):
    """How a codec is named and drawn; whether every JPEG decoder reads its files."""

    plain_jpeg: bool = True


CODECS: dict[str, CodecLook] = {
    LEARNED: CodecLook("bandwise", "#0072b2", "solid", "o"),
    GUIDED: CodecLook("bandwise guided", "#003f63", (0, (7, 1.2, 1, 1.2, 1, 1.2)), ">"),
    LIBJPEG: CodecLook("libjpeg", "#d55e00", "dashed", "s"),
    GUIDED_LIBJPEG: CodecLook("libjpeg guided", "#7a3400", (0, (3, 1.2, 1, 1.2, 1, 1.2)), "<"),
    "mozjpeg": CodecLook("MozJPEG", "#cc79a7", (0, (6, 1.5, 1, 1.5)), "^"),
    "jpegli": CodecLook("jpegli", "#e69f00", (0, (2, 3)), "v"),
    "downscale": CodecLook("downscaling", MUTED, (0, (1, 1.2)), "X"),
    "webp": CodecLook("WebP", "#009e73", (0, (8, 2)), "D", plain_jpeg=False),
    "avif": CodecLook("AVIF", "#56b4e9", (0, (4, 1.5)), "P", plain_jpeg=False),
    "jpeg-xl": CodecLook("JPEG XL", INK, "solid", "*", plain_jpeg=False),
}
"""By the name that results carry, in the order in which they are shown."""


def look_of(codec: str) -> CodecLook:
    """Return the look of a codec; one that is not known here is drawn as a thin black line."""
    return CODECS.get(codec, CodecLook(codec, INK, (0, (1, 3)), "h", plain_jpeg=False))


def in_order(codecs: Iterable[str]) -> list[str]:
    """Codecs without repetition: the known ones in the order of ``CODECS``, then the rest."""
    found = set(codecs) - {ORIGINAL}
    return [name for name in CODECS if name in found] + sorted(found - CODECS.keys())


def setting_words(codec: str, family: str, label: str) -> str:
    """Name a setting: ``libjpeg 4:2:0 baseline, q30``, ``bandwise sensitivity 4e-06``."""
    if codec == ORIGINAL:
        return ORIGINAL
    setting = label if label.startswith(family) else f"{family}, {label}"
    named = codec in family or look_of(codec).label in family
    return setting if named else f"{look_of(codec).label} {setting}"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Settings of a codec, or of a way of learning, on test, by size.

    ``ends`` are the (2, N) ends of the accuracy's interval along the envelope, where it is shaded.
    """

    look: Look
    settings: Sequence[Measurement]
    ends: Floats | None = None

    @property
    def envelope(self) -> list[Measurement]:
        """Settings with a higher accuracy than every smaller one."""
        return best_so_far(self.settings, lambda each: each.accuracy)

    @property
    def divergences(self) -> list[Measurement]:
        """Settings with a lower divergence, above zero, than every smaller one."""
        diverging = [each for each in self.settings if each.divergence > 0]
        return best_so_far(diverging, lambda each: -each.divergence)


def best_so_far(
    settings: Iterable[Measurement], value: Callable[[Measurement], float]
) -> list[Measurement]:
    """Settings, by size, whose value exceeds that of all before."""
    kept: list[Measurement] = []
    for each in sorted(settings, key=lambda each: (each.mean_bytes, -each.accuracy)):
        if not kept or value(each) > value(kept[-1]):
            kept.append(each)
    return kept


def accuracy_curves(
    curves: Sequence[Curve], original: float | None, bounds: Sequence[float]
) -> Figure:
    """Accuracy against bytes an image: everything, and what lies near the originals enlarged.

    ``original`` is the accuracy of the originals, a share; ``bounds`` are drawn below it, in
    percentage points.
    """
    rows = 1 if original is None else 2
    with panels(5.2 if original is None else 9.4, rows) as (figure, grid):
        for axes in grid[:, 0]:
            _draw_accuracy(axes, curves)
            if original is not None:
                level(axes, 100 * original, "originals")
        if original is not None:
            whole, enlarged = grid[:, 0]
            whole.set_title("Test accuracy of every setting")
            enlarged.set_title("The same, near the originals")
            _enlarge(enlarged, curves, 100 * original)
            for bound in bounds:
                text = f"−{bound_in_words(bound)}"
                level(enlarged, 100 * original - bound, text, colour=MUTED, ls=DOTTED)
        legend_above(figure, grid[0, 0])
        return figure


def divergence_curves(curves: Sequence[Curve]) -> Figure:
    """Divergence of the network's output against bytes an image, both logarithmic."""
    with panels(4.9) as (figure, grid):
        axes = grid[0, 0]
        for curve in curves:
            if kept := curve.divergences:
                sizes = [each.mean_bytes for each in kept]
                draw_marks(axes, sizes, [each.divergence for each in kept], curve.look)
        axes.set_yscale("log")
        plain_log_axis(axes.yaxis)
        axes.set_ylabel("mean KL divergence (nats an image)")
        _bytes_axis(axes, curves)
        legend_above(figure, axes)
        return figure


def tables_beside(learned: TableSet, reference: TableSet, titles: Sequence[str]) -> Figure:
    """Steps of learned tables, of reference tables, and their ratio; luma and chroma."""
    pairs = {"luma": (learned.luma, reference.luma)}
    if learned.chroma is not None and reference.chroma is not None:
        pairs["chroma"] = (learned.chroma, reference.chroma)
    steps = Colours(
        colormap=matplotlib.colormaps["viridis"],
        norm=LogNorm(STEP_MIN, STEP_MAX),
        label="step of the table",
        ticks=[1, 10, 100],
    )
    # Ratios from 1/8 to 8, as powers of two, fill the colours.
    ratios = Colours(
        colormap=matplotlib.colormaps["PuOr_r"],
        norm=Normalize(-3, 3),
        label="learned ÷ libjpeg",
        ticks=[-3, -1, 0, 1, 3],
        tick_labels=["1/8", "1/2", "1", "2", "8"],
    )
    with panels(0.8 + 3.05 * len(pairs), len(pairs), 3) as (figure, grid):
        for row, (component, (ours, theirs)) in zip(grid, pairs.items(), strict=True):
            for axes, table in zip(row, (ours, theirs), strict=False):
                draw_cells(axes, table.array, steps, "{:.0f}".format)
            draw_cells(row[2], np.log2(ours.array / theirs.array), ratios, _ratio)
            for axes, title in zip(row, (*titles, "ratio"), strict=True):
                axes.set_title(f"{title}, {component}")
            row[0].set_ylabel("vertical frequency v")
        for axes in grid[-1]:
            axes.set_xlabel("horizontal frequency u")
        steps.draw_scale(figure, grid[:, :2].flat, aspect=36, shrink=0.85)
        ratios.draw_scale(figure, grid[:, 2], aspect=18, shrink=0.85)
        return figure


def importance(planes: Mapping[str, Floats]) -> Figure:
    """Importance of each frequency relative to the largest of all components, logarithmic."""
    names = [name for name in COMPONENTS[3] if name in planes]
    largest = max(float(planes[name].max()) for name in names)
    colours = Colours(
        colormap=matplotlib.colormaps["cividis"],
        norm=Normalize(-4, 0),
        label="log₁₀ of importance ÷ the largest importance",
        ticks=[-4, -3, -2, -1, 0],
    )
    with panels(4.0, 1, max(len(names), 3)) as (figure, grid):
        used, unused = grid[0, : len(names)], grid[0, len(names) :]
        for axes, name in zip(used, names, strict=True):
            exponents = np.log10(np.maximum(planes[name] / largest, 1e-8))
            draw_cells(axes, exponents, colours, _exponent)
            axes.set(title=COMPONENT_NAMES[name], xlabel="horizontal frequency u")
        for axes in unused:
            axes.remove()
        grid[0, 0].set_ylabel("vertical frequency v")
        colours.draw_scale(figure, used, aspect=18 * len(names), shrink=0.85)
        return figure


def _ratio(exponent: float) -> str:
    ratio = 2**exponent
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 1.05 else f"{ratio:.2f}"


def _exponent(exponent: float) -> str:
    return "0" if exponent <= -8 else signed(exponent).replace("−0.0", "0.0")


def _draw_accuracy(axes: Axes, curves: Sequence[Curve]) -> None:
    for curve in reversed(curves):
        kept = curve.envelope
        if curve.ends is not None:
            draw_range(axes, [each.mean_bytes for each in kept], 100 * curve.ends, curve.look)
        beaten = [each for each in curve.settings if each not in kept]
        places, values = _sizes_and_percents(beaten)
        axes.plot(places, values, curve.look.marker, color=curve.look.colour, ms=3.2, alpha=0.45)
    for curve in curves:
        draw_marks(axes, *_sizes_and_percents(curve.envelope), curve.look)
    axes.set_ylabel("test accuracy (%)")
    _bytes_axis(axes, curves)


def _sizes_and_percents(settings: Sequence[Measurement]) -> tuple[list[float], list[float]]:
    return [each.mean_bytes for each in settings], [100 * each.accuracy for each in settings]


def _bytes_axis(axes: Axes, curves: Sequence[Curve]) -> None:
    """Bytes an image below, bits per pixel above, both logarithmic."""
    axes.set_xscale("log")
    plain_log_axis(axes.xaxis)
    axes.set_xlabel("bytes an image, headers and tables included (log scale)")
    setting = curves[0].settings[0]
    bits = setting.bits_per_pixel / setting.mean_bytes

    def to_bits(size: ArrayLike) -> Floats:
        return bits * np.asarray(size, np.float64)

    def to_bytes(rate: ArrayLike) -> Floats:
        return np.asarray(rate, np.float64) / bits

    above = axes.secondary_xaxis("top", functions=(to_bits, to_bytes))
    plain_log_axis(above.xaxis)
    above.set_xlabel("bits per source pixel", fontsize=8)


def _enlarge(axes: Axes, curves: Sequence[Curve], original: float) -> None:
    """Show what lies within a few points of the originals."""
    near = [
        each
        for curve in curves
        for each in curve.settings
        if original - 100 * each.accuracy <= ENLARGED_POINTS
    ]
    top = max([original, *(100 * each.accuracy for each in near)])
    axes.set_ylim(original - ENLARGED_POINTS, top + 0.12 * ENLARGED_POINTS)
    if near:
        sizes = [each.mean_bytes for each in near]
        axes.set_xlim(min(sizes) / 1.12, max(sizes) * 1.12)
