"""The one table: values and how they are written, for the terminal, the page and the documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table as TerminalTable
from rich.text import Text

ABSENT = "n/a"
"""What stands for a value that is None."""

TEMPLATES = Environment(
    loader=PackageLoader("bandwise.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Templates of pages; they escape every text."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title
        What stands above it.
    value, write
        The value of an item, and how it is written; a value that is None is ``absent``.
    words
        Whether it holds words that wrap, from the left.
    """

    title: str
    value: Callable[[Any], Any]
    write: Callable[[Any], str] = str
    words: bool = False
    absent: str = ABSENT


@dataclass(frozen=True, kw_only=True)
class Table:
    """Items, one a row, written alike in every output; the first cell of a row is its heading.

    A line break in a written value is a space in Markdown. ``note`` stands below the table.
    """

    title: str
    columns: Sequence[Column]
    items: Iterable[Any]
    note: str = ""

    @property
    def values(self) -> list[list[Any]]:
        """Every cell as a value."""
        return [[column.value(item) for column in self.columns] for item in self.items]

    @property
    def texts(self) -> list[list[str]]:
        """Every cell as it is written."""
        return [
            [
                column.absent if value is None else column.write(value)
                for column, value in zip(self.columns, row, strict=True)
            ]
            for row in self.values
        ]

    def only(self, *titles: str) -> Table:
        """The columns of some titles, as far as they are there, without the note."""
        columns = [column for column in self.columns if column.title in titles]
        return replace(self, columns=columns, note="")

    def to_terminal(self) -> TerminalTable:
        """Table that a rich console prints."""
        table = TerminalTable(
            title=Text(self.title),
            caption=Text(self.note) if self.note else None,
            title_justify="left",
            caption_justify="left",
            box=None,
            pad_edge=False,
        )
        for number, column in enumerate(self.columns):
            left = number == 0 or column.words
            table.add_column(Text(column.title), justify="left" if left else "right")
        for row in self.texts:
            table.add_row(*map(Text, row))
        return table

    def to_markdown(self) -> str:
        """Title, table and note as Markdown."""
        lines = [[column.title for column in self.columns], ["---"] * len(self.columns)]
        lines += self.texts
        table = "\n".join("| " + " | ".join(map(_markdown_cell, line)) + " |" for line in lines)
        return "\n\n".join(part for part in (f"{self.title}:", table, self.note) if part)

    def to_html(self) -> Markup:
        """Table of the page, in a frame that scrolls sideways where the page is narrow."""
        parts: Any = TEMPLATES.get_template("parts.html").module
        return Markup(parts.table(self))  # the template has escaped it


def _markdown_cell(text: str) -> str:
    for character in ("\\", "|", "<"):
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split("\n"))
