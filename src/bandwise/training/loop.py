"""The loop.

for each epoch:
    for each batch:      X → compressor → X_c → network → cross-entropy
                         loss = cross-entropy + λ · mean((X_c - X)²)
                         SGD steps the network, Adam the band weights
    validate, keep the best epoch, write a checkpoint, report
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from bandwise.compressors import Compressor
from bandwise.data.batches import LoaderBatches
from bandwise.errors import DivergenceError
from bandwise.tasks import Classification, Reads, per_class_accuracy
from bandwise.training.config import TrainingConfig
from bandwise.training.state import EpochResult, RunState, TrainingResult


class Batches(Sized, Protocol):
    """Batches of coefficients (N, C, H, W) and labels (N,); ``len`` counts batches."""

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch; the same number yields the same batches."""
        ...


@dataclass(frozen=True, kw_only=True)
class StepProgress:
    """Where a running epoch stands; ``loss`` is the mean so far in this epoch."""

    epoch: int
    step: int
    steps: int
    loss: float


class Observer:
    """Hears of progress; override what is of interest."""

    def on_step(self, progress: StepProgress) -> None:
        """Hear of progress within an epoch, a few times a second at most."""

    def on_epoch(self, result: EpochResult) -> None:
        """Hear of an epoch's result, after its checkpoint was written."""


def fit(
    network: nn.Module,
    compressor: Compressor,
    loader: Iterable[Any],
    *,
    validation: Iterable[Any],
    config: TrainingConfig | None = None,
    reads: Reads = "pixels",
    observer: Observer | None = None,
) -> TrainingResult:
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
        The paper's settings if not given; batch size, held-out share and seed are the loaders'.
    reads
        Whether the network reads the weighted coefficients or their inverse DCT.
    """
    return train(
        Classification(network, reads=reads),
        compressor,
        LoaderBatches(loader),
        validation=LoaderBatches(validation),
        config=config or TrainingConfig(),
        observer=observer,
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
    observer: Observer | None = None,
) -> TrainingResult:
    """Train ``task`` and ``compressor`` in place and leave them in the state of the best epoch.

    Parameters
    ----------
    checkpoint
        A file that is written after every epoch and, where it exists, resumed from.
    fingerprint
        Identity of data and settings; a checkpoint with another one is refused.

    Raises
    ------
    CheckpointError
        If ``checkpoint`` is damaged or belongs to another configuration.
    """
    observer = observer or Observer()
    run = RunState(task, compressor, config)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint, fingerprint)
        for result in run.history:
            observer.on_epoch(result)
    while not run.finished:
        epoch = len(run.history)
        run.set_learning_rate(config.learning_rate(epoch))
        compressor.anneal(epoch / max(config.epochs - 1, 1))
        started = time.perf_counter()
        sums, images = _train_epoch(run, batches, epoch, observer)
        seconds = time.perf_counter() - started
        validated = evaluate(task, compressor, validation, config)
        tested = test and evaluate(task, compressor, test, config)
        rings = compressor.rings()
        loss, task_loss, reconstruction = (sums / images).tolist()
        if not math.isfinite(loss + validated.loss):
            raise DivergenceError(
                f"the loss is not finite in epoch {epoch + 1} (training {loss}, validation "
                f"{validated.loss}); lower the learning rate, now {config.network_lr}"
            )
        run.record(
            EpochResult(
                epoch=epoch + 1,
                learning_rate=config.learning_rate(epoch),
                train_loss=loss,
                train_task_loss=task_loss,
                train_reconstruction_loss=reconstruction,
                validation_loss=validated.loss,
                validation_task_loss=validated.task_loss,
                validation_accuracy=validated.accuracy,
                test_accuracy=tested.accuracy if tested else None,
                test_per_class=tested.per_class if tested else None,
                band_weights=validated.weights.mean,
                train_seconds=seconds,
                images=images,
                band_weights_std=validated.weights.std,
                band_edges=rings.edges if rings else None,
                band_exponent=rings.exponent if rings else None,
            )
        )
        if checkpoint is not None:
            run.save(checkpoint, fingerprint)
        observer.on_epoch(run.history[-1])
    run.restore_best()
    return TrainingResult(
        history=tuple(run.history),
        best_epoch=run.best_epoch,
        stopped_early=len(run.history) < config.epochs,
    )


def _train_epoch(
    run: RunState, batches: Batches, epoch: int, observer: Observer
) -> tuple[Tensor, int]:
    """One pass over the data; sums over images of (loss, task loss, reconstruction loss)."""
    task, compressor = run.task, run.compressor
    sums, images, reported = torch.zeros(3, dtype=torch.float64), 0, time.monotonic()
    steps = len(batches)
    task.train()
    compressor.train()
    for step, (coefficients, labels) in enumerate(batches.epoch(epoch), start=1):
        losses = train_step(run, coefficients, labels)
        sums += len(labels) * torch.stack([loss.detach() for loss in losses]).double().cpu()
        images += len(labels)
        if time.monotonic() - reported > 0.25:
            reported = time.monotonic()
            mean_loss = float(sums[0]) / images
            observer.on_step(StepProgress(epoch=epoch + 1, step=step, steps=steps, loss=mean_loss))
    return sums, images


def train_step(
    run: RunState, coefficients: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Learn from one batch; returns what :func:`joint_loss` does."""
    for optimiser in run.optimisers:
        optimiser.zero_grad()
    losses = joint_loss(run.task, run.compressor, coefficients, labels, run.config)
    losses[0].backward()
    for optimiser in run.optimisers:
        optimiser.step()
    return losses


