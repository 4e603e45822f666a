"""What a run has reached, and how it is saved: between epochs and within one."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from bandwise.checkpoint import load_tensors, save_tensors
from bandwise.errors import CheckpointError

_AVERAGE_WARM_UP = 10


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """What one epoch gave; ``epoch`` counts from 1, losses are means over images, in nats."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    train_seconds: float
    images: int


Record = TypeVar("Record", bound=EpochRecord)


class Schedule(Protocol):
    """How long is trained and what is kept: a `TrainingConfig` or a `NetworkConfig`."""

    @property
    def epochs(self) -> int:
        """At most so many."""

    @property
    def seed(self) -> int:
        """Of all that is drawn."""

    @property
    def averaging(self) -> float | None:
        """Decay a step of the network's running average, which is judged and kept.

        None keeps the epoch of the lowest validation loss.
        """

    @property
    def patience(self) -> int | None:
        """Stop after so many epochs without a lower validation loss; None for never."""

    def learning_rate_at(self, epochs_done: float) -> float:
        """Of the first optimiser."""


@dataclass(frozen=True, kw_only=True)
class TrainingResult(Generic[Record]):
    """A finished run.

    Attributes
    ----------
    best_epoch
        The one with the lowest validation loss.
    """

    history: tuple[Record, ...]
    best_epoch: int
    stopped_early: bool

    @property
    def best(self) -> Record:
        """The epoch with the lowest validation loss."""
        return self.history[self.best_epoch - 1]


