"""Settings of the paper's training; free of PyTorch, so that commands can show the defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bandwise.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of a training run; the defaults are the paper's.

    Attributes
    ----------
    epochs
        Upper bound on the number of epochs, and the length of the cosine decay.
    batch_size
        Images a step.
    network_lr, momentum
        SGD of the network; the learning rate decays to zero along a cosine, epoch by epoch.
    band_lr
        Adam of the band weights, constant.
    reconstruction_weight
        λ of ``L = CE + λ · MSE(X_c, X)``.
    task_gradient
        Whether the task's loss reaches the band weights. ``False`` leaves them to the
        reconstruction term alone; the network still learns the task.
    validation_fraction
        Share of the training images that is held out.
    patience
        Stop after this many epochs without a lower validation loss; ``None``: never. The paper
        stops early but does not say how.
    seed
        Of the initial weights, the held-out images and the order of the batches.
    """

    epochs: int = 30
    batch_size: int = 128
    network_lr: float = 0.01
    momentum: float = 0.9
    band_lr: float = 0.001
    reconstruction_weight: float = 0.1
    task_gradient: bool = True
    validation_fraction: float = 0.2
    patience: int | None = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        allowed = {
            "epochs": (self.epochs >= 1, "at least 1"),
            "batch_size": (self.batch_size >= 1, "at least 1"),
            "network_lr": (self.network_lr > 0, "above 0"),
            "momentum": (0 <= self.momentum < 1, "in [0, 1)"),
            "band_lr": (self.band_lr > 0, "above 0"),
            "reconstruction_weight": (self.reconstruction_weight >= 0, "0 or more"),
            "validation_fraction": (0 < self.validation_fraction < 1, "between 0 and 1"),
            "patience": (self.patience is None or self.patience >= 1, "1 or more"),
        }
        for name, (fine, needed) in allowed.items():
            if not fine:
                raise ConfigurationError(f"{name} must be {needed}, got {getattr(self, name)}")

    @property
    def averaging(self) -> None:
        """Weights are not averaged: the best epoch is kept."""

    def learning_rate_at(self, epochs_done: float) -> float:
        """The network's learning rate: cosine decay to zero, in steps of whole epochs."""
        return 0.5 * self.network_lr * (1 + math.cos(math.pi * int(epochs_done) / self.epochs))
