"""Tasks: a network with its loss and metric. A task knows nothing of compressors."""

from bandwise.tasks.classification import Classification, Reads, per_class_accuracy
from bandwise.tasks.logits import (
    divergences,
    logits_of,
    logits_of_batches,
    planes_of,
    to_unit_range,
)

__all__ = [
    "Classification",
    "Reads",
    "divergences",
    "logits_of",
    "logits_of_batches",
    "per_class_accuracy",
    "planes_of",
    "to_unit_range",
]
