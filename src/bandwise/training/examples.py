"""Labelled images in the form in which a network reads them, and how they are changed at random.

read ──→ augment ──→ network
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from bandwise.data import LabelledImages
from bandwise.data.augment import Augmentation, augment, augment_coefficients
from bandwise.data.batches import BatchRandom
from bandwise.data.files import LabelledFiles
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.models import to_unit_range

Inputs = TypeVar("Inputs", Tensor, CoefficientBatch)


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
