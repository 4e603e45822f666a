"""The codecs in the order in which they are shown, and how they look.

Colours, lines and markers follow `bandwise.report.variants`: told apart by readers with any common
colour vision, and in print without colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bandwise.measures import GUIDED, GUIDED_LIBJPEG, LEARNED, LIBJPEG, ORIGINAL
from bandwise.report.drawing import INK, MUTED
from bandwise.report.variants import LineStyle


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a codec, or a family of one, is named and drawn.

    ``plain_jpeg`` says whether every JPEG decoder reads its files.
    """

    label: str
    colour: str
    line: LineStyle
    marker: str
    plain_jpeg: bool = False

    def of_line(self) -> dict[str, Any]:
        """Colour, line and name, as arguments of ``Axes.plot``."""
        return {"color": self.colour, "linestyle": self.line, "label": self.label}


CODECS: dict[str, Look] = {
    LEARNED: Look(label="bandwise", colour="#0072b2", line="solid", marker="o", plain_jpeg=True),
    GUIDED: Look(
        label="bandwise guided",
        colour="#003f63",
        line=(0, (7, 1.2, 1, 1.2, 1, 1.2)),
        marker=">",
        plain_jpeg=True,
    ),
    LIBJPEG: Look(label="libjpeg", colour="#d55e00", line="dashed", marker="s", plain_jpeg=True),
    GUIDED_LIBJPEG: Look(
        label="libjpeg guided",
        colour="#7a3400",
        line=(0, (3, 1.2, 1, 1.2, 1, 1.2)),
        marker="<",
        plain_jpeg=True,
    ),
    "mozjpeg": Look(
        label="MozJPEG",
        colour="#cc79a7",
        line=(0, (6, 1.5, 1, 1.5)),
        marker="^",
        plain_jpeg=True,
    ),
    "jpegli": Look(label="jpegli", colour="#e69f00", line=(0, (2, 3)), marker="v", plain_jpeg=True),
    "downscale": Look(
        label="downscaling", colour=MUTED, line=(0, (1, 1.2)), marker="X", plain_jpeg=True
    ),
    "webp": Look(label="WebP", colour="#009e73", line=(0, (8, 2)), marker="D"),
    "avif": Look(label="AVIF", colour="#56b4e9", line=(0, (4, 1.5)), marker="P"),
    "jpeg-xl": Look(label="JPEG XL", colour=INK, line="solid", marker="*"),
}
"""By the name that result rows carry."""

CHOSEN_BY_IMAGE = frozenset({GUIDED, GUIDED_LIBJPEG})
"""Codecs whose encoder asks the network how far it may go with each image."""

_FAMILY_LOOKS = tuple(
    (CODECS[name].colour, CODECS[name].line, CODECS[name].marker)
    for name in (LEARNED, "webp", "mozjpeg", "avif", "jpegli", "jpeg-xl", "downscale")
)


def look_of(codec: str) -> Look:
    """Return the look of a codec; one that is not known here is drawn as a thin black line."""
    return CODECS.get(codec, Look(label=codec, colour=INK, line=(0, (1, 3)), marker="h"))


def family_looks(families: Iterable[str]) -> dict[str, Look]:
    """Looks of the families of learned tables; none of them looks like libjpeg."""
    looks = {}
    for order, family in enumerate(families):
        colour, line, marker = _FAMILY_LOOKS[order % len(_FAMILY_LOOKS)]
        looks[family] = Look(label=family, colour=colour, line=line, marker=marker)
    return looks


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
