"""Batches for training: in which order images are read, and batches of coefficients.

    seed, epoch → generator → order → batches → parts, one a process

An epoch has every image once. Every process draws the whole order and takes its part of each batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct import dct2


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Generator of all that is drawn in an epoch, its order first."""
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)


def draw_batches(
    count: int, batch_size: int, generator: torch.Generator, *, world_size: int = 1
) -> tuple[Tensor, ...]:
    """Divide 0 … count - 1, in random order, into batches for all processes together.

    The last takes in what is left over where that is less than two images a process, for which
    there is no batch normalisation. Raises `ConfigurationError` when a batch has fewer than two
    images for each of several processes.
    """
    smallest = min(count, batch_size)
    if world_size > 1 and smallest < 2 * world_size:
        raise ConfigurationError(
            f"{count} images in batches of {batch_size} cannot be shared out among {world_size} "
            f"processes, two each; use {max(1, smallest // 2)} at most"
        )
    batches = [*torch.randperm(count, generator=generator).split(batch_size)]
    if len(batches) > 1 and len(batches[-1]) < 2 * world_size:
        batches[-2:] = [torch.cat(batches[-2:])]
    return tuple(batches)


def part_of(count: int, rank: int, world_size: int) -> slice:
    """Which images of a batch are a process's; parts differ by one image at most."""
    return slice(count * rank // world_size, count * (rank + 1) // world_size)


class BatchRandom:
    """Random numbers for the images of one batch, all of them from a generator that is given.

    Parameters
    ----------
    count
        Images of the batch.
    """

    def __init__(self, generator: torch.Generator, count: int) -> None:
        self.generator = generator
        self.count = count

    def one(self) -> float:
        """Draw a number from [0, 1)."""
        return float(torch.rand((), generator=self.generator))

    def each(self, *shape: int) -> Tensor:
        """Draw numbers from [0, 1) for each image, (count, *shape)."""
        return torch.rand((self.count, *shape), generator=self.generator)

    def beta(self, concentration: float) -> float:
        """Draw from Beta(c, c), as a ratio of Gamma variables."""
        gamma = torch._standard_gamma(torch.full((2,), concentration), self.generator)
        return float(gamma[0] / gamma.sum().clamp(min=1e-12))

    def shuffle(self) -> Callable[[Tensor], Tensor]:
        """Draw another order of the batch; returns what puts tensors (count, ...) in it."""
        order = torch.randperm(self.count, generator=self.generator)
        return lambda values: values[order]


def to_coefficients(pixels_u8: Tensor) -> Tensor:
    """DCT of whole planes of pixels scaled to [-0.5, 0.5]: (N, C, H, W) uint8 to float32."""
    return dct2(pixels_u8.to(torch.float32) / 255 - 0.5)


class TensorBatches:
    """Batches of tensors in memory, transformed once rather than in every step.

    Parameters
    ----------
    coefficients
        (N, C, H, W) float32.
    labels
        (N,) int64.
    shuffle_seed
        Draws the order of each epoch from (seed, epoch); ``None`` keeps the order.
    """

    def __init__(
        self,
        coefficients: Tensor,
        labels: Tensor,
        *,
        batch_size: int,
        shuffle_seed: int | None = None,
    ) -> None:
        if len(coefficients) != len(labels):
            raise ShapeError(f"{len(coefficients)} images came with {len(labels)} labels")
        if not len(labels):
            raise ConfigurationError("there are no images to make batches of")
        self.coefficients = coefficients
        self.labels = labels
        self.batch_size = batch_size
        self.shuffle_seed = shuffle_seed

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch; the last may be smaller."""
        order = torch.arange(len(self.labels))
        if self.shuffle_seed is not None:
            generator = epoch_generator(self.shuffle_seed, epoch)
            order = torch.randperm(len(order), generator=generator)
        for part in order.to(self.labels.device).split(self.batch_size):
            yield self.coefficients[part], self.labels[part]


class LoaderBatches:
    """Batches of any iterable of (pixels, labels), such as a ``torch.utils.data.DataLoader``.

    Pixels are float tensors (N, C, H, W), as the reader's loader scales them; their DCT is taken
    batch by batch.
    """

    def __init__(self, loader: Iterable[Any]) -> None:
        if not hasattr(loader, "__len__"):
            raise ConfigurationError("the loader needs a length; wrap an endless one in a list")
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one pass over the loader; tells a sampler that wants to know the epoch."""
        for name in ("sampler", "batch_sampler"):
            sampler = getattr(self.loader, name, None)
            if sampler is not None and hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)
        for pixels, labels in self.loader:
            yield dct2(pixels), labels
