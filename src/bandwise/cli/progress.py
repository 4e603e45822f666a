"""Progress on the terminal: a live bar for every stage, or lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from bandwise.progress import Progress
from bandwise.results import Run

if TYPE_CHECKING:
    from bandwise.training.processes import Processes

SECONDS_BETWEEN_LINES = 10.0

_HEIGHTS = "▁▂▃▄▅▆▇█"


@runtime_checkable
class _Epoch(Protocol):
    train_loss: float
    validation_accuracy: float
    train_seconds: float
    images: int


@runtime_checkable
class _Saving(Protocol):
    bytes_in: int
    bytes_out: int
    kept: int


@dataclass
class _Stage:
    started: float
    done: int = 0
    bar: TaskID | None = None


class ProgressDisplay:
    """A `ProgressCallback` that draws on stderr; a context manager.

    On a terminal each stage that is under way has a bar, so that runs side by side are rows; a
    stage goes when it is finished. Elsewhere there is a line for each epoch and each finished run,
    and for anything else at most one in 10 seconds. The stage "training, epoch 2" is a part of the
    stage "training", and goes when that reports.

    Parameters
    ----------
    console
        Where to draw.
    clock
        Seconds from any start.
    """

    def __init__(
        self, console: Console | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._console = console or Console(stderr=True)
        self._bars = Bars(
            BarColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            disable=not self._console.is_terminal,
        )
        self._clock = clock
        self._stages: dict[str, _Stage] = {}
        self._reported = self._printed = clock()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how far a stage is."""
        now, name = self._clock(), progress.stage
        for part in [each for each in self._stages if each.startswith(f"{name}, ")]:
            self._end(part)
        if name in self._stages and progress.done < self._stages[name].done:
            self._end(name)
        for begun in (name.partition(", ")[0], name):
            self._stages.setdefault(begun, _Stage(self._reported))
        stage = self._stages[name]
        stage.done, self._reported = progress.done, now
        text = progress_text(progress, now - stage.started)
        if stage.bar is None:
            stage.bar = self._bars.add_task(text)
        self._bars.update(
            stage.bar, completed=progress.done, total=progress.total, description=text
        )
        finished = progress.done == progress.total
        if finished:
            self._end(name)
        is_result = isinstance(progress.detail, Run | _Epoch)
        due = is_result or now - self._printed >= SECONDS_BETWEEN_LINES
        if (is_result and finished) if self._console.is_terminal else due:
            self._printed = now
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _end(self, name: str) -> None:
        stage = self._stages.pop(name)
        if stage.bar is not None:
            self._bars.remove_task(stage.bar)


def progress_text(progress: Progress, seconds: float) -> str:
    """How far a stage is that began ``seconds`` ago: count, result, rate and time left.

    >>> progress_text(Progress(stage="encoding", done=300, total=1200), 2.0)
    'encoding 300/1,200, 150 images/s, 0:00:06 left'
    """
    done, total, detail = progress.done, progress.total, progress.detail
    text = f"{progress.stage} {done:,}" + ("" if total is None else f"/{total:,}")
    if note := detail_text(detail):
        text += f", {note}"
    counted = done - (detail.kept if isinstance(detail, _Saving) else 0)
    if counted <= 0 or seconds <= 0:
        return text
    if not isinstance(detail, _Epoch):
        text += f", {_rate(counted / seconds, progress.unit)}"
    if total is not None and total > done:
        left = timedelta(seconds=round(seconds * (total - done) / counted))
        text += f", {left} left"
    return text


def detail_text(detail: Any) -> str:
    """What a stage reports beside its count: an epoch, a run, bytes, or a loss."""
    match detail:
        case float():
            return f"loss {detail:.3f}"
        case Run():
            return (
                f"{detail.variant} seed {detail.seed}: test accuracy {detail.test_accuracy:.2%} at "
                f"epoch {detail.best_epoch} of {detail.epochs}, {detail.train_seconds:.0f} s"
            )
        case _Epoch():
            rate = detail.images / detail.train_seconds if detail.train_seconds else 0.0
            text = (
                f"{rate:,.0f} images/s, loss {detail.train_loss:.3f}, "
                f"validation {detail.validation_accuracy:.2%}"
            )
            weights = getattr(detail, "band_weights", ())
            return f"{text}, {weight_bars(weights)}" if len(set(weights)) > 1 else text
        case _Saving() if detail.bytes_in:
            saved = 1 - detail.bytes_out / detail.bytes_in
            return f"{decimal(detail.bytes_in)} → {decimal(detail.bytes_out)} ({saved:.0%} saved)"
    return ""


def weight_bars(weights: Sequence[float]) -> str:
    """Band weights as bars, from the lowest frequencies to the highest.

    >>> weight_bars([0.5, 0.25, 0.25])
    '█▄▄'
    """
    largest = max(weights)
    return "".join(_HEIGHTS[max(0, round(weight / largest * 8) - 1)] for weight in weights)


def _rate(per_second: float, unit: str) -> str:
    if unit == "bytes":
        return f"{decimal(int(per_second))}/s"
    if per_second < 1:
        return f"{60 * per_second:.1f} {unit}/min"
    return f"{per_second:,.{0 if per_second >= 10 else 1}f} {unit}/s"


@contextmanager
def resumable(note: str = "what is finished is kept, the same command resumes") -> Iterator[None]:
    """Add to a Ctrl-C what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(note)
        raise


@contextmanager
def report_first_failure_only(processes: Processes) -> Iterator[None]:
    """Let the first of several processes that train together report its error; end the others."""
    try:
        yield
    except BaseException:
        if processes.first_to_fail():
            raise
        raise typer.Exit(1) from None
