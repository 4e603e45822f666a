"""What a recipe of several stages shows: where the stage stands, its rate and the time left."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from bandwise.cli.progress import SECONDS_BETWEEN_LINES, clock, progress_text
from bandwise.progress import Progress
from bandwise.training import EpochRecord


class Stages:
    """Listens to a recipe: a bar on a terminal, lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            BarColumn(), TextColumn("{task.description}"), console=console, transient=True
        )
        self._task = self._bar.add_task("", total=None)
        self._stage = ""
        self._started = self._printed = time.monotonic()

    def __enter__(self) -> Stages:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, now: Progress) -> None:
        """Report progress."""
        seen = time.monotonic()
        if now.stage != self._stage:
            self._stage, self._started = now.stage, seen
        epoch = now.detail if isinstance(now.detail, EpochRecord) else None
        if epoch is not None:
            text = epoch_text(now.stage, epoch, now.total or epoch.epoch)
        else:
            seconds = seen - self._started
            text = progress_text(now.stage, now.unit, now.done, now.total or 0, seconds)
        if self._console.is_terminal:
            self._bar.update(self._task, description=text, completed=now.done, total=now.total)
            return
        is_last = epoch is not None or now.done == now.total
        if is_last or seen - self._printed > SECONDS_BETWEEN_LINES:
            self._printed = seen
            self._console.print(text, highlight=False, soft_wrap=True)


def epoch_text(stage: str, epoch: EpochRecord, epochs: int) -> str:
    """One line for an epoch of training a network."""
    rate = epoch.images / epoch.train_seconds
    left = clock(epoch.train_seconds * (epochs - epoch.epoch))
    return (
        f"{stage} {epoch.epoch}/{epochs}: {rate:,.0f} images/s, loss {epoch.train_loss:.3f}, "
        f"validation {epoch.validation_accuracy:.2%}, about {left} left"
    )
