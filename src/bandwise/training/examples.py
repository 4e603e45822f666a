"""Labelled images in the form in which a network reads them.

    read ──→ augment ──→ network

An `Examples` knows how a batch is read, and how it is changed at random, in its own form.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from bandwise.data import LabelledImages
from bandwise.data.augment import Augmentation, augment, augment_coefficients
from bandwise.data.epochs import BatchRandom
from bandwise.data.files import LabelledFiles
from bandwise.dct_domain import CoefficientBatch
from bandwise.tasks import to_unit_range

Inputs = TypeVar("Inputs", Tensor, CoefficientBatch)


class Examples(ABC, Generic[Inputs]):
    """Images with their classes.

    Attributes
    ----------
    labels
        (N,) int64.
    """

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def read(self, index: Tensor) -> Inputs:
        """Images at ``index`` (n,), as a network takes them in evaluation."""

    @abstractmethod
    def augment(
        self, inputs: Inputs, settings: Augmentation, random: BatchRandom, *, scale: float
    ) -> Inputs:
        """Change each image at random; its sides become about ``scale`` of what they were."""

    def batches(self, size: int) -> Iterator[Inputs]:
        """Read all images in order."""
        for index in torch.arange(len(self)).split(size):
            yield self.read(index)


class PixelExamples(Examples[Tensor]):
    """Pixels in memory."""

    def __init__(self, images: LabelledImages) -> None:
        self._pixels_u8 = images.pixels_u8
        self.labels = images.labels

    def read(self, index: Tensor) -> Tensor:
        """(n, C, H, W) in [0, 1]."""
        return to_unit_range(self._pixels_u8[index])

    def augment(
        self, inputs: Tensor, settings: Augmentation, random: BatchRandom, *, scale: float
    ) -> Tensor:
        """See `bandwise.data.augment`."""
        height, width = (round(side * scale) for side in inputs.shape[2:])
        changed = augment(inputs, settings, random, size=(height, width))
        return changed.contiguous(memory_format=torch.channels_last)


class DecodedExamples(PixelExamples):
    """JPEG files that are decoded each time they are read."""

    def __init__(self, files: LabelledFiles) -> None:
        self._files = files
        self.labels = files.labels

    def read(self, index: Tensor) -> Tensor:
        """(n, C, H, W) in [0, 1]."""
        return to_unit_range(self._files.pixels(index))


class CoefficientExamples(Examples[CoefficientBatch]):
    """JPEG files whose coefficients are read.

    Parameters
    ----------
    band_dropout
        Share of the frequencies of each image that `augment` makes zero, from 0 to below 1.
    """

    def __init__(self, files: LabelledFiles, *, band_dropout: float = 0.0) -> None:
        self._files = files
        self._band_dropout = band_dropout
        self.labels = files.labels

    def read(self, index: Tensor) -> CoefficientBatch:
        """Dequantised coefficients."""
        return self._files.coefficients(index)

    def augment(
        self,
        inputs: CoefficientBatch,
        settings: Augmentation,
        random: BatchRandom,
        *,
        scale: float,
    ) -> CoefficientBatch:
        """See `bandwise.data.augment`."""
        rows, columns = (max(2, 2 * round(side * scale / 2)) for side in inputs.grid)
        return augment_coefficients(
            inputs, settings, random, rows=rows, columns=columns, band_dropout=self._band_dropout
        )


def as_examples(images: LabelledImages | Examples[Any]) -> Examples[Any]:
    """Pixels in memory as examples; what is one already stays."""
    return PixelExamples(images) if isinstance(images, LabelledImages) else images
