"""Networks: built in or of one's own, what they read, their outputs, and trained ones as files."""

from typing import TYPE_CHECKING

from bandwise.lazy import lazy_exports

if TYPE_CHECKING:
    from bandwise.models.classification import Classification, Reads, per_class_accuracy
    from bandwise.models.logits import (
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

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "bandwise.models.classification": ("Classification", "Reads", "per_class_accuracy"),
        "bandwise.models.logits": (
            "divergences",
            "logits_of",
            "logits_of_batches",
            "planes_of",
            "to_unit_range",
        ),
    },
)
