"""Train an image network, on pixels or coefficients: from scratch, or on from given weights.

for each epoch:
    for each batch:      read (→ companion) → augment → mix → network → cross-entropy, soft targets
                         SGD steps the network; an average follows its weights
    validate the average, write a checkpoint, report

What is kept is the average of the last epoch: nothing is chosen on validation. A companion is
learned with the network: it changes the images first and adds a penalty to the loss. The next batch
is read on another thread meanwhile.
"""

from __future__ import annotations

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.checkpoint import load_tensors, save_tensors
from bandwise.data import LabelledImages
from bandwise.data.augment import PHOTOGRAPHS, Augmentation
from bandwise.errors import CheckpointError, ConfigurationError, DivergenceError
from bandwise.tasks import logits_of_batches
from bandwise.training.examples import Examples, as_examples
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


NetworkListener = Callable[[NetworkEpoch], None]


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


def train_network(
    network: nn.Module,
    train: LabelledImages | Examples[Any],
    *,
    validation: LabelledImages | Examples[Any],
    num_classes: int,
    config: NetworkConfig,
    companion: Companion | None = None,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    fingerprint: str = "",
    listener: NetworkListener = lambda _: None,
) -> tuple[NetworkEpoch, ...]:
    """Train ``network`` in place and leave it with the averaged weights of the last epoch.

    Parameters
    ----------
    network
        Maps what ``train`` reads, such as pixels (N, C, H, W) in [0, 1], to logits
        (N, num_classes).
    companion
        Learned with the network, in place, on pixels. Validation sees the images through it too.
    checkpoint
        A file that is written after every epoch and, where it exists, resumed from.
    fingerprint
        Identity of network, data and settings; a checkpoint with another one is refused.

    Raises
    ------
    CheckpointError
        If ``checkpoint`` is damaged or belongs to another configuration.
    DivergenceError
        If the loss leaves the finite numbers.
    """
    train, validation = as_examples(train), as_examples(validation)
    run = _Run(network.to(device), config, companion)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint, fingerprint)
    while len(run.history) < config.epochs:
        started = time.perf_counter()
        with torch.random.fork_rng(devices=[]):
            loss = _train_epoch(run, train, num_classes, device)
        seconds = time.perf_counter() - started
        if not math.isfinite(loss):
            raise DivergenceError(
                f"the loss is {loss} in epoch {len(run.history) + 1}; "
                f"use a learning rate below {config.learning_rate}"
            )
        batches = validation.batches(config.batch_size)
        logits = logits_of_batches(run.evaluated(), batches, device=device)
        run.history.append(
            NetworkEpoch(
                epoch=len(run.history) + 1,
                epochs=config.epochs,
                train_loss=loss,
                validation_loss=float(F.cross_entropy(logits, validation.labels)),
                validation_accuracy=float((logits.argmax(1) == validation.labels).float().mean()),
                train_seconds=seconds,
                images=len(train),
            )
        )
        if checkpoint is not None:
            run.save(checkpoint, fingerprint)
        listener(run.history[-1])
    network.load_state_dict(run.average.state_dict())
    network.eval()
    return tuple(run.history)


def _train_epoch(
    run: _Run, examples: Examples[Any], num_classes: int, device: torch.device | str
) -> float:
    """One pass; the mean loss over images."""
    config, epoch = run.config, len(run.history)
    seed = config.seed * 1_000_003 + epoch
    torch.manual_seed(seed)  # dropout
    generator = torch.Generator().manual_seed(seed)
    scale = config.small_scale if epoch < config.small_share * config.epochs else 1.0
    order = torch.randperm(len(examples), generator=generator)
    batches = [*order.split(config.batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1:  # batch normalisation needs two
        batches[-2:] = [torch.cat(batches[-2:])]
    run.network.train()
    if run.companion is not None:
        run.companion.train()
    total = torch.zeros((), dtype=torch.float64, device=device)
    for step, (index, inputs) in enumerate(_read_ahead(examples, batches)):
        run.set_learning_rate(epoch + step / len(batches))
        if run.companion is not None:
            inputs = run.companion(inputs)
        inputs = examples.augment(inputs, config.augmentation, generator, scale=scale)
        targets = F.one_hot(examples.labels[index], num_classes).float()
        targets = targets * (1 - config.label_smoothing) + config.label_smoothing / num_classes
        inputs, targets = examples.mix(inputs, targets, config.augmentation.mix, generator)
        loss = F.cross_entropy(run.network(inputs.to(device)), targets.to(device))
        if run.companion is not None:
            loss = loss + run.companion.penalty()
        for optimiser in run.optimisers:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in run.optimisers:
            optimiser.step()
        run.follow()
        total += loss.detach() * len(index)
    return float(total) / len(examples)


def _read_ahead(examples: Examples[Any], batches: Sequence[Tensor]) -> Iterator[tuple[Tensor, Any]]:
    """Each batch's index and inputs, read while the one before is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(examples.read, batches[0])
        for index, after in zip(batches, [*batches[1:], None], strict=True):
            inputs = coming.result()
            if after is not None:
                coming = pool.submit(examples.read, after)
            yield index, inputs


class _Run:
    """Everything that changes while a network is trained."""

    def __init__(
        self, network: nn.Module, config: NetworkConfig, companion: Companion | None
    ) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network)
        self.config = config
        self.companion = companion
        self.steps = 0
        self.history: list[NetworkEpoch] = []
        weights = [value for value in network.parameters() if value.ndim > 1]
        others = [value for value in network.parameters() if value.ndim <= 1]
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

    def set_learning_rate(self, epochs_done: float) -> None:
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
        tensors: dict[str, Tensor] = {}
        for name, module in self.modules().items():
            tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
        tensors |= optimiser_tensors(self.optimisers)
        save_tensors(path, tensors, {**self._identity(fingerprint), **self._progress()})

    def load(self, path: Path, fingerprint: str) -> None:
        tensors, progress = load_tensors(path)
        identity = self._identity(fingerprint)
        if {key: progress.get(key) for key in identity} != identity:
            raise CheckpointError(
                f"{path} belongs to another network, data set or settings; "
                "continue it with its own or choose another output folder"
            )
        try:
            for name, module in self.modules().items():
                module.load_state_dict(below(tensors, f"{name}."))
            load_optimisers(self.optimisers, tensors)
            self.steps = int(progress["steps"])
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
        return {"steps": self.steps, "history": [asdict(entry) for entry in self.history]}
