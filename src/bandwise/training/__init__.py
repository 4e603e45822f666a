"""Training: one loop for the paper's network with its bands and for networks on images.

The paper's values are the defaults of :class:`TrainingConfig`. A run is a function of its settings
and data, also where it was killed and resumed.
"""

from typing import TYPE_CHECKING

from bandwise.lazy import lazy_exports
from bandwise.training.config import TrainingConfig

if TYPE_CHECKING:
    from bandwise.training.examples import Examples, coefficient_examples, pixel_examples
    from bandwise.training.networks import NetworkConfig, TrainableTransform, train_network
    from bandwise.training.paper import BandEpoch, Batches, fit, joint_loss, train
    from bandwise.training.processes import Processes, joined
    from bandwise.training.state import EpochRecord, TrainingResult

_HOMES = {
    "bandwise.training.examples": ("Examples", "coefficient_examples", "pixel_examples"),
    "bandwise.training.networks": ("NetworkConfig", "TrainableTransform", "train_network"),
    "bandwise.training.paper": ("BandEpoch", "Batches", "fit", "joint_loss", "train"),
    "bandwise.training.processes": ("Processes", "joined"),
    "bandwise.training.state": ("EpochRecord", "TrainingResult"),
}

__all__ = [
    "BandEpoch",
    "Batches",
    "EpochRecord",
    "Examples",
    "NetworkConfig",
    "Processes",
    "TrainableTransform",
    "TrainingConfig",
    "TrainingResult",
    "coefficient_examples",
    "fit",
    "joined",
    "joint_loss",
    "pixel_examples",
    "train",
    "train_network",
]

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
