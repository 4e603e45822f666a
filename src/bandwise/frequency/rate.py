"""What quantised coefficients cost in a file.

    quantised integers ──estimate_bits──→ bits of each image: its own symbols and Huffman codes
    unquantised blocks ──RateCurves.measure──→ bits and squared error by frequency and step

A baseline file codes each block as symbols (run of zeros, size) followed by the bits of the
values (ITU-T T.81, F.1.2); an optimised file has Huffman codes made for its own symbols. Both are
done here on tensors, so the count is that of a real file but for stuffed bytes. Its gradient is the
slope of the mean cost of a magnitude at its frequency. An estimate is for learning; a reported rate
is counted in real files.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from bandwise.errors import ShapeError
from bandwise.frequency.coefficients import LUMA_SAMPLING, Subsampling
from bandwise.frequency.tables import BLOCK, FREQUENCIES, STEP_MAX, ZIGZAG
from bandwise.frequency.transform import round_half_away

_BINS_PER_UNIT = 2
"""Rounding to multiples of a whole step changes at multiples of one half: bins of one half lose
nothing."""

_END_OF_BLOCK, _ZERO_RUN = 0x00, 0xF0
_SYMBOLS = 256
_SIZES = 12
"""Sizes of a baseline value: 0..11 bits."""

_PRIOR_WEIGHT = 8.0
"""Values of the whole plane that the mean cost at one frequency counts in."""

_UNSEEN_BITS = 2.0
"""What one more size costs where no value of that size was seen."""

_DECAY_MIN = 1e-3
_HALF_A_VALUE = 0.5
"""Added to each number of values before a logarithm."""


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

        Raises `ShapeError` if there is no block or a block has not 64 coefficients.
        """
        values = np.asarray(blocks, dtype=np.float32)
        if values.shape[-2:] == (BLOCK, BLOCK):
            values = values.reshape(-1, FREQUENCIES)
        if values.ndim != 2 or values.shape[1] != FREQUENCIES or not len(values):
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
    numbers_below, sums_below = np.zeros((2, FREQUENCIES, top + 1))
    for frequency, (column, weights) in enumerate(zip(bins.T, magnitudes.T, strict=True)):
        numbers_below[frequency, 1:] = np.bincount(column, minlength=top).cumsum()
        sums_below[frequency, 1:] = np.bincount(column, weights, minlength=top).cumsum()
    energy = np.square(magnitudes, dtype=np.float64).sum(0)
    bits, squared_error = np.empty((2, FREQUENCIES, STEP_MAX))
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


def estimate_bits(quantised: Sequence[Tensor], *, subsampling: Subsampling = "4:2:0") -> Tensor:
    """Bits (N,) of the entropy-coded payload of baseline files with optimised Huffman codes.

    0.3 to 1.1 % stay uncounted, mostly stuffed bytes. Raises `ShapeError` if there are neither 1
    nor 3 components of blocks.

    Parameters
    ----------
    quantised
        (N, blocks_y, blocks_x, 8, 8) a component, floating point, natural order: luma alone, or
        luma, Cb and Cr. Values that are not whole are counted as their nearest integers.
    subsampling
        Order in which a colour file interleaves luma blocks.
    """
    if len(quantised) not in (1, 3) or any(
        plane.ndim != 5 or plane.shape[-2:] != (BLOCK, BLOCK) for plane in quantised
    ):
        raise ShapeError(
            "expected 1 or 3 components of shape (N, blocks_y, blocks_x, 8, 8), got "
            f"{[tuple(plane.shape) for plane in quantised]}"
        )
    if len(quantised) == 1:
        return _table_bits(quantised, (1, 1))
    luma, *chroma = quantised
    return _table_bits([luma], LUMA_SAMPLING[subsampling]) + _table_bits(chroma, (1, 1))


def _table_bits(planes: Sequence[Tensor], unit: tuple[int, int]) -> Tensor:
    """Bits (N,) of components that share a pair of Huffman tables."""
    scans, fillers = zip(*(_scan(plane, unit) for plane in planes), strict=True)
    differences = torch.cat(
        [torch.diff(scan[..., 0], prepend=torch.zeros_like(scan[:, :1, 0])) for scan in scans], 1
    )
    blocks = torch.cat(scans, 1)
    return _dc_bits(differences, sum(fillers)) + _ac_bits(blocks, sum(fillers))


