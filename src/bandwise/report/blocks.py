"""What a page is made of. Plain text only: the template escapes all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Points:
    """A list of short statements."""

    kind: ClassVar[str] = "points"
    items: Sequence[str]


@dataclass(frozen=True)
class Tile:
    """One number that matters, with its name and a remark."""

    label: str
    value: str
    remark: str


@dataclass(frozen=True)
class Tiles:
    """A row of tiles."""

    kind: ClassVar[str] = "tiles"
    items: Sequence[Tile]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first cell of each row is its heading, numbers are aligned to the right.

    ``text_columns`` are the positions of columns that hold words.
    """

    kind: ClassVar[str] = "table"
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure; ``name`` is its file name without suffix, ``alt`` says in words what it shows."""

    kind: ClassVar[str] = "picture"
    name: str
    title: str
    alt: str
    caption: str
    figure: Figure


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """An image file shown as it is; ``source`` is a data URI, ``passed`` marks it ✓ or ✗."""

    source: str
    alt: str
    label: str
    passed: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Image files in a grid, one row an image; ``head`` names the columns after the first."""

    kind: ClassVar[str] = "gallery"
    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Exhibit | None]]]
    pixelated: bool = False


@dataclass(frozen=True)
class Code:
    """Commands, as they are typed."""

    kind: ClassVar[str] = "code"
    text: str


Block = Text | Points | Tiles | Table | Picture | Gallery | Code


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled part of the page; ``anchor`` is its address within it."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one page says; ``verdict`` is its first paragraph, ``created`` the time of the run.

    ``band_count`` is the number of bands whose colours the dark theme replaces.
    """

    title: str
    verdict: str
    created: str
    sections: Sequence[Section]
    band_count: int = 0
