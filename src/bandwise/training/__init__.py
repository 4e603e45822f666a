"""Train a task's network and a compressor together.

The recipe is the one of "Adaptive frequency band learning for task-specific neural network
compression"; its values are the defaults of :class:`TrainingConfig`. A run is a function of its
configuration and data: batches are drawn from a generator seeded by (seed, epoch), so a run that
was killed and resumed ends with the same numbers as one that was not.
"""

from typing import TYPE_CHECKING

from bandwise.lazy import lazy_exports
from bandwise.training.config import TrainingConfig

if TYPE_CHECKING:
    from bandwise.training.examples import (
        CoefficientExamples,
        DecodedExamples,
        Examples,
        PixelExamples,
    )
    from bandwise.training.loop import (
        Batches,
        Evaluation,
        Observer,
        StepProgress,
        WeightStatistics,
        evaluate,
        fit,
        joint_loss,
        train,
    )
    from bandwise.training.network_state import Companion, NetworkConfig, NetworkEpoch
    from bandwise.training.networks import NetworkListener, train_network
    from bandwise.training.processes import Processes, joined
    from bandwise.training.state import EpochResult, TrainingResult

__all__ = [
    "Batches",
    "CoefficientExamples",
    "Companion",
    "DecodedExamples",
    "EpochResult",
    "Evaluation",
    "Examples",
    "NetworkConfig",
    "NetworkEpoch",
    "NetworkListener",
    "Observer",
    "PixelExamples",
    "Processes",
    "StepProgress",
    "TrainingConfig",
    "TrainingResult",
    "WeightStatistics",
    "evaluate",
    "fit",
    "joined",
    "joint_loss",
    "train",
    "train_network",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "bandwise.training.examples": (
            "CoefficientExamples",
            "DecodedExamples",
            "Examples",
            "PixelExamples",
        ),
        "bandwise.training.loop": (
            "Batches",
            "Evaluation",
            "Observer",
            "StepProgress",
            "WeightStatistics",
            "evaluate",
            "fit",
            "joint_loss",
            "train",
        ),
        "bandwise.training.network_state": ("Companion", "NetworkConfig", "NetworkEpoch"),
        "bandwise.training.networks": ("NetworkListener", "train_network"),
        "bandwise.training.processes": ("Processes", "joined"),
        "bandwise.training.state": ("EpochResult", "TrainingResult"),
    },
)
