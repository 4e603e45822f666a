"""What a run has reached: its history, its best epoch, and how both are saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bandwise.checkpoint import load_tensors, save_tensors
from bandwise.compressors import Compressor
from bandwise.errors import CheckpointError
from bandwise.tasks import Classification
from bandwise.training.config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """What one epoch gave. ``epoch`` counts from 1; losses are means over images.

    Attributes
    ----------
    band_weights, band_weights_std
        Mean over the validation images, and standard deviation where each has its own.
    band_edges, band_exponent
        Of `Rings`, where they are learned.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    train_task_loss: float
    train_reconstruction_loss: float
    validation_loss: float
    validation_task_loss: float
    validation_accuracy: float
    test_accuracy: float | None
    test_per_class: tuple[float, ...] | None
    band_weights: tuple[float, ...]
    train_seconds: float
    images: int
    band_weights_std: tuple[float, ...] | None = None
    band_edges: tuple[float, ...] | None = None
    band_exponent: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """A finished run. The task and compressor that were passed in hold the best epoch's state."""

    history: tuple[EpochResult, ...]
    best_epoch: int
    stopped_early: bool

    @property
    def best(self) -> EpochResult:
        """The epoch with the lowest validation loss."""
        return self.history[self.best_epoch - 1]


class RunState:
    """Everything that changes while a run goes on, and how it is saved."""

    def __init__(
        self, task: Classification, compressor: Compressor, config: TrainingConfig
    ) -> None:
        self.task, self.compressor, self.config = task, compressor, config
        self.history: list[EpochResult] = []
        self.best_epoch = 0
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.SGD(
                task.parameters(), lr=config.network_lr, momentum=config.momentum, fused=True
            )
        ]
        if parameters := list(compressor.parameters()):
            self.optimisers.append(torch.optim.Adam(parameters, lr=config.band_lr, fused=True))
        self._best = self._model_state()

    @property
    def finished(self) -> bool:
        """Whether all epochs are done or patience has run out."""
        waited = len(self.history) - self.best_epoch
        patience = self.config.patience
        return len(self.history) >= self.config.epochs or (
            patience is not None and waited >= patience
        )

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the network's learning rate; the band weights' is constant."""
        for group in self.optimisers[0].param_groups:
            group["lr"] = learning_rate

    def record(self, result: EpochResult) -> None:
        """Add an epoch and keep the modules' state if it is the best so far."""
        self.history.append(result)
        losses = [entry.validation_loss for entry in self.history]
        if result.validation_loss <= min(losses):
            self.best_epoch = result.epoch
            self._best = self._model_state()

    def restore_best(self) -> None:
        """Put the modules into the state of the best epoch."""
        _load_model(self.task, "task.", self._best)
        _load_model(self.compressor, "compressor.", self._best)

    def save(self, path: Path, fingerprint: str) -> None:
        """Write the whole state to one file."""
        tensors = self._model_state()
        tensors |= {f"best.{name}": value for name, value in self._best.items()}
        tensors |= optimiser_tensors(self.optimisers)
        progress = {
            "fingerprint": fingerprint,
            "config": asdict(self.config),
            "best_epoch": self.best_epoch,
            "history": [asdict(result) for result in self.history],
        }
        save_tensors(path, tensors, progress)

    def load(self, path: Path, fingerprint: str) -> None:
        """Go on from what :meth:`save` wrote; refuses another run's or a damaged file."""
        tensors, progress = load_tensors(path)
        if progress.get("fingerprint") != fingerprint or progress.get("config") != asdict(
            self.config
        ):
            raise CheckpointError(
                f"{path} belongs to a run with other settings or data; "
                "continue it with its own settings, remove it, or choose another folder"
            )
        try:
            _load_model(self.task, "task.", tensors)
            _load_model(self.compressor, "compressor.", tensors)
            load_optimisers(self.optimisers, tensors)
            self._best = below(tensors, "best.")
            self.best_epoch = int(progress["best_epoch"])
            self.history = [EpochResult(**_tuples(entry)) for entry in progress["history"]]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"{path} does not fit this run ({error}); delete it to start again"
            ) from error

    def _model_state(self) -> dict[str, Tensor]:
        state = {f"task.{name}": value for name, value in self.task.state_dict().items()}
        for name, value in self.compressor.state_dict().items():
            state[f"compressor.{name}"] = value
        return {name: value.detach().clone() for name, value in state.items()}


def _load_model(module: nn.Module, prefix: str, tensors: dict[str, Tensor]) -> None:
    module.load_state_dict(below(tensors, prefix))


def optimiser_tensors(optimisers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Everything that optimisers remember between steps, by name."""
    return {
        f"optimiser.{number}.{index}.{name}": value
        for number, optimiser in enumerate(optimisers)
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
    }


def load_optimisers(
    optimisers: Sequence[torch.optim.Optimizer], tensors: dict[str, Tensor]
) -> None:
    """Put optimisers into the state that :func:`optimiser_tensors` gave."""
    for number, optimiser in enumerate(optimisers):
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in below(tensors, f"optimiser.{number}.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Tensors whose names start with a prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }
