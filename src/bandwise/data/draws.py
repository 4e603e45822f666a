"""Random numbers for the images of a batch, of which this process may hold a part."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class Draws:
    """What is drawn for one batch, all of it from a generator that is given.

    Here all images are this process's own. Where several processes share a batch, each draws for
    all of it and takes what is for its part, so that an image is changed alike on any number of
    them (`bandwise.training.processes`).

    Parameters
    ----------
    count
        Images of the batch.
    """

    def __init__(self, generator: torch.Generator, count: int) -> None:
        self.generator = generator
        self.count = count
        self.part = slice(0, count)

    @property
    def weight(self) -> float:
        """What the mean loss over the part is to be multiplied with."""
        return 1.0

    def one(self) -> float:
        """Draw a number from [0, 1)."""
        return float(torch.rand((), generator=self.generator))

    def all(self, *shape: int) -> Tensor:
        """Draw numbers from [0, 1) for every image of the batch, (count, *shape)."""
        return torch.rand((self.count, *shape), generator=self.generator)

    def each(self, *shape: int) -> Tensor:
        """Those of `all` that are for the images of the part, (n, *shape)."""
        return self.all(*shape)[self.part]

    def beta(self, concentration: float) -> float:
        """Draw from Beta(c, c), as a ratio of Gamma variables."""
        gamma = torch._standard_gamma(torch.full((2,), concentration), self.generator)
        return float(gamma[0] / gamma.sum().clamp(min=1e-12))

    def shuffle(self) -> Callable[[Tensor], Tensor]:
        """Draw another order of the batch; returns what puts tensors (n, ...) of the part in it."""
        order = torch.randperm(self.count, generator=self.generator)
        return lambda values: values[order]
