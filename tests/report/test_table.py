"""One table, three outputs: every cell is the same in each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html.parser import HTMLParser
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bandwise.report.table import ABSENT, Column, Table

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=12
).map(str.strip)
CELLS = st.none() | WORDS | st.integers()


class Cells(HTMLParser):
    """Texts of the rows of a table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def from_html(table: Table) -> list[list[str]]:
    cells = Cells()
    cells.feed(str(table.to_html()))
    return [[text.strip("\n") for text in row] for row in cells.rows]


def from_markdown(table: Table) -> list[list[str]]:
    lines = [line for line in table.to_markdown().split("\n") if line.startswith("|")]
    rows = [line[2:-2].split(" | ") for line in lines if not line.startswith("| --- ")]
    return [[cell.replace("\\<", "<").replace("\\\\", "\\") for cell in row] for row in rows]


def from_terminal(table: Table) -> str:
    stream = io.StringIO()
    Console(file=stream, width=2000, color_system=None).print(table.to_terminal())
    return stream.getvalue()


def table_of(titles: list[str], rows: Sequence[Sequence[object]]) -> Table:
    columns = [Column(title, itemgetter(number)) for number, title in enumerate(titles)]
    return Table(title="t", columns=columns, items=rows)


@given(st.data())
def test_the_outputs_of_a_table_agree(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    row = st.lists(CELLS.filter(lambda cell: "|" not in str(cell)), min_size=width, max_size=width)
    titles = data.draw(st.lists(WORDS.filter(bool), min_size=width, max_size=width))
    titles = [title.replace("|", "") or "t" for title in titles]
    table = table_of(titles, data.draw(st.lists(row, max_size=4)))
    expected = [titles, *table.texts]
    assert from_html(table) == expected
    assert from_markdown(table) == expected
    shown = from_terminal(table)
    assert all(cell in shown for line in expected for cell in line)


def test_values_are_kept_and_written_by_their_column() -> None:
    columns = [Column("share", lambda share: share, "{:.0%}".format), Column("n", lambda _: None)]
    table = Table(title="", columns=columns, items=[0.25, 1.0])
    assert table.values == [[0.25, None], [1.0, None]]
    assert table.texts == [["25%", ABSENT], ["100%", ABSENT]]


def test_line_breaks_are_spaces_in_markdown_and_bars_do_not_end_a_cell() -> None:
    markdown = table_of(["a|b"], [["1\n(0 to 2)"]]).to_markdown()
    assert markdown == "t:\n\n| a\\|b |\n| --- |\n| 1 (0 to 2) |"


def test_fewer_columns_keep_their_order_and_lose_the_note() -> None:
    table = table_of(["a", "b", "c"], [["1", "2", "3"]])
    narrow = Table(title="t", columns=table.columns, items=table.items, note="n").only("c", "a")
    assert [column.title for column in narrow.columns] == ["a", "c"]
    assert (narrow.texts, narrow.note) == ([["1", "3"]], "")


@pytest.mark.parametrize("text", ["<script>", "[bold]x[/bold]", "&amp;"])
def test_texts_are_shown_as_they_are(text: str) -> None:
    table = table_of([text], [[text]])
    assert from_html(table) == [[text], [text]]
    assert from_terminal(table).count(text) == 2
