"""What training a network has reached, and how it is saved: between epochs and within one."""

from __future__ import annotations

import copy
import math
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bandwise.checkpoint import load_tensors, save_tensors
from bandwise.data.augment import PHOTOGRAPHS, Augmentation
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.training.processes import Processes
from bandwise.training.state import below, load_optimisers, optimiser_tensors

_AVERAGE_WARM_UP = 10


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """How a network is trained.

    Attributes
    ----------
    learning_rate, momentum, weight_decay
        SGD with Nesterov momentum; warm-up over ``warm_up_epochs``, then a cosine to zero. Weight
        decay leaves out biases and normalisations.
    label_smoothing
        Share of the target that is spread evenly over all classes.
    averaging
        Decay a step of the running average of the weights.
    small_share, small_scale
        Share of the epochs, the first ones, in which images are ``small_scale`` of their side:
        cheaper, and gone before the end.
    """

    epochs: int = 75
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-3
    warm_up_epochs: float = 3.0
    label_smoothing: float = 0.1
    averaging: float = 0.998
    small_share: float = 0.75
    small_scale: float = 0.75
    augmentation: Augmentation = PHOTOGRAPHS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            raise ConfigurationError(
                "epochs, batch size and learning rate are above 0, got "
                f"{self.epochs}, {self.batch_size}, {self.learning_rate}"
            )


@dataclass(frozen=True, kw_only=True)
class NetworkEpoch:
    """What one epoch gave; ``epoch`` counts from 1, losses are means over images."""

    epoch: int
    epochs: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    train_seconds: float
    images: int


class Companion(nn.Module, ABC):
    """What is learned together with a network, such as the tables of the files that it reads."""

    @abstractmethod
    def forward(self, pixels: Tensor) -> Tensor:
        """Change pixels (N, C, H, W) in [0, 1] into what the network is to see of them."""

    @abstractmethod
    def penalty(self) -> Tensor:
        """Scalar that is added to the loss."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """Optimiser of the companion's parameters."""


