"""What a recipe of several stages shows: where the stage stands, its rate and the time left."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from bandwise.cli.progress import SECONDS_BETWEEN_LINES, clock, progress_text
from bandwise.recipes.stages import Event
from bandwise.training import EpochRecord


class Stages:
    """Listens to a recipe: a bar on a terminal, lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
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

    def hear(self, event: Event) -> None:
        """Take in an event."""
        now = time.monotonic()
        if event.stage != self._stage:
            self._stage, self._started = event.stage, now
        seconds = now - self._started
        if event.epoch is not None:
            text = epoch_text(event.stage, event.epoch, event.total)
        else:
            text = progress_text(event.stage, event.unit, event.done, event.total, seconds)
        if self._console.is_terminal:
            self._bar.update(
                self._task, description=text, completed=event.done, total=event.total or None
            )
            return
        is_last = event.epoch is not None or event.done == event.total
        if is_last or now - self._printed > SECONDS_BETWEEN_LINES:
            self._printed = now
            self._console.print(text, highlight=False, soft_wrap=True)


def epoch_text(stage: str, epoch: EpochRecord, epochs: int) -> str:
    """One line for an epoch of training a network."""
    rate = epoch.images / epoch.train_seconds
    left = clock(epoch.train_seconds * (epochs - epoch.epoch))
    return (
        f"{stage} {epoch.epoch}/{epochs}: {rate:,.0f} images/s, loss {epoch.train_loss:.3f}, "
        f"validation {epoch.validation_accuracy:.2%}, about {left} left"
    )
