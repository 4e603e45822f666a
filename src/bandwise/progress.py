"""Progress of long work, reported to one kind of callback.

    learn(..., progress=print)

Whoever works calls it; the command line draws what it is told, tests collect it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is.

    Attributes
    ----------
    stage
        What is being done, such as ``"measuring"`` or ``"training resnet"``.
    done, total
        Units that are finished, and all of them; ``total`` is None where it is not known.
    unit
        What is counted, in the plural.
    detail
        What the stage reports beside the count, such as the result of an epoch; None for nothing.
    """

    stage: str
    done: int
    total: int | None
    unit: str = "images"
    detail: Any = None


ProgressCallback = Callable[[Progress], None]
"""Called in the process and thread of whoever started the work."""


def ignore_progress(progress: Progress) -> None:
    """Report to nobody."""
