"""Networks: built in or of one's own, what they read, their outputs, and trained ones as files."""

from bandwise.models.classification import (
    Classification,
    Reads,
    divergences,
    logits_of,
    logits_of_batches,
    per_class_accuracy,
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