class RunState(Generic[Record]):
    """Everything that changes while a run goes on; it is the same on every process.

    Attributes
    ----------
    steps, step
        Steps of the optimisers: in all, and in the epoch that is running.
    """

    def __init__(
        self,
        network: nn.Module,
        modules: Mapping[str, nn.Module],
        optimisers: list[torch.optim.Optimizer],
        schedule: Schedule,
        record_type: type[Record],
        identity: Mapping[str, Any],
    ) -> None:
        self.network, self.optimisers, self.schedule = network, optimisers, schedule
        self._record_type = record_type
        self.average = None if schedule.averaging is None else copy.deepcopy(network)
        self.modules = dict(modules)
        if self.average is not None:
            self.modules["average"] = self.average
        self.identity = json.loads(json.dumps(identity))
        self.history: list[Record] = []
        self.best_epoch = self.steps = self.step = 0
        self._best = {} if self.average is not None else self._model_state()
        self._sums = torch.zeros(0, dtype=torch.float64)
        self._generator = torch.Generator()
        self._random: dict[str, Tensor] = {}
        self._started = self._seconds = 0.0

    @property
    def judged(self) -> nn.Module:
        """The network that is validated: the average, where there is one."""
        return self.network if self.average is None else self.average

    @property
    def finished(self) -> bool:
        """Whether all epochs are done or patience has run out."""
        patience, waited = self.schedule.patience, len(self.history) - self.best_epoch
        out_of_patience = patience is not None and waited >= patience
        return len(self.history) >= self.schedule.epochs or out_of_patience

    @property
    def result(self) -> TrainingResult[Record]:
        """The run as far as it has come."""
        return TrainingResult(
            history=tuple(self.history),
            best_epoch=self.best_epoch,
            stopped_early=len(self.history) < self.schedule.epochs,
        )

    def enter_epoch(self, generator: torch.Generator) -> None:
        """Begin an epoch that draws from ``generator``, or go on in the middle of it."""
        torch.manual_seed(generator.initial_seed())  # dropout
        self._generator = generator
        if self._random:
            generator.set_state(self._random["epoch"])
            torch.set_rng_state(self._random["torch"])
            if "cuda" in self._random and torch.cuda.is_available():
                torch.cuda.set_rng_state(self._random["cuda"])
            self._random = {}
        self._started = time.perf_counter() - self._seconds

    @property
    def seconds(self) -> float:
        """What the steps of the epoch took so far, before interruptions too."""
        return time.perf_counter() - self._started

    def measured(self) -> dict[str, Any]:
        """What is recorded of the steps of any epoch, by the names of an `EpochRecord`."""
        return {
            "epoch": len(self.history) + 1,
            "train_loss": self.losses()[0],
            "train_seconds": self.seconds,
            "images": int(self._sums[-1]),
        }

    def losses(self) -> tuple[float, ...]:
        """Mean of each loss over the images of the epoch so far."""
        return tuple((self._sums[:-1] / self._sums[-1]).tolist())

    def set_learning_rate(self, epochs_done: float) -> None:
        """Set that of the first optimiser; those of others are constant."""
        for group in self.optimisers[0].param_groups:
            group["lr"] = self.schedule.learning_rate_at(epochs_done)

    @torch.no_grad()
    def after_step(self, sums: Tensor) -> None:
        """Take in a step: (L + 1,) float64, sums of the losses of its images and their number."""
        self.step += 1
        self.steps += 1
        self._sums = sums + (self._sums.to(sums.device) if len(self._sums) else 0)
        if self.average is None or self.schedule.averaging is None:
            return
        decay = min(self.schedule.averaging, self.steps / (_AVERAGE_WARM_UP + self.steps))
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for average, value in pairs:
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)

    def leave_epoch(self, record: Record) -> None:
        """Add an epoch, and keep the modules' state where it is the best so far."""
        self.history.append(record)
        self.step, self._seconds, self._sums = 0, 0.0, self._sums[:0]
        if record.validation_loss <= min(entry.validation_loss for entry in self.history):
            self.best_epoch = record.epoch
            if self.average is None:
                self._best = self._model_state()

    def restore(self) -> None:
        """Put the network into the state that is kept, in evaluation mode."""
        if self.average is not None:
            self.network.load_state_dict(self.average.state_dict())
        else:
            self._load_modules(self._best)
        for module in self.modules.values():
            module.eval()

    def save(self, path: Path) -> None:
        """Write the whole state to one file."""
        tensors = self._model_state()
        tensors |= {f"best.{name}": value for name, value in self._best.items()}
        tensors |= {
            f"optimiser.{number}.{index}.{name}": value
            for number, optimiser in enumerate(self.optimisers)
            for index, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        if self.step:
            tensors["random.epoch"] = self._generator.get_state()
            tensors["random.torch"] = torch.get_rng_state()
            if self._sums.is_cuda:
                tensors["random.cuda"] = torch.cuda.get_rng_state()
        reached = {
            "steps": self.steps,
            "step": self.step,
            "sums": self._sums.tolist(),
            "seconds": self.seconds if self.step else 0.0,
            "best_epoch": self.best_epoch,
            "history": [asdict(record) for record in self.history],
        }
        save_tensors(path, tensors, {"identity": self.identity, **reached})

    def load(self, path: Path) -> None:
        """Go on from what :meth:`save` wrote; refuses another run's or a damaged file."""
        tensors, reached = load_tensors(path)
        if reached.get("identity") != self.identity:
            raise CheckpointError(
                f"{path} belongs to a run with another network, data set or settings; continue it "
                "with its own, remove it, or choose another folder"
            )
        try:
            self._load_modules(tensors)
            _load_optimisers(self.optimisers, tensors)
            self._best, self._random = _below(tensors, "best."), _below(tensors, "random.")
            self.steps, self.step = int(reached["steps"]), int(reached["step"])
            self._sums = torch.tensor(reached["sums"], dtype=torch.float64)
            self._seconds = float(reached["seconds"])
            self.best_epoch = int(reached["best_epoch"])
            self.history = [self._record_type(**_tuples(each)) for each in reached["history"]]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"{path} does not fit this run ({error}); delete it to start again"
            ) from error

    def _model_state(self) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value.detach().clone()
            for name, module in self.modules.items()
            for key, value in module.state_dict().items()
        }

    def _load_modules(self, tensors: dict[str, Tensor]) -> None:
        for name, module in self.modules.items():
            module.load_state_dict(_below(tensors, f"{name}."))


def _load_optimisers(
    optimisers: Sequence[torch.optim.Optimizer], tensors: dict[str, Tensor]
) -> None:
    for number, optimiser in enumerate(optimisers):
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(tensors, f"optimiser.{number}.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
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
