"""How far a count has come, its rate and the time left: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from bandwise.training import Processes

SECONDS_BETWEEN_LINES = 10.0

_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class Tell(Protocol):
    """Hears how far a count is, how much of it was done before, and what else to say."""

    def __call__(self, done: int, total: int, *, before: int = 0, note: str = "") -> None:
        """Hear it."""
        ...


@contextmanager
def counting(
    console: Console, what: str, unit: str, *, every: float = SECONDS_BETWEEN_LINES
) -> Iterator[Tell]:
    """Show what is told with `(done, total)`, as "encoding 20/90, 153 images/s, 0:12 left".

    What was done `before` does not count in the rate. Where there is no terminal a line is printed
    at most `every` so many seconds.
    """
    started = last = monotonic()
    bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
    task = bar.add_task("", total=None)

    def tell(done: int, total: int, *, before: int = 0, note: str = "") -> None:
        nonlocal last
        now = monotonic()
        text = progress_text(what, unit, done, total, now - started, before=before, note=note)
        if console.is_terminal:
            bar.update(task, completed=done, total=total, description=text)
        elif now - last >= every:
            last = now
            console.print(text, highlight=False, soft_wrap=True)

    with bar if console.is_terminal else nullcontext():
        yield tell


@contextmanager
def resumable(what: str) -> Iterator[None]:
    """Say on Ctrl-C that the same command goes on: ``what`` is kept, such as "finished epochs"."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(f"{what} kept, the same command resumes")
        raise


@contextmanager
def one_voice(processes: Processes) -> Iterator[None]:
    """Where several processes do the same, let the first that fails say why, and it alone."""
    try:
        yield
    except BaseException:
        if processes.first_to_fail():
            raise
        raise typer.Exit(1) from None


def progress_text(
    what: str,
    unit: str,
    done: int,
    total: int,
    seconds: float,
    *,
    before: int = 0,
    note: str = "",
) -> str:
    """Say how far a count is.

    >>> progress_text("encoding", "images", 300, 1200, 2.0)
    'encoding 300/1,200, 150 images/s, 0:06 left'
    """
    text = f"{what} {done:,}/{total:,}"
    if note:
        text = f"{text}, {note}"
    if done <= before or not seconds:
        return text
    rate = (done - before) / seconds
    return (
        f"{text}, {rate:,.{0 if rate >= 10 else 1}f} {unit}/s, {clock((total - done) / rate)} left"
    )


def saving_text(bytes_in: int, bytes_out: int) -> str:
    """Say what was read and written, and what that saves.

    >>> saving_text(2_500_000_000, 1_000_000_000)
    '2.5 → 1.0 GB (60% saved)'
    """
    scale, unit = next(each for each in _UNITS if bytes_in >= each[0] or each is _UNITS[-1])
    saved = 1 - bytes_out / bytes_in if bytes_in else 0.0
    return f"{bytes_in / scale:.1f} → {bytes_out / scale:.1f} {unit} ({saved:.0%} saved)"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> clock(75), clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
