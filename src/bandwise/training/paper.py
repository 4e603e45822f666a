"""The paper's training: a classifier and the weights of its frequency bands, learned together.

    X → compressor → X_c → network → cross-entropy
    loss = cross-entropy + λ · mean((X_c - X)²)
    SGD steps the network, Adam the band weights; the best epoch on validation is kept

Source: "Adaptive frequency band learning for task-specific neural network compression".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from bandwise.data.batches import LoaderBatches
from bandwise.frequency.compressors import Compressor
from bandwise.models.classification import Classification, Reads, per_class_accuracy
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.training.config import TrainingConfig
from bandwise.training.loop import Step, Trainable, run_epochs
from bandwise.training.state import EpochRecord, RunState, TrainingResult


@dataclass(frozen=True, kw_only=True)
class BandEpoch(EpochRecord):
    """An epoch of a network that is trained with band weights.

    Attributes
    ----------
    learning_rate
        Of the network.
    test_accuracy, test_per_class
        None where there is no test split.
    band_weights
        (K,) after the epoch.
    """

    learning_rate: float
    train_task_loss: float
    train_reconstruction_loss: float
    validation_task_loss: float
    test_accuracy: float | None
    test_per_class: tuple[float, ...] | None
    band_weights: tuple[float, ...]


class Batches(Sized, Protocol):
    """Batches of coefficients (N, C, H, W) and labels (N,); ``len`` counts batches."""

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch; the same number yields the same batches."""
        ...


def fit(
    network: nn.Module,
    compressor: Compressor,
    loader: Iterable[Any],
    *,
    validation: Iterable[Any],
    config: TrainingConfig | None = None,
    reads: Reads = "pixels",
    progress: ProgressCallback = ignore_progress,
) -> TrainingResult[BandEpoch]:
    """Train any classifier with a compressor on any loaders, such as PyTorch's ``DataLoader``.

    Both modules are trained in place and left in the state of the best epoch.

    Parameters
    ----------
    network
        Maps (N, C, H, W) to logits (N, classes).
    loader, validation
        Iterables with a length over (pixels, labels): float (N, C, H, W), int64 (N,). The planes
        are those that the compressor's bands partition.
    config
        The paper's settings if not given; batch size and held-out share are the loaders'.
    reads
        Whether the network reads the weighted coefficients or their inverse DCT.
    """
    return train(
        Classification(network, reads=reads),
        compressor,
        LoaderBatches(loader),
        validation=LoaderBatches(validation),
        config=config or TrainingConfig(),
        progress=progress,
    )


def train(
    task: Classification,
    compressor: Compressor,
    batches: Batches,
    *,
    validation: Batches,
    config: TrainingConfig,
    test: Batches | None = None,
    checkpoint: Path | None = None,
    fingerprint: str = "",
    stage: str = "training",
    progress: ProgressCallback = ignore_progress,
) -> TrainingResult[BandEpoch]:
    """Train ``task`` and ``compressor`` in place and leave them in the state of the best epoch.

    Raises `CheckpointError` and `DivergenceError` as `bandwise.training.loop.run_epochs`.

    Parameters
    ----------
    checkpoint
        A file that is written after every epoch and in the middle of long ones and, where it
        exists, resumed from.
    fingerprint
        Identity of network and data; a checkpoint with another one is refused.
    progress
        Called after every epoch, with a `BandEpoch` as ``detail``.
    """
    return run_epochs(
        _WithBands(task, compressor, config, batches, validation, test),
        checkpoint=checkpoint,
        identity={"fingerprint": fingerprint, "config": asdict(config)},
        stage=stage,
        progress=progress,
    )


