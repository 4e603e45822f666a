"""Epochs: every image once, in an order that follows the seed, shared out among processes.

    seed, epoch → generator → order → batches → parts, one a process

Every process draws the whole order and takes its part of each batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.utils.data
from torch import Tensor

from bandwise.errors import ConfigurationError


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Generator of all that is drawn in an epoch, its order first."""
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)


def draw_batches(
    count: int, batch_size: int, generator: torch.Generator, *, world_size: int = 1
) -> tuple[Tensor, ...]:
    """Divide 0 … count - 1, in random order, into batches for all processes together.

    The last takes in what is left over where that is one image, for which there is no batch
    normalisation, or less than one a process.

    Raises
    ------
    ConfigurationError
        When a batch has fewer images than there are processes.
    """
    smallest = min(count, batch_size)
    if smallest < world_size:
        raise ConfigurationError(
            f"{count} images in batches of {batch_size} cannot be shared out among {world_size} "
            f"processes; use {smallest} at most"
        )
    batches = [*torch.randperm(count, generator=generator).split(batch_size)]
    if len(batches) > 1 and len(batches[-1]) < max(2, world_size):
        batches[-2:] = [torch.cat(batches[-2:])]
    return tuple(batches)


def part_of(count: int, rank: int, world_size: int) -> slice:
    """Which images of a batch are a process's; parts differ by one image at most."""
    return slice(count * rank // world_size, count * (rank + 1) // world_size)


class EpochBatches(torch.utils.data.Sampler[list[int]]):
    """The batches of this process, as `bandwise.training.train_network` draws them.

    For ``DataLoader(batch_sampler=...)``, which shares them out among its workers. Over all
    processes, an epoch has every image exactly once.

    Parameters
    ----------
    count
        Images of the data set.
    batch_size
        Of all processes together.
    rank, world_size
        This process and their number, such as ``torch.distributed.get_rank()`` and
        ``get_world_size()``.

    Raises
    ------
    ConfigurationError
        When a batch has fewer images than there are processes.
    """

    def __init__(
        self, count: int, batch_size: int, *, seed: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._rank, self._world_size = rank, world_size
        self.set_epoch(0)

    def set_epoch(self, epoch: int, *, start: int = 0) -> None:
        """Go to an epoch, and past its first ``start`` batches, those that a stopped run did."""
        generator = epoch_generator(self._seed, epoch)
        self._batches = draw_batches(
            self._count, self._batch_size, generator, world_size=self._world_size
        )[start:]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._batches:
            yield batch[part_of(len(batch), self._rank, self._world_size)].tolist()
