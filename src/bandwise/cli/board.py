"""What is shown while runs go on: a live board on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from bandwise.data import Progress as DataProgress
from bandwise.recipes.reproduce import Job
from bandwise.recipes.runner import Event
from bandwise.training import EpochResult, StepProgress

_BARS = "▁▂▃▄▅▆▇█"


@dataclass
class _Running:
    started: float
    step: StepProgress | None = None
    epoch: EpochResult | None = None


class Board:
    """Listens to a runner and shows rate, time left, losses, accuracy and band weights."""

    def __init__(self, console: Console, jobs: Sequence[Job], *, epochs: int) -> None:
        self._console = console
        self._epochs = epochs
        self._running: dict[Job, _Running] = {}
        self._remaining = {job: float(epochs) for job in jobs}
        self._fresh_epochs = 0
        self._started = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.completed:.0f} of {task.total:.0f} runs done"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._total = self._bar.add_task("runs", total=len(jobs), left="")
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Board:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def hear(self, event: Event) -> None:
        """Take in an event and refresh."""
        body, job = event.body, event.job
        state = self._running.setdefault(job, _Running(time.monotonic()))
        if isinstance(body, StepProgress):
            state.step = body
            self._remaining[job] = self._epochs - (body.epoch - 1) - body.step / body.steps
        elif isinstance(body, EpochResult):
            state.epoch = body
            self._remaining[job] = self._epochs - body.epoch
            if state.step is not None:
                self._fresh_epochs += 1
            if not self._console.is_terminal:
                self._console.print(epoch_line(job, body, self._epochs), highlight=False)
        elif isinstance(body, dict):
            del self._running[job], self._remaining[job]
            self._bar.advance(self._total)
            self._console.print(
                f"{job.name}: test accuracy {body['test_accuracy']:.2%} at epoch "
                f"{body['best_epoch']} of {body['epochs']}, {body['train_seconds']:.0f} s",
                highlight=False,
            )
        self._bar.update(self._total, left=self._time_left())
        if self._console.is_terminal:
            self._live.update(self.render(), refresh=True)

    def _time_left(self) -> str:
        """Estimate from the epochs that were trained since the start."""
        if not self._fresh_epochs:
            return ""
        per_epoch = (time.monotonic() - self._started) / self._fresh_epochs
        return f"at most {_clock(per_epoch * sum(self._remaining.values()))} left"

    def render(self) -> RenderableType:
        """Draw the board as it stands."""
        table = Table(box=None, pad_edge=False)
        for title in ("run", "epoch", "images/s", "loss", "validation", "test", "band weights"):
            table.add_column(title, justify="left" if title in ("run", "band weights") else "right")
        for job, state in self._running.items():
            step, epoch = state.step, state.epoch
            at = step.epoch if step else (epoch.epoch if epoch else 0)
            percent = f" {step.step / step.steps:4.0%}" if step else ""
            table.add_row(
                job.name,
                f"{at}/{self._epochs}{percent}",
                f"{epoch.images / epoch.train_seconds:,.0f}" if epoch else "",
                f"{step.loss:.4f}" if step else "",
                f"{epoch.validation_accuracy:.2%}" if epoch else "",
                f"{epoch.test_accuracy:.2%}" if epoch and epoch.test_accuracy else "",
                weights_text(epoch.band_weights) if epoch else "",
            )
        return Group(table, self._bar)


def epoch_line(job: Job, result: EpochResult, epochs: int) -> str:
    """One line for an epoch, where there is no terminal."""
    rate = result.images / result.train_seconds
    return (
        f"{job.name} epoch {result.epoch}/{epochs}: {rate:,.0f} images/s, "
        f"loss {result.train_loss:.4f}, validation {result.validation_loss:.4f} "
        f"({result.validation_accuracy:.2%}), weights {weights_text(result.band_weights)}"
    )


def weights_text(weights: Sequence[float]) -> str:
    """Band weights as bars and, where there are few, numbers.

    >>> weights_text([0.5, 0.25, 0.25])
    '█▅▅ 0.50 0.25 0.25'
    """
    largest = max(weights)
    bars = "".join(_BARS[max(0, round(weight / largest * 8) - 1)] for weight in weights)
    if len(weights) > 8:
        return bars
    return f"{bars} " + " ".join(f"{weight:.2f}" for weight in weights)


@contextmanager
def data_progress(console: Console) -> Iterator[DataProgress]:
    """Show what finding and reading the data set is doing."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=console, transient=True
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done)

        yield report


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