class _WithBands(Trainable[BandEpoch]):
    record_type = BandEpoch

    def __init__(
        self,
        task: Classification,
        compressor: Compressor,
        config: TrainingConfig,
        train: Batches,
        validation: Batches,
        test: Batches | None,
    ) -> None:
        self.network, self._task, self._compressor = task, task, compressor
        self.modules = {"task": task, "compressor": compressor}
        self.schedule, self._config = config, config
        self._train, self._validation, self._test = train, validation, test

    def optimisers(self) -> list[torch.optim.Optimizer]:
        config = self._config
        optimisers: list[torch.optim.Optimizer] = [
            torch.optim.SGD(
                self._task.parameters(), lr=config.network_lr, momentum=config.momentum, fused=True
            )
        ]
        if weights := list(self._compressor.parameters()):
            optimisers.append(torch.optim.Adam(weights, lr=config.band_lr, fused=True))
        return optimisers

    def batches(
        self,
        epoch: int,
        generator: torch.Generator,  # noqa: ARG002
        *,
        start: int,
    ) -> tuple[int, Iterator[Step]]:
        steps = (
            Step(number, coefficients, labels)
            for number, (coefficients, labels) in enumerate(self._train.epoch(epoch))
        )
        return len(self._train), islice(steps, start, None)

    def losses(self, step: Step, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        terms = joint_loss(self._task, self._compressor, step.inputs, step.labels, self._config)
        return torch.stack([terms.loss, terms.task.detach(), terms.reconstruction.detach()])

    def record(self, run: RunState[BandEpoch]) -> BandEpoch:
        measured = run.measured()
        _, task_loss, reconstruction = run.losses()
        validated = self._measure(self._validation)
        tested = None if self._test is None else self._measure(self._test)
        return BandEpoch(
            **measured,
            learning_rate=self.schedule.learning_rate_at(len(run.history)),
            train_task_loss=task_loss,
            train_reconstruction_loss=reconstruction,
            validation_loss=validated.loss,
            validation_task_loss=validated.task_loss,
            validation_accuracy=validated.accuracy,
            test_accuracy=tested.accuracy if tested else None,
            test_per_class=tested.per_class if tested else None,
            band_weights=tuple(self._compressor.weights().tolist()),
        )

    @torch.inference_mode()
    def _measure(self, batches: Batches) -> _Measured:
        """Measure on the first epoch of ``batches`` with both modules in evaluation mode."""
        self._task.eval()
        self._compressor.eval()
        sums, correct, labels = torch.zeros(2, dtype=torch.float64), [], []
        for coefficients, targets in batches.epoch(0):
            terms = joint_loss(self._task, self._compressor, coefficients, targets, self._config)
            sums += len(targets) * torch.stack([terms.loss, terms.task]).double().cpu()
            correct.append(self._task.correct(terms.logits, targets).cpu())
            labels.append(targets.cpu())
        hits = torch.cat(correct)
        loss, task_loss = (sums / len(hits)).tolist()
        per_class = per_class_accuracy(hits, torch.cat(labels), terms.logits.shape[1])
        accuracy = float(hits.double().mean())
        return _Measured(loss, task_loss, accuracy, tuple(per_class.tolist()))


class _Measured(NamedTuple):
    """A network measured on one split; losses are means over images."""

    loss: float
    task_loss: float
    accuracy: float
    per_class: tuple[float, ...]


class JointLoss(NamedTuple):
    """``loss = task + λ · reconstruction``, each a mean over a batch, and logits (N, classes)."""

    loss: Tensor
    task: Tensor
    reconstruction: Tensor
    logits: Tensor


def joint_loss(
    task: Classification,
    compressor: Compressor,
    coefficients: Tensor,
    labels: Tensor,
    config: TrainingConfig,
) -> JointLoss:
    """``L = CE(f(X_c), y) + λ · MSE(X_c, X)`` of coefficients (N, C, H, W) and labels (N,)."""
    weighted, _, scale = compressor(coefficients)
    logits = task(weighted if config.task_gradient else weighted.detach())
    task_loss = task.loss(logits, labels)
    reconstruction = reconstruction_loss(coefficients, scale)
    loss = task_loss + config.reconstruction_weight * reconstruction
    return JointLoss(loss, task_loss, reconstruction, logits)


def reconstruction_loss(coefficients: Tensor, scale: Tensor) -> Tensor:
    """``MSE(X ⊙ s, X)`` of coefficients (N, C, H, W) and scale (H, W).

    Computed as the mean over the plane of ``(s - 1)² · E`` with ``E`` the mean squared coefficient
    over images, so that its gradient never visits the batch again.
    """
    energy = coefficients.square().mean((0, 1))
    return ((scale - 1).square() * energy).mean()
