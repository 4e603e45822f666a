"""How far a count has come, its rate and the time left: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def counting(
    console: Console, what: str, unit: str, *, every: float = SECONDS_BETWEEN_LINES
) -> Iterator[Callable[[int, int], None]]:
    """Show what is told with `(done, total)`, as "encoding 20/90, 153 images/s, 0:12 left".

    Where there is no terminal a line is printed at most `every` so many seconds.
    """
    started = last = monotonic()
    bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
    task = bar.add_task("", total=None)

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = monotonic()
        text = progress_text(what, unit, done, total, now - started)
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


def progress_text(what: str, unit: str, done: int, total: int, seconds: float) -> str:
    """Say how far a count is.

    >>> progress_text("encoding", "images", 300, 1200, 2.0)
    'encoding 300/1,200, 150 images/s, 0:06 left'
    """
    text = f"{what} {done:,}/{total:,}"
    if not done or not seconds:
        return text
    rate = done / seconds
    return (
        f"{text}, {rate:,.{0 if rate >= 10 else 1}f} {unit}/s, {clock((total - done) / rate)} left"
    )


def clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> clock(75), clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