def joint_loss(
    task: Classification,
    compressor: Compressor,
    coefficients: Tensor,
    labels: Tensor,
    config: TrainingConfig,
) -> tuple[Tensor, Tensor, Tensor]:
    """``L = CE(f(X_c), y) + λ · MSE(X_c, X)`` of a batch, with its two terms (CE, MSE)."""
    weighted, _, scale = compressor(coefficients)
    seen = weighted if config.task_gradient else weighted.detach()
    task_loss = task.loss(task(seen), labels)
    reconstruction = reconstruction_loss(coefficients, scale)
    return task_loss + config.reconstruction_weight * reconstruction, task_loss, reconstruction


def reconstruction_loss(coefficients: Tensor, scale: Tensor) -> Tensor:
    """``MSE(X ⊙ s, X)`` of coefficients (N, C, H, W) and scale (H, W) or (N, 1, H, W).

    Computed as the mean over the plane of ``(s - 1)² · E`` with ``E`` the mean squared coefficient
    of all that share a scale, so that its gradient never visits the batch again.
    """
    own = scale.ndim == coefficients.ndim
    energy = coefficients.square().mean(1 if own else (0, 1), keepdim=own)
    return ((scale - 1).square() * energy).mean()


@dataclass(frozen=True, kw_only=True)
class WeightStatistics:
    """Band weights over images, one number a band.

    ``std`` and ``by_class``, the mean over the images of each class, are None where all images
    share the weights.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...] | None = None
    by_class: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A network measured on one split. Losses are means over images."""

    loss: float
    task_loss: float
    accuracy: float
    per_class: tuple[float, ...]
    weights: WeightStatistics


@torch.inference_mode()
def evaluate(
    task: Classification,
    compressor: Compressor,
    batches: Batches,
    config: TrainingConfig,
) -> Evaluation:
    """Measure on the first epoch of ``batches`` with both modules in evaluation mode."""
    task.eval()
    compressor.eval()
    sums, correct, labels, weights = torch.zeros(2, dtype=torch.float64), [], [], []
    for coefficients, targets in batches.epoch(0):
        weighted, band_weights, scale = compressor(coefficients)
        logits = task(weighted)
        task_loss = task.loss(logits, targets)
        reconstruction = reconstruction_loss(coefficients, scale)
        loss = task_loss + config.reconstruction_weight * reconstruction
        sums += len(targets) * torch.stack([loss, task_loss]).double().cpu()
        correct.append(task.correct(logits, targets).cpu())
        labels.append(targets.cpu())
        weights.append(band_weights.cpu())
    hits, all_labels = torch.cat(correct), torch.cat(labels)
    loss_mean, task_mean = (sums / len(hits)).tolist()
    classes = logits.shape[1]
    return Evaluation(
        loss=loss_mean,
        task_loss=task_mean,
        accuracy=float(hits.double().mean()),
        per_class=tuple(per_class_accuracy(hits, all_labels, classes).tolist()),
        weights=_weight_statistics(weights, all_labels, classes),
    )


def _weight_statistics(weights: Sequence[Tensor], labels: Tensor, classes: int) -> WeightStatistics:
    """Summarise the weights of batches: (K,) each, or (N, K) where each image has its own."""
    if weights[0].ndim == 1:
        return WeightStatistics(mean=tuple(weights[0].tolist()))
    seen = torch.cat(list(weights)).double()
    return WeightStatistics(
        mean=tuple(seen.mean(0).tolist()),
        std=tuple(seen.std(0, correction=0).tolist()),
        by_class=tuple(tuple(seen[labels == each].mean(0).tolist()) for each in range(classes)),
    )
