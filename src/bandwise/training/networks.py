"""Train an image network, on pixels or coefficients: from scratch, or on from given weights.

    read (→ transform) → augment → mix → network → cross-entropy, soft targets
    SGD steps the network; an average follows its weights

What is kept is the average of the last epoch: nothing is chosen on validation. A
`TrainableTransform` is learned with the network: it changes the images first and adds a penalty to
the loss. The next batch is read on another thread meanwhile. Several processes take a part of each
batch each.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.data import LabelledImages
from bandwise.data.augment import (
    PHOTOGRAPHS,
    Augmentation,
    Inputs,
    augment,
    augment_coefficients,
    mix,
)
from bandwise.data.batches import BatchRandom, draw_batches, part_of
from bandwise.data.files import LabelledFiles
from bandwise.errors import ConfigurationError
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.models.classification import logits_of_batches, to_unit_range
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.training.loop import Step, Trainable, run_epochs
from bandwise.training.processes import ALONE, Processes
from bandwise.training.state import EpochRecord, RunState


@dataclass(frozen=True, eq=False)
class Examples(Generic[Inputs]):
    """Images with their classes.

    Attributes
    ----------
    labels
        (N,) int64.
    read
        Gives images at an index (n,), as a network takes them in evaluation.
    augment
        Changes each image at random, by settings; its sides become about a scale of what they were.
    """

    labels: Tensor
    read: Callable[[Tensor], Inputs]
    augment: Callable[[Inputs, Augmentation, BatchRandom, float], Inputs]

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int) -> Iterator[Inputs]:
        """Read all images in order."""
        for index in torch.arange(len(self)).split(size):
            yield self.read(index)


def pixel_examples(images: LabelledImages | LabelledFiles) -> Examples[Tensor]:
    """Pixels (n, C, H, W) in [0, 1]: in memory, or of JPEG files that are decoded when read."""

    def read(index: Tensor) -> Tensor:
        if isinstance(images, LabelledFiles):
            return to_unit_range(images.pixels(index))
        return to_unit_range(images.pixels_u8[index])

    def change(pixels: Tensor, settings: Augmentation, random: BatchRandom, scale: float) -> Tensor:
        height, width = (round(side * scale) for side in pixels.shape[2:])
        changed = augment(pixels, settings, random, size=(height, width))
        return changed.contiguous(memory_format=torch.channels_last)

    return Examples(images.labels, read, change)


def coefficient_examples(
    files: LabelledFiles, *, band_dropout: float = 0.0
) -> Examples[CoefficientBatch]:
    """Dequantised coefficients of JPEG files.

    Parameters
    ----------
    band_dropout
        Share of the frequencies of each image that are zeroed at random, from 0 to below 1.
    """

    def change(
        batch: CoefficientBatch, settings: Augmentation, random: BatchRandom, scale: float
    ) -> CoefficientBatch:
        rows, columns = (max(2, 2 * round(side * scale / 2)) for side in batch.grid)
        return augment_coefficients(
            batch, settings, random, rows=rows, columns=columns, band_dropout=band_dropout
        )

    return Examples(files.labels, files.coefficients, change)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """How a network is trained.

    Attributes
    ----------
    batch_size
        Images a step, of all processes together.
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

    @property
    def patience(self) -> None:
        """Training is never stopped early: nothing is chosen on validation."""

    def learning_rate_at(self, epochs_done: float) -> float:
        """Warm-up, then a cosine to zero."""
        warm_up = (epochs_done + 0.05) / self.warm_up_epochs if self.warm_up_epochs else 1.0
        cosine = 0.5 + 0.5 * math.cos(math.pi * epochs_done / self.epochs)
        return self.learning_rate * min(1.0, warm_up) * cosine


class TrainableTransform(nn.Module, ABC):
    """What is learned together with a network, such as the tables of the files that it reads."""

    @abstractmethod
    def forward(self, pixels: Tensor) -> Tensor:
        """Change pixels (N, C, H, W) in [0, 1] into what the network is to see of them."""

    @abstractmethod
    def penalty(self) -> Tensor:
        """Scalar that is added to the loss."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """Optimiser of the transform's parameters."""


