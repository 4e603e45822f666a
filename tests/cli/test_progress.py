"""Progress as a person sees it, on a terminal and in a log."""

import io

import pytest
from rich.console import Console

from bandwise.cli.progress import clock, counting, progress_text


def test_the_text_says_count_rate_and_time_left() -> None:
    assert (
        progress_text("encoding", "images", 300, 1200, 2.0)
        == "encoding 300/1,200, 150 images/s, 0:06 left"
    )
    assert progress_text("x", "files", 1, 3, 4.0) == "x 1/3, 0.2 files/s, 0:08 left"
    assert progress_text("x", "files", 0, 3, 4.0) == "x 0/3"


def test_the_clock_has_hours_only_where_there_are_some() -> None:
    assert [clock(s) for s in (0, 75, 3599.6, 3675)] == ["0:00", "1:15", "1:00:00", "1:01:15"]


def test_without_a_terminal_a_line_is_printed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 4.0, 10.0, 12.0, 20.0])
    monkeypatch.setattr("bandwise.cli.progress.monotonic", lambda: next(times))
    file = io.StringIO()
    with counting(Console(file=file), "encoding", "images", every=10) as tell:
        for done in (4, 10, 12, 20):
            tell(done, 40)
    assert file.getvalue().splitlines() == [
        "encoding 10/40, 1.0 images/s, 0:30 left",
        "encoding 20/40, 1.0 images/s, 0:20 left",
    ]


def test_on_a_terminal_a_bar_is_shown_and_goes_away() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=90)
    with counting(console, "encoding", "images") as tell:
        tell(20, 40)
    assert "encoding 20/40" in file.getvalue()
    assert file.getvalue().endswith("\x1b[2K")
