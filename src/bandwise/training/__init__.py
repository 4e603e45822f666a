"""Train a task's network and a compressor together.

The recipe is the one of "Adaptive frequency band learning for task-specific neural network
compression"; its values are the defaults of :class:`TrainingConfig`. A run is a function of its
configuration and data: batches are drawn from a generator seeded by (seed, epoch), so a run that
was killed and resumed ends with the same numbers as one that was not.
"""

from bandwise.training.config import TrainingConfig
from bandwise.training.loop import (
    Batches,
    Evaluation,
    Observer,
    StepProgress,
    evaluate,
    fit,
    joint_loss,
    train,
)
from bandwise.training.state import EpochResult, TrainingResult

__all__ = [
    "Batches",
    "EpochResult",
    "Evaluation",
    "Observer",
    "StepProgress",
    "TrainingConfig",
    "TrainingResult",
    "evaluate",
    "fit",
    "joint_loss",
    "train",
]