def _scan(plane: Tensor, unit: tuple[int, int]) -> tuple[Tensor, int]:
    """Blocks (N, B, 64) in zigzag order as they are coded, and how many fill up the last units."""
    images, rows, columns = plane.shape[:3]
    across, down = unit
    number = torch.arange(rows * columns).reshape(rows, columns)
    fill = (0, -columns % across, 0, -rows % down)
    whole = torch.nn.functional.pad(number, fill, value=-1)
    units = whole.reshape(whole.shape[0] // down, down, whole.shape[1] // across, across)
    order = units.transpose(1, 2).flatten()
    real = order[order >= 0].to(plane.device)
    zigzag = torch.tensor(ZIGZAG, device=plane.device)
    blocks = plane.reshape(images, rows * columns, FREQUENCIES)
    return blocks[:, real][..., zigzag], order.numel() - real.numel()


def _dc_bits(differences: Tensor, fillers: int) -> Tensor:
    """Bits (N,) of the differences (N, B) of the zero frequency; a filler differs by nothing."""
    images, per_image = differences.shape
    sizes = _size(round_half_away(differences.detach()))
    counts = torch.zeros(images, _SYMBOLS, dtype=torch.int64, device=sizes.device)
    counts.scatter_add_(1, sizes, torch.ones_like(sizes))
    counts[:, 0] += fillers
    lengths = _code_lengths(counts)
    bits = lengths.gather(1, sizes) + sizes
    exact = bits.sum(1) + fillers * lengths[:, 0]
    # The gradient does not ask about size 0: what zero costs anyway is no cost of a magnitude.
    zero_bits = lengths[:, :1]
    image, block = differences.detach().nonzero(as_tuple=True)
    position = torch.zeros_like(image)
    costs = _mean_costs(position, sizes[image, block], (bits - zero_bits)[image, block], 1)
    return exact.to(differences) + _surrogate_gradient(
        differences[image, block], image, position, costs, (images, per_image)
    )


def _ac_bits(blocks: Tensor, fillers: int) -> Tensor:
    """Bits (N,) of all but the first coefficient of blocks (N, B, 64) in zigzag order."""
    images, per_image = blocks.shape[:2]
    integers = round_half_away(blocks.detach())
    integers[..., 0] = 0
    image, block, position = integers.nonzero(as_tuple=True)
    sizes = _size(integers[image, block, position])
    flat_block = image * per_image + block
    continues = torch.zeros_like(flat_block, dtype=torch.bool)
    continues[1:] = flat_block[1:] == flat_block[:-1]
    run = position - 1 - torch.where(continues, position.roll(1), 0)
    symbols = run % 16 * 16 + sizes
    zero_runs = run // 16
    ended_early = per_image + fillers - (integers[..., -1] != 0).sum(1)
    counts = torch.zeros(images * _SYMBOLS, dtype=torch.int64, device=blocks.device)
    counts.index_add_(0, image * _SYMBOLS + symbols, torch.ones_like(symbols))
    counts.index_add_(0, image * _SYMBOLS + _ZERO_RUN, zero_runs)
    counts = counts.reshape(images, _SYMBOLS)
    counts[:, _END_OF_BLOCK] += ended_early
    lengths = _code_lengths(counts)
    bits = lengths[image, symbols] + sizes + zero_runs * lengths[image, _ZERO_RUN]
    exact = (ended_early * lengths[:, _END_OF_BLOCK]).index_add_(0, image, bits)
    costs = _mean_costs(position, sizes, bits, FREQUENCIES)
    image, block, position = blocks.detach().nonzero(as_tuple=True)
    coded = position > 0
    image, block, position = image[coded], block[coded], position[coded]
    return exact.to(blocks) + _surrogate_gradient(
        blocks[image, block, position], image, position, costs, (images, per_image)
    )


def _size(integers: Tensor) -> Tensor:
    """Bits of each magnitude: 0 for 0, 1 for 1, 2 for 2 and 3, ..."""
    return torch.frexp(integers.abs()).exponent.long().clamp(max=_SIZES - 1)


def _code_lengths(counts: Tensor) -> Tensor:
    """Lengths (N, 256) int64 of the Huffman codes for symbol counts (N, 256); 0 where unused."""
    lengths = torch.zeros(counts.shape, dtype=torch.int64)
    for image, numbers in enumerate(counts.tolist()):
        for symbol, length in huffman_lengths(numbers).items():
            lengths[image, symbol] = length
    return lengths.to(counts.device)


def huffman_lengths(counts: Sequence[int]) -> dict[int, int]:
    """Length of each used symbol's code in bits; one code is kept free, as JPEG wants it."""
    heap = [(count, -symbol, [symbol]) for symbol, count in enumerate(counts) if count]
    lengths = {symbol: 0 for _, _, (symbol,) in heap}
    heap.append((1, -len(counts), []))
    heapq.heapify(heap)
    while len(heap) > 1:
        # Of equal counts the higher symbol first, as libjpeg does: the free code is the longest.
        first, order, left = heapq.heappop(heap)
        second, _, right = heapq.heappop(heap)
        for symbol in (merged := left + right):
            lengths[symbol] += 1
        heapq.heappush(heap, (first + second, order, merged))
    return lengths


def _mean_costs(position: Tensor, sizes: Tensor, bits: Tensor, positions: int) -> Tensor:
    """Mean bits (positions, 12) of a value by position and size, from 0 for size 0 upwards."""
    cells = position * _SIZES + sizes
    totals = torch.zeros(positions * _SIZES, dtype=torch.float64, device=bits.device)
    numbers = totals.clone().index_add_(0, cells, torch.ones_like(bits, dtype=torch.float64))
    totals.index_add_(0, cells, bits.double())
    totals, numbers = (table.reshape(positions, _SIZES) for table in (totals, numbers))
    overall = totals.sum(0) / numbers.sum(0).clamp(min=1)
    for size in range(1, _SIZES):
        if not numbers[:, size].any():
            overall[size] = overall[size - 1] + _UNSEEN_BITS
    costs = (totals + _PRIOR_WEIGHT * overall) / (numbers + _PRIOR_WEIGHT)
    costs[:, 0] = 0
    return costs.cummax(1).values


def _surrogate_gradient(
    values: Tensor, image: Tensor, position: Tensor, costs: Tensor, shape: tuple[int, int]
) -> Tensor:
    """Zeros (N,) whose gradient says how bits change as all values at a frequency grow or shrink.

    Bits change where values cross a threshold ``k - 1/2``: by the cost of k less that of k - 1, as
    often as the density there says. Straight-through rounding knows integers alone, and the slope
    of the cost at an integer misses the many values just below 1/2. So the density is that of an
    exponential whose length is the mean of those on both sides of the threshold, and the change is
    laid on the values of the integer above, in proportion to their magnitudes.
    """
    images, per_image = shape
    magnitudes = values.abs()
    integers = round_half_away(magnitudes.detach()).long()
    top = int(integers.max()) + 1 if integers.numel() else 1
    flat = position * (top + 1) + integers
    numbers = torch.bincount(flat, minlength=costs.shape[0] * (top + 1)).reshape(-1, top + 1)
    tails = numbers.flip(1).cumsum(1).flip(1).double()
    tails[:, 0] = images * per_image
    decay = torch.diff((tails + _HALF_A_VALUE).log().neg(), dim=1)
    decay = torch.cat([2 * decay[:, :1], decay[:, 1:], decay[:, -1:]], 1).clamp(min=_DECAY_MIN)
    lengths = 1 / decay
    density = tails[:, 1:] * 2 / (lengths[:, :-1] + lengths[:, 1:])
    thresholds = torch.arange(1, top + 1, device=values.device) - 0.5
    mean = thresholds + lengths[:, 1:] - 1 / torch.expm1(decay[:, 1:])
    by_magnitude = costs[:, _size(torch.arange(top + 1, device=values.device).float())]
    slopes = torch.diff(by_magnitude, dim=1) * thresholds * density
    slopes = slopes / (mean * numbers[:, 1:].clamp(min=1))
    slopes = torch.cat([torch.zeros_like(slopes[:, :1]), slopes], 1).to(values)
    change = slopes[position, integers] * (magnitudes - magnitudes.detach())
    return change.new_zeros(images).index_add(0, image, change)
