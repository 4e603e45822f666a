"""What is shown while runs go on: a live board on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from bandwise.cli.progress import clock
from bandwise.measures import quantity
from bandwise.recipes.reproduce import Job
from bandwise.recipes.runner import Event
from bandwise.recipes.variants import VARIANTS
from bandwise.training import EpochResult, StepProgress

LINE_WIDTH = 100
"""Columns of a line where there is no terminal."""

HEADINGS = ("images/s", "  loss", "validation", "time left")
"""What is measured an epoch, after the run's name and the epoch's number."""

_BARS = "▁▂▃▄▅▆▇█"


@dataclass
class _Running:
    heard: float
    step: StepProgress | None = None
    epoch: EpochResult | None = None


class Board:
    """Listens to a runner and shows rate, time left, losses, accuracy and band weights."""

    def __init__(self, console: Console, jobs: Sequence[Job], *, epochs: int) -> None:
        self._console = console
        self._epochs = epochs
        self._running: dict[Job, _Running] = {}
        self._remaining = {job: float(epochs) for job in jobs}
        self._epoch_seconds: list[float] = []
        self._columns = (max(len(job.name) for job in jobs), len(f"{epochs}/{epochs}"))
        self._bar = Progress(
            TextColumn("{task.completed:.0f} of {task.fields[runs]} done"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._total = self._bar.add_task(
            "", total=len(jobs), left="", runs=quantity(len(jobs), "run")
        )
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Board:
        if self._console.is_terminal:
            self._live.start()
        else:
            self._print(self._line("run", "epoch", *HEADINGS, "weights, low to high"))
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
        now = time.monotonic()
        state = self._running.setdefault(job, _Running(now))
        if isinstance(body, StepProgress):
            state.step = body
            self._remaining[job] = self._epochs - (body.epoch - 1) - body.step / body.steps
        elif isinstance(body, EpochResult):
            state.epoch = body
            self._remaining[job] = self._epochs - body.epoch
            # An epoch that is read back from a checkpoint arrives sooner than it was trained.
            self._epoch_seconds.append(max(now - state.heard, body.train_seconds))
            state.heard = now
            if not self._console.is_terminal:
                self._print(self._epoch_line(job, body))
        elif isinstance(body, dict):
            del self._running[job], self._remaining[job]
            self._bar.advance(self._total)
            self._print(
                f"{job.name}: test accuracy {body['test_accuracy']:.2%} at epoch "
                f"{body['best_epoch']} of {body['epochs']}, {body['train_seconds']:.0f} s"
            )
        left = self._time_left()
        self._bar.update(self._total, left=f"at most {left} left" if left else "")
        if self._console.is_terminal:
            self._live.update(self.render(), refresh=True)

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)

    def _epoch_line(self, job: Job, result: EpochResult) -> str:
        return self._line(
            job.name,
            f"{result.epoch}/{self._epochs}",
            f"{result.images / result.train_seconds:,.0f}",
            f"{result.train_loss:.4f}",
            f"{result.validation_accuracy:.2%}",
            self._time_left(),
            _learned_weights(job, result, bars),
        )

    def _line(self, name: str, epoch: str, *cells: str) -> str:
        """Align cells under the headings; weights that do not fit are left out."""
        widths = self._columns
        *measured, weights = cells
        line = f"{name:<{widths[0]}}  {epoch:>{widths[1]}}"
        for heading, cell in zip(HEADINGS, measured, strict=True):
            line += f"  {cell:>{len(heading)}}"
        return line if len(line) + 2 + len(weights) > LINE_WIDTH else f"{line}  {weights}".rstrip()

    def _time_left(self) -> str:
        """Estimate for all runs; early stopping makes it shorter."""
        if not self._epoch_seconds:
            return ""
        side_by_side = max(len(self._running), 1)
        seconds = fmean(self._epoch_seconds) * sum(self._remaining.values()) / side_by_side
        return clock(seconds)

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
                _learned_weights(job, epoch, weights_text) if epoch else "",
            )
        return Group(table, self._bar)


def _learned_weights(job: Job, result: EpochResult, text: Callable[[Sequence[float]], str]) -> str:
    return text(result.band_weights) if VARIANTS[job.variant].learned else ""


def bars(weights: Sequence[float]) -> str:
    """Band weights as bars.

    >>> bars([0.5, 0.25, 0.25])
    '█▄▄'
    """
    largest = max(weights)
    return "".join(_BARS[max(0, round(weight / largest * 8) - 1)] for weight in weights)


def weights_text(weights: Sequence[float]) -> str:
    """Band weights as bars and, where there are few, numbers.

    >>> weights_text([0.5, 0.25, 0.25])
    '█▄▄ 0.50 0.25 0.25'
    """
    if len(weights) > 8:
        return bars(weights)
    return f"{bars(weights)} " + " ".join(f"{weight:.2f}" for weight in weights)
