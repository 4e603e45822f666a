"""Batches of coefficients for training, from tensors in memory or from any loader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from bandwise.data.epochs import epoch_generator
from bandwise.data.types import LabelledImages
from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct import dct2


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

    @classmethod
    def of_images(
        cls,
        images: LabelledImages,
        *,
        batch_size: int,
        shuffle_seed: int | None = None,
        device: torch.device | str = "cpu",
    ) -> TensorBatches:
        """Transform a split with :func:`to_coefficients` and keep it on ``device``."""
        coefficients = to_coefficients(images.pixels_u8).to(device)
        labels = images.labels.to(device)
        return cls(coefficients, labels, batch_size=batch_size, shuffle_seed=shuffle_seed)

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch; the last may be smaller."""
        if self.shuffle_seed is None:
            yield from zip(
                self.coefficients.split(self.batch_size),
                self.labels.split(self.batch_size),
                strict=True,
            )
            return
        generator = epoch_generator(self.shuffle_seed, epoch)
        order = torch.randperm(len(self.labels), generator=generator).to(self.labels.device)
        for part in order.split(self.batch_size):
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
