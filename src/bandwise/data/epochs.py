"""Epochs: every image once, in an order that follows the seed, shared out among processes.

    seed, epoch → generator → order → batches → parts, one a process

Every process draws the whole order and takes its part of each batch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bandwise.errors import ConfigurationError


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Generator of all that is drawn in an epoch, its order first."""
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)


def draw_batches(
    count: int, batch_size: int, generator: torch.Generator, *, world_size: int = 1
) -> tuple[Tensor, ...]:
    """Divide 0 … count - 1, in random order, into batches for all processes together.

    The last takes in what is left over where that is less than two images a process, for which
    there is no batch normalisation.

    Raises
    ------
    ConfigurationError
        When a batch has fewer than two images for each of several processes.
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
