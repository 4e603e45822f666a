"""How recipes of several stages say where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bandwise.evaluation import Step
from bandwise.progress import Progress, ProgressCallback
from bandwise.training import EpochRecord


@dataclass(frozen=True, kw_only=True)
class Event:
    """Where a stage stands: ``done`` of ``total`` in ``unit``, or an epoch of training."""

    stage: str
    unit: str = "images"
    done: int = 0
    total: int = 0
    epoch: EpochRecord | None = None


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Hear nothing."""


def training(listener: Listener) -> ProgressCallback:
    """Turn the epochs of a training into events."""

    def hear(now: Progress) -> None:
        if isinstance(now.detail, EpochRecord):
            done, total = now.done, now.total or 0
            listener(Event(stage=now.stage, done=done, total=total, epoch=now.detail))

    return hear


def measuring(listener: Listener) -> Callable[[Step], None]:
    """Turn the steps of an evaluation into events."""
    total = 0

    def hear(step: Step) -> None:
        nonlocal total
        total = max(total, step.images_left + step.images_done)
        listener(Event(stage="measuring", done=total - step.images_left, total=total))

    return hear
