"""How figures look and how they become files and inline SVG.

A figure is drawn once, in the colours of the light theme. Inline, every colour turns into a CSS
variable, so that the page's dark theme recolours lines and text without a second drawing.
"""

from __future__ import annotations

import html
import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import matplotlib.style
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, NullLocator

WIDTH_INCHES = 8.5
"""Of every figure; shown at this size on the page, so that 8 points are 8 points."""

PNG_DPI = 160
HOUSE_STYLE = Path(__file__).with_name("house.mplstyle")
INK, MUTED, GRID, PAPER = "#1b1f24", "#5b6470", "#d5dae0", "#ffffff"

LineStyle = Literal["solid", "dashed"] | tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class Look:
    """How something is named and drawn, the same in every figure.

    Colours are those of Okabe and Ito ("Color Universal Design", 2008), which readers with any
    common colour vision tell apart; lines and markers differ too, for print without colour.
    """

    label: str
    colour: str
    line: LineStyle
    marker: str

    def of_line(self) -> dict[str, Any]:
        """Colour, line and name, as arguments of ``Axes.plot``."""
        return {"color": self.colour, "linestyle": self.line, "label": self.label}


_LOOKS: tuple[tuple[str, LineStyle, str], ...] = (
    ("#0072b2", "solid", "o"),
    ("#009e73", (0, (8, 2)), "D"),
    ("#cc79a7", (0, (6, 1.5, 1, 1.5)), "^"),
    ("#56b4e9", (0, (4, 1.5)), "P"),
    ("#e69f00", (0, (2, 3)), "v"),
    (INK, "solid", "*"),
    (MUTED, (0, (1, 1.2)), "X"),
)


def looks_of(names: Iterable[str]) -> dict[str, Look]:
    """Looks of things that have none of their own, in order; none of them looks like libjpeg."""
    looks = {}
    for order, name in enumerate(names):
        colour, line, marker = _LOOKS[order % len(_LOOKS)]
        looks[name] = Look(name, colour, line, marker)
    return looks


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save figures in the report's style, whatever the reader's matplotlibrc says."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A class name in a script that the font lacks is drawn as boxes; tables have it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.style.use(HOUSE_STYLE)
        yield


def new_figure(height_inches: float) -> Figure:
    """Return an empty figure of the page's width."""
    return Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")


def short_name(name: str) -> str:
    """Cut a class name to what fits beside an axis."""
    return name if len(name) <= 24 else f"{name[:23]}…"


def legend_above(figure: Figure, axes: Axes, *, columns: int = 4) -> None:
    """Put the legend of ``axes`` above all axes, where it covers no data."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=min(columns, len(labels)),
        handlelength=3.4,
        columnspacing=1.6,
    )


def plain_log_axis(axis: Axis) -> None:
    """Mark a logarithmic axis at round numbers, written out in full."""
    axis.set_major_locator(RoundNumbers())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())


class RoundNumbers(Locator):
    """Ticks at 1, 2 and 5 times powers of ten, and at more where an axis spans little."""

    def __call__(self) -> list[float]:
        """Ticks of the axis as it is."""
        return self.tick_values(*sorted(self.axis.get_view_interval()))  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Ticks from ``vmin`` to ``vmax``, both above zero."""
        steps = (1, 2, 5) if vmax > 5 * vmin else (1, 1.5, 2, 3, 4, 5, 6, 8)
        powers = range(math.floor(math.log10(vmin)), math.ceil(math.log10(vmax)) + 1)
        ticks = [step * 10.0**power for power in powers for step in steps]
        return [tick for tick in ticks if vmin <= tick <= vmax]


def luminance(rgb: Sequence[float]) -> float:
    """Relative luminance (WCAG 2.2) with a plain gamma of 2.2; above 0.18 black reads better."""
    red, green, blue = np.power(rgb[:3], 2.2).tolist()
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def text_on(rgb: Sequence[float]) -> str:
    """Colour of text that can be read on ``rgb``, in either theme."""
    return "#111111" if luminance(rgb) > 0.18 else "#fefefe"


def band_colours(count: int, *, dark: bool = False) -> list[str]:
    """Colours of K bands, from the lowest (dark) to the highest (light); dark theme: reversed."""
    first, last = (0.98, 0.38) if dark else (0.02, 0.72)
    steps = np.linspace(first, last, count)
    return [to_hex(colour) for colour in matplotlib.colormaps["viridis"](steps)]


def settle_layout(figure: Figure) -> None:
    """Lay out once and for all, so that saving in several formats does not repeat the work."""
    engine = figure.get_layout_engine()
    if engine is not None:
        with house_style():
            engine.execute(figure)
        figure.set_layout_engine("none")


def to_png(figure: Figure) -> bytes:
    """Render to PNG; the same figure gives the same bytes."""
    return _save(figure, "png", {"Software": None}, dpi=PNG_DPI)


def to_svg(figure: Figure) -> bytes:
    """Render to a stand-alone SVG; the same figure gives the same bytes."""
    no_metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    return _save(figure, "svg", no_metadata)


def inline_svg(svg: bytes, *, name: str, title: str, description: str) -> Markup:
    """Turn a stand-alone SVG into one that lives inside the page.

    Identifiers get the prefix ``name`` so that figures do not share them, colours become variables
    that the page's dark theme may set, and the figure gets an accessible name.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    # Images are named by their contents, so equal ones would share an identifier nobody uses.
    text = re.sub(r' id="image[0-9a-f]+"', "", text)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"#([0-9a-f]{6})\b", r"var(--c-\1, #\1)", text)
    labels = (
        f'<title id="{name}-title">{html.escape(title)}</title>'
        f'<desc id="{name}-desc">{html.escape(description)}</desc>'
    )
    accessible = f'<svg role="img" aria-labelledby="{name}-title {name}-desc" '
    text = text.replace("<svg ", accessible, 1)
    head, _, rest = text.partition(">")
    return Markup(f"{head}>{labels}{rest}")  # drawn here, texts are escaped


def _save(figure: Figure, kind: str, metadata: dict[str, None], **options: Any) -> bytes:
    stream = io.BytesIO()
    with house_style():
        figure.savefig(stream, format=kind, metadata=metadata, **options)
    return stream.getvalue()