class NetworkState:
    """Everything that changes while a network is trained; it is the same on every process.

    Attributes
    ----------
    network, average
        What the optimiser steps, and the running average of its weights.
    replica, change
        Network and companion as they are called in training.
    steps, step
        Steps of the optimiser: in all, and in the epoch that is running.
    loss
        Sum of the losses of that epoch's images, float64.
    generator
        Of all that is drawn in it but dropout.
    """

    def __init__(
        self,
        network: nn.Module,
        config: NetworkConfig,
        companion: Companion | None,
        processes: Processes,
    ) -> None:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = processes.trainable(network)
        self.average = copy.deepcopy(network)
        self.replica = processes.replica(self.network)
        self.change = None if companion is None else processes.replica(companion)
        self.config = config
        self.companion = companion
        self.steps = self.step = 0
        self.loss = torch.zeros((), dtype=torch.float64)
        self.generator = torch.Generator()
        self.history: list[NetworkEpoch] = []
        self._started = self._seconds = 0.0
        self._random: dict[str, Tensor] = {}
        weights = [value for value in self.network.parameters() if value.ndim > 1]
        others = [value for value in self.network.parameters() if value.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": weights},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.SGD(
                groups,
                lr=config.learning_rate,
                momentum=config.momentum,
                weight_decay=config.weight_decay,
                nesterov=True,
            )
        ]
        if companion is not None:
            self.optimisers.append(companion.optimiser())

    def evaluated(self) -> nn.Module:
        """What validation measures: the average, behind the companion if there is one."""
        return (
            self.average if self.companion is None else nn.Sequential(self.companion, self.average)
        )

    def modules(self) -> dict[str, nn.Module]:
        """Return what a checkpoint holds."""
        modules = {"network": self.network, "average": self.average}
        return modules if self.companion is None else {**modules, "companion": self.companion}

    def enter_epoch(self, generator: torch.Generator, device: torch.device | str) -> None:
        """Begin an epoch that draws from ``generator``, or go on in the middle of it."""
        torch.manual_seed(generator.initial_seed())  # dropout
        self.generator = generator
        self.loss = self.loss.to(device)
        if self._random:
            generator.set_state(self._random["epoch"])
            torch.set_rng_state(self._random["torch"])
            if "cuda" in self._random and self.loss.is_cuda:
                torch.cuda.set_rng_state(self._random["cuda"], self.loss.device)
            self._random = {}
        self._started = time.perf_counter() - self._seconds

    @property
    def seconds(self) -> float:
        """What was spent on the epoch so far, before interruptions too."""
        return time.perf_counter() - self._started

    def leave_epoch(self, result: NetworkEpoch) -> None:
        """Put down what an epoch gave."""
        self.history.append(result)
        self.step, self._seconds = 0, 0.0
        self.loss = torch.zeros_like(self.loss)

    def set_learning_rate(self, epochs_done: float) -> None:
        """Warm-up, then a cosine to zero; the companion's optimiser keeps its own."""
        config = self.config
        warm_up = (epochs_done + 0.05) / config.warm_up_epochs if config.warm_up_epochs else 1.0
        cosine = 0.5 + 0.5 * math.cos(math.pi * epochs_done / config.epochs)
        for group in self.optimisers[0].param_groups:
            group["lr"] = config.learning_rate * min(1.0, warm_up) * cosine

    @torch.no_grad()
    def follow(self) -> None:
        """Move the average towards the weights; quickly at first."""
        self.steps += 1
        decay = min(self.config.averaging, self.steps / (_AVERAGE_WARM_UP + self.steps))
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for average, value in pairs:
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)

    def save(self, path: Path, fingerprint: str) -> None:
        """Write the whole state to one file."""
        tensors: dict[str, Tensor] = {}
        for name, module in self.modules().items():
            tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
        tensors |= optimiser_tensors(self.optimisers)
        if self.step:
            tensors |= {f"random.{name}": value for name, value in self._random_states().items()}
        save_tensors(path, tensors, {**self._identity(fingerprint), **self._progress()})

    def load(self, path: Path, fingerprint: str) -> None:
        """Go on from what :meth:`save` wrote; refuses another run's or a damaged file."""
        tensors, progress = load_tensors(path)
        identity = self._identity(fingerprint)
        if {key: progress.get(key) for key in identity} != identity:
            raise CheckpointError(
                f"{path} belongs to another network, data set or settings; "
                "continue it with its own, remove it, or choose another folder"
            )
        try:
            for name, module in self.modules().items():
                module.load_state_dict(below(tensors, f"{name}."))
            load_optimisers(self.optimisers, tensors)
            self._random = below(tensors, "random.")
            self.steps, self.step = int(progress["steps"]), int(progress.get("step", 0))
            self.loss.fill_(float(progress.get("loss", 0.0)))
            self._seconds = float(progress.get("seconds", 0.0))
            self.history = [NetworkEpoch(**entry) for entry in progress["history"]]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"{path} does not fit this network ({error}); delete it to start again"
            ) from error

    def _identity(self, fingerprint: str) -> dict[str, Any]:
        config = asdict(self.config)
        config["augmentation"]["zoom"] = list(self.config.augmentation.zoom)
        return {"fingerprint": fingerprint, "config": config}

    def _progress(self) -> dict[str, Any]:
        return {
            "steps": self.steps,
            "history": [asdict(entry) for entry in self.history],
            "step": self.step,
            "loss": float(self.loss),
            "seconds": self.seconds if self.step else 0.0,
        }

    def _random_states(self) -> dict[str, Tensor]:
        states = {"epoch": self.generator.get_state(), "torch": torch.get_rng_state()}
        if self.loss.is_cuda:
            states["cuda"] = torch.cuda.get_rng_state(self.loss.device)
        return states
