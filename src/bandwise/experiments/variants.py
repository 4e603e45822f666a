"""The arms of the paper's experiment as data: what is weighed how, and what differs in training.

The controls say what the gain is made of: which part comes from the task, which from the
reconstruction term, which from the scale of the input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bandwise.training.config import TrainingConfig

if TYPE_CHECKING:
    from bandwise.frequency.compressors import Normalisation


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One arm: whether weights are learned, how they are normalised, what differs in training."""

    name: str
    summary: str
    learned: bool = True
    normalisation: Normalisation = "softmax"
    adjust: Callable[[TrainingConfig], TrainingConfig] = field(default=lambda config: config)
    shuffle_labels: bool = False


PAPER = (
    Variant(
        name="static",
        summary="uniform weights, 1/K each: the paper's baseline",
        learned=False,
    ),
    Variant(name="adaptive", summary="learned weights, softmax, joint loss: the paper's method"),
)

CONTROLS = (
    Variant(
        name="task-only",
        summary="learned from the task's loss alone (λ = 0)",
        adjust=lambda config: replace(config, reconstruction_weight=0.0),
    ),
    Variant(
        name="reconstruction-only",
        summary="learned from the reconstruction term alone",
        adjust=lambda config: replace(config, task_gradient=False),
    ),
    Variant(
        name="mean-one",
        summary="learned weights of mean 1: importance without a change of scale",
        normalisation="mean-one",
    ),
    Variant(name="none", summary="no weighting at all", learned=False, normalisation="mean-one"),
    Variant(
        name="shuffled",
        summary="adaptive on shuffled training labels, never stopped early",
        adjust=lambda config: replace(config, patience=None),
        shuffle_labels=True,
    ),
)

VARIANTS = {variant.name: variant for variant in (*PAPER, *CONTROLS)}
"""By the name that commands take and result rows carry."""