def train_network(
    network: nn.Module,
    train: LabelledImages | Examples[Any],
    *,
    validation: LabelledImages | Examples[Any],
    num_classes: int,
    config: NetworkConfig,
    transform: TrainableTransform | None = None,
    device: torch.device | str = "cpu",
    processes: Processes = ALONE,
    checkpoint: Path | None = None,
    checkpoint_share: float = 0.01,
    fingerprint: str = "",
    stage: str = "training",
    progress: ProgressCallback = ignore_progress,
) -> tuple[EpochRecord, ...]:
    """Train ``network`` in place and leave it with the averaged weights of the last epoch.

    Raises `CheckpointError` and `DivergenceError` as `bandwise.training.loop.run_epochs`;
    `ConfigurationError` if a batch has fewer images than processes need.

    Parameters
    ----------
    network
        Maps what ``train`` reads, such as pixels (N, C, H, W) in [0, 1], to logits
        (N, num_classes).
    transform
        Learned with the network, in place, on pixels. Validation sees the images through it too.
    processes
        What `joined` gives where several processes train the network. All call this with the same
        arguments and get the same result; batches are of all of them together.
    checkpoint, checkpoint_share
        As of `bandwise.training.loop.run_epochs`.
    fingerprint
        Identity of network and data; a checkpoint with another one is refused.
    progress
        Called after every epoch, with an `EpochRecord` as ``detail``.
    """
    trainable = _WithExamples(
        network.to(device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        _as_examples(train),
        _as_examples(validation),
        num_classes,
        config,
        transform,
        processes,
        device,
    )
    result = run_epochs(
        trainable,
        processes=processes,
        checkpoint=checkpoint,
        checkpoint_share=checkpoint_share,
        identity={"fingerprint": fingerprint, "config": asdict(config)},
        stage=stage,
        progress=progress,
    )
    if trainable.network is not network:
        network.load_state_dict(trainable.network.state_dict())
        network.eval()
    return result.history


class _WithExamples(Trainable[EpochRecord]):
    record_type = EpochRecord

    def __init__(
        self,
        network: nn.Module,
        train: Examples[Any],
        validation: Examples[Any],
        num_classes: int,
        config: NetworkConfig,
        transform: TrainableTransform | None,
        processes: Processes,
        device: torch.device | str,
    ) -> None:
        self.network = processes.trainable(network)
        self.modules = {"network": self.network}
        self._replica = processes.replica(self.network)
        self._transform = transform
        self._change = None if transform is None else processes.replica(transform)
        if transform is not None:
            self.modules["transform"] = transform
        self._train, self._validation, self._classes = train, validation, num_classes
        self.schedule, self._config = config, config
        self._processes, self._device = processes, device
        self._scale = 1.0

    def optimisers(self) -> list[torch.optim.Optimizer]:
        config = self._config
        weights = [value for value in self.network.parameters() if value.ndim > 1]
        others = [value for value in self.network.parameters() if value.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": weights},
            {"params": others, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.SGD(
            groups,
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            nesterov=True,
        )
        return [optimiser] if self._transform is None else [optimiser, self._transform.optimiser()]

    def batches(
        self, epoch: int, generator: torch.Generator, *, start: int
    ) -> tuple[int, Iterator[Step]]:
        config, world_size = self._config, self._processes.world_size
        self._scale = config.small_scale if epoch < config.small_share * config.epochs else 1.0
        batches = draw_batches(
            len(self._train), config.batch_size, generator, world_size=world_size
        )
        own = [batch[part_of(len(batch), self._processes.rank, world_size)] for batch in batches]
        steps = (
            Step(number, inputs, self._train.labels[index], world_size * len(index) / len(batch))
            for number, (batch, (index, inputs)) in enumerate(
                zip(batches[start:], _read_ahead(self._train, own[start:]), strict=True), start
            )
        )
        return len(batches), steps

    def losses(self, step: Step, generator: torch.Generator) -> Tensor:
        config, inputs = self._config, step.inputs
        if self._processes.world_size > 1:
            generator = self._generator_of_part(step, generator)
        random = BatchRandom(generator, len(step.labels))
        if self._change is not None:
            inputs = self._change(inputs.to(self._device)).cpu()
        inputs = self._train.augment(inputs, config.augmentation, random, self._scale)
        targets = F.one_hot(step.labels, self._classes).float()
        targets = targets * (1 - config.label_smoothing) + config.label_smoothing / self._classes
        inputs, targets = mix(inputs, targets, config.augmentation.mix, random)
        logits = self._replica(inputs.to(self._device))
        loss = F.cross_entropy(logits, targets.to(self._device))
        if self._transform is not None:
            loss = loss + self._transform.penalty()
        return loss[None]

    def record(self, run: RunState[EpochRecord]) -> EpochRecord:
        measured, labels = run.measured(), self._validation.labels
        logits = self._validation_logits(
            run.judged if self._transform is None else nn.Sequential(self._transform, run.judged)
        )
        return EpochRecord(
            **measured,
            validation_loss=float(F.cross_entropy(logits, labels)),
            validation_accuracy=float((logits.argmax(1) == labels).float().mean()),
        )

    def _validation_logits(self, network: nn.Module) -> Tensor:
        """Logits (N, classes) of all images, each computed by one process."""
        batches = torch.arange(len(self._validation)).split(self._config.batch_size)
        own = batches[self._processes.rank :: self._processes.world_size]
        logits = torch.zeros(len(self._validation), self._classes)
        if own:
            inputs = (self._validation.read(index) for index in own)
            logits[torch.cat(own)] = logits_of_batches(
                network, inputs, device=self._device, num_classes=self._classes
            )
        return self._processes.total(logits)

    def _generator_of_part(self, step: Step, generator: torch.Generator) -> torch.Generator:
        """Seed dropout and what is drawn for the part of this process, by step and process."""
        of_step = generator.initial_seed() * 1_000_003 + step.number
        seed = (of_step * self._processes.world_size + self._processes.rank) % 2**63
        torch.manual_seed(seed)
        return torch.Generator().manual_seed(seed)


def _read_ahead(examples: Examples[Any], parts: Sequence[Tensor]) -> Iterator[tuple[Tensor, Any]]:
    """Each part's index and inputs, read while the one before is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(examples.read, parts[0])
        for index, after in zip(parts, [*parts[1:], None], strict=True):
            inputs = coming.result()
            if after is not None:
                coming = pool.submit(examples.read, after)
            yield index, inputs


def _as_examples(images: LabelledImages | Examples[Any]) -> Examples[Any]:
    return pixel_examples(images) if isinstance(images, LabelledImages) else images
