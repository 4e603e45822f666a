"""Bits and squared error of each frequency at each quantisation step, measured once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from bandwise.errors import ShapeError
from bandwise.frequency.tables import BLOCK, STEP_MAX

_FREQUENCIES = BLOCK * BLOCK
_BINS_PER_UNIT = 2
"""Rounding to multiples of a whole step changes at multiples of one half: bins of one half lose
nothing."""


@dataclass(frozen=True, eq=False)
class RateCurves:
    """Rate and distortion of one component by frequency and step.

    Attributes
    ----------
    bits
        (64, 255) float64: bits a block of each frequency at the steps 1..255, natural order. The
        entropy of the quantised magnitudes over all blocks, and a sign bit for each that is not
        zero; for the zero frequency that of the differences of consecutive blocks.
    squared_error
        (64, 255) float64: mean squared error of the dequantised coefficients.
    """

    bits: Tensor
    squared_error: Tensor

    @classmethod
    def measure(cls, blocks: ArrayLike) -> Self:
        """Measure unquantised blocks (B, 64) or (..., 8, 8), natural order, in scan order.

        Raises
        ------
        ShapeError
            If there is no block or a block has not 64 coefficients.
        """
        values = np.asarray(blocks, dtype=np.float32)
        if values.shape[-2:] == (BLOCK, BLOCK):
            values = values.reshape(-1, _FREQUENCIES)
        if values.ndim != 2 or values.shape[1] != _FREQUENCIES or not len(values):
            raise ShapeError(
                f"expected blocks of shape (B, 64) or (..., 8, 8), got {np.shape(blocks)}"
            )
        bits, squared_error = _measured(np.abs(values))
        bits[0] = [_difference_entropy(values[:, 0], step) for step in range(1, STEP_MAX + 1)]
        return cls(torch.from_numpy(bits), torch.from_numpy(squared_error))


def _measured(
    magnitudes: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Entropy with signs, and mean squared error, (64, 255), of magnitudes (B, 64)."""
    count = len(magnitudes)
    bins = (magnitudes * _BINS_PER_UNIT).astype(np.int64)
    top = int(bins.max()) + 1
    numbers_below, sums_below = np.zeros((2, _FREQUENCIES, top + 1))
    for frequency, (column, weights) in enumerate(zip(bins.T, magnitudes.T, strict=True)):
        numbers_below[frequency, 1:] = np.bincount(column, minlength=top).cumsum()
        sums_below[frequency, 1:] = np.bincount(column, weights, minlength=top).cumsum()
    energy = np.square(magnitudes, dtype=np.float64).sum(0)
    bits, squared_error = np.empty((2, _FREQUENCIES, STEP_MAX))
    for step in range(1, STEP_MAX + 1):
        # The integer z holds the bins (2z - 1) · step up to (2z + 1) · step.
        integers = np.arange((top - 1 + step) // (2 * step) + 1)
        edges = np.minimum((2 * np.arange(len(integers) + 1) - 1) * step, top)
        edges[0] = 0
        numbers = np.diff(numbers_below[:, edges])
        sums = np.diff(sums_below[:, edges])
        bits[:, step - 1] = _entropy_with_signs(numbers)
        coded = numbers @ integers**2 * step**2 - 2 * step * (sums @ integers)
        squared_error[:, step - 1] = np.maximum(energy + coded, 0) / count
    return bits, squared_error


def _difference_entropy(zero_frequency: NDArray[np.float32], step: int) -> float:
    integers = np.rint(zero_frequency / np.float32(step)).astype(np.int64)
    numbers = np.bincount(np.abs(np.diff(integers, prepend=0)))
    return float(_entropy_with_signs(numbers))


def _entropy_with_signs(numbers: NDArray[Any]) -> Any:
    """Bits a value of magnitudes 0, 1, ... that occur (..., Z) times, and a sign if not 0."""
    shares = numbers / numbers.sum(-1, keepdims=True)
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(-1)
    return entropy + 1 - shares[..., 0]
