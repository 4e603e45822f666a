"""The arms of the paper's experiment as data: what is weighed how, and what differs in training.

The controls say what the gain is made of: which part comes from the task, which from the
reconstruction term, which from the scale of the input. The extensions let go of what the paper
keeps: where bands end, and that all images share their weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from bandwise.training.config import TrainingConfig

if TYPE_CHECKING:
    from bandwise.compressors import Normalisation


Weighing = Literal["static", "learned", "edges", "input"]
"""Uniform weights; learned ones; the same with learned edges; the same with a part that depends on
the image."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One arm: how bands are weighed, how weights are normalised, what differs in training."""

    name: str
    summary: str
    weighing: Weighing = "learned"
    normalisation: Normalisation = "softmax"
    adjust: Callable[[TrainingConfig], TrainingConfig] = field(default=lambda config: config)
    shuffle_labels: bool = False

    @property
    def learned(self) -> bool:
        """Whether the band weights change in training."""
        return self.weighing != "static"


PAPER = (
    Variant(
        name="static",
        summary="uniform weights, 1/K each: the paper's baseline",
        weighing="static",
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
    Variant(
        name="none", summary="no weighting at all", weighing="static", normalisation="mean-one"
    ),
    Variant(
        name="shuffled",
        summary="adaptive on shuffled training labels, never stopped early",
        adjust=lambda config: replace(config, patience=None),
        shuffle_labels=True,
    ),
)

EXTENSIONS = (
    Variant(name="edges", summary="adaptive, and the bands' edges are learned", weighing="edges"),
    Variant(name="input", summary="adaptive, with weights for each image", weighing="input"),
)

VARIANTS = {variant.name: variant for variant in (*PAPER, *CONTROLS, *EXTENSIONS)}
"""By the name that commands take and result rows carry."""
