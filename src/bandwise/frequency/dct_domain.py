"""Images as the coefficients of their 8×8 blocks, and what can be done to them in that form.

Every function does to the coefficients what its namesake does to pixels; none of them visits a
pixel. The DCT is linear and orthonormal, so whatever is linear in the pixels is linear here: a mean
of two samples is an 8×16 matrix, and any separable change of the picture ``A X Bᵀ`` keeps its form,
with the block DCTs of ``A`` and ``B`` in their place.

Values are not clamped to what a pixel can hold. Grey, level 128, is zero in every frequency; it
fills what lies outside of an image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct import dct_matrix, from_blocks, to_blocks
from bandwise.frequency.tables import BLOCK, FREQUENCIES

CENTRE = 128.0
"""Level that is zero in the coefficients."""


class CoefficientBatch(NamedTuple):
    """Orthonormal 8×8 DCT coefficients of (sample − 128), frequencies as channels, float32.

    Channel ``8·v + u`` has vertical frequency v and horizontal frequency u. Where there is colour
    it is sampled 4:2:0, and luma has an even number of rows and columns. Tensors are channels-last
    in memory: a block's coefficients lie side by side, as in a file.

    Attributes
    ----------
    luma
        (N, 64, rows, columns), of blocks.
    chroma
        (N, 128, rows / 2, columns / 2): Cb's 64 frequencies, then Cr's; None for grey images.
    """

    luma: Tensor
    chroma: Tensor | None = None

    @property
    def images(self) -> int:
        """Number of images; ``len`` is that of the tuple."""
        return self.luma.shape[0]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of luma blocks."""
        return self.luma.shape[2], self.luma.shape[3]

    def to(self, device: torch.device | str) -> CoefficientBatch:
        """Copy to a device where it is not there yet."""
        return _map(self, lambda plane: plane.to(device))

    def select(self, index: Tensor | slice) -> CoefficientBatch:
        """Images at an index, in its order."""
        return _map(self, lambda plane: plane[index])


def concatenate(batches: Sequence[CoefficientBatch]) -> CoefficientBatch:
    """Put batches of one grid together; grey images get grey chroma where others have colour."""
    if any(batch.chroma is not None for batch in batches):
        batches = [with_chroma(batch) for batch in batches]
    planes = [[plane for plane in batch if plane is not None] for batch in batches]
    return CoefficientBatch(*(torch.cat(same) for same in zip(*planes, strict=True)))


class FrequencyStatistics(NamedTuple):
    """Mean and standard deviation of each frequency, (64,) for grey images or (192,)."""

    mean: Tensor
    deviation: Tensor

    @property
    def energy(self) -> Tensor:
        """Mean square."""
        return self.mean.square() + self.deviation.square()


def frequency_statistics(batches: Iterable[CoefficientBatch]) -> FrequencyStatistics:
    """Measure over all blocks of all batches, summed in float64.

    Raises `ConfigurationError` when there are no images.
    """
    totals: dict[int, Tensor] = {}
    counts: dict[int, int] = {}
    for batch in batches:
        for index, plane in enumerate(plane for plane in batch if plane is not None):
            values = plane.movedim(1, -1).flatten(0, -2).double()
            sums = torch.stack([values.sum(0), values.square().sum(0)])
            totals[index] = totals[index] + sums if index in totals else sums
            counts[index] = counts.get(index, 0) + len(values)
    if not totals:
        raise ConfigurationError("there are no images to measure frequencies of")
    mean, square = torch.cat([totals[index] / counts[index] for index in totals], 1)
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return FrequencyStatistics(mean.float(), deviation.float())


def with_chroma(batch: CoefficientBatch) -> CoefficientBatch:
    """Give grey images grey chroma, and an even grid."""
    if batch.chroma is not None:
        return batch
    luma = fill_to_even(batch.luma)
    grey = luma.new_zeros(batch.images, luma.shape[2] // 2, luma.shape[3] // 2, 2 * FREQUENCIES)
    return CoefficientBatch(luma, grey.permute(0, 3, 1, 2))


def fit(batch: CoefficientBatch, rows: int, columns: int) -> CoefficientBatch:
    """Bring to a grid of luma blocks about the centre: crop what is over, add grey blocks.

    Raises `ShapeError` if ``rows`` or ``columns`` is odd where there is colour.
    """
    if batch.grid == (rows, columns):
        return batch
    step = 1 if batch.chroma is None else 2
    top, left = (
        (want - have) // (2 * step) * step
        for have, want in zip(batch.grid, (rows, columns), strict=True)
    )
    luma = _framed(batch.luma, top, left, rows, columns)
    if batch.chroma is None:
        return CoefficientBatch(luma)
    return CoefficientBatch(luma, _framed(batch.chroma, *_halves(top, left, rows, columns)))


def fill_to_even(plane: Tensor, *, rows: bool = True, columns: bool = True) -> Tensor:
    """Add grey blocks below and to the right where a side named is odd: (N, C, h, w) as before."""
    below, right = rows and plane.shape[2] % 2, columns and plane.shape[3] % 2
    return F.pad(plane, (0, right, 0, below)) if below or right else plane


def adjust_contrast(
    batch: CoefficientBatch, factor: Tensor | float, *, about: Tensor | float | None = None
) -> CoefficientBatch:
    """Scale the distance of red, green and blue from a grey level.

    Parameters
    ----------
    factor
        One number, or (N,).
    about
        Level of 0..255 that stays, one number or (N,): 0 scales the light, 128 is mid-grey; by
        default each image's mean luma.
    """
    scale = _each(factor, batch.luma)
    mean = batch.luma[:, 0].mean((1, 2)) / BLOCK if about is None else about - CENTRE
    luma = batch.luma * scale
    luma[:, 0] += (BLOCK * (1 - scale) * _each(mean, luma))[..., 0]
    return CoefficientBatch(luma, None if batch.chroma is None else batch.chroma * scale)


def adjust_saturation(batch: CoefficientBatch, factor: Tensor | float) -> CoefficientBatch:
    """Scale the distance of each pixel from the grey of its luma: one number, or (N,)."""
    if batch.chroma is None:
        return batch
    return batch._replace(chroma=batch.chroma * _each(factor, batch.luma))


def keep_frequencies(
    batch: CoefficientBatch, luma: Tensor, chroma: Tensor | None = None
) -> CoefficientBatch:
    """Multiply frequencies by a mask or by weights; without them chroma stays as it is.

    Parameters
    ----------
    luma, chroma
        (64,) and (128,), or (N, 64) and (N, 128).
    """
    kept = batch.chroma
    if kept is not None and chroma is not None:
        kept = kept * chroma[..., None, None]
    return CoefficientBatch(batch.luma * luma[..., None, None], kept)


def halve(plane: Tensor, *, rows: bool = False, columns: bool = False) -> Tensor:
    """Average neighbouring samples: (N, C, h, w) to (N, C, ⌈h/2⌉, ⌈w/2⌉) along the sides named.

    An odd side is filled up with grey blocks.
    """
    if not (rows or columns):
        return plane
    across, down = 2 if columns else 1, 2 if rows else 1
    blocks = _blocks(fill_to_even(plane, rows=rows, columns=columns))
    neighbours = blocks.unflatten(2, (-1, across)).unflatten(1, (-1, down)).transpose(2, 3)
    kernel = _averaging_kernel(down, across).to(plane)
    return _plane(neighbours.movedim(5, 3).flatten(4) @ kernel.mT)


def resample(plane: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Apply a separable linear change ``A X Bᵀ`` of the pixels X, less 128, of each image.

    Returns (N, C, h', w').

    Parameters
    ----------
    plane
        (N, C, h, w), luma or chroma.
    rows, columns
        ``A`` (N, 8·h', 8·h) and ``B`` (N, 8·w', 8·w), such as of :func:`window_matrices`.
    """
    side_by_side = from_blocks(_blocks(plane).permute(0, 3, 1, 2, 4, 5))
    left, right = (_between_blocks(matrix)[:, None] for matrix in (rows, columns))
    return _plane(to_blocks(left @ side_by_side @ right.mT).permute(0, 2, 3, 1, 4, 5))


def window_matrices(size: Tensor, centre: Tensor, *, inputs: int, outputs: int) -> Tensor:
    """Matrices that show windows of ``inputs`` samples with ``outputs`` samples, bilinear.

    The same as ``grid_sample`` does along one side with ``padding_mode="reflection"`` and
    ``align_corners=False``, and in its units. Returns (N, outputs, inputs), rows that sum to 1.

    Parameters
    ----------
    size
        (N,): side of the window relative to the image's; below 0 it is mirrored.
    centre
        (N,): middle of the window; the image spans -1..1.
    """
    steps = (2 * torch.arange(outputs, device=size.device) + 1) / outputs - 1
    position = ((size[:, None] * steps + centre[:, None] + 1) * inputs - 1) / 2
    position = (position + 0.5).remainder(2 * inputs)
    position = (torch.minimum(position, 2 * inputs - position) - 0.5).clamp(0, inputs - 1)
    before = position.floor().clamp(max=max(inputs - 2, 0))
    share = (position - before)[..., None]
    matrices = position.new_zeros(*position.shape, inputs)
    index = before.long()[..., None]
    matrices.scatter_(2, index, 1 - share)
    return matrices.scatter_add_(2, (index + 1).clamp(max=inputs - 1), share)


def show_windows(
    batch: CoefficientBatch, sizes: Tensor, centres: Tensor, *, rows: int, columns: int
) -> CoefficientBatch:
    """Zoom into, stretch, shift and mirror each image: `resample` by `window_matrices`.

    Parameters
    ----------
    sizes, centres
        (N, 2): vertical and horizontal, in the units of :func:`window_matrices`.
    rows, columns
        Grid of luma blocks of what is returned; even where there is colour.
    """

    def shown(plane: Tensor, height: int, width: int) -> Tensor:
        matrices = [
            window_matrices(
                sizes[:, side],
                centres[:, side],
                inputs=plane.shape[2 + side] * BLOCK,
                outputs=blocks * BLOCK,
            )
            for side, blocks in enumerate((height, width))
        ]
        return resample(plane, matrices[0], matrices[1])

    luma = shown(batch.luma, rows, columns)
    if batch.chroma is None:
        return CoefficientBatch(luma)
    return CoefficientBatch(luma, shown(batch.chroma, *_halves(rows, columns)))


def _map(batch: CoefficientBatch, change: Callable[[Tensor], Tensor]) -> CoefficientBatch:
    return CoefficientBatch(
        change(batch.luma), None if batch.chroma is None else change(batch.chroma)
    )


def _blocks(plane: Tensor) -> Tensor:
    """View (N, 64·c, h, w) as (N, h, w, c, 8, 8), its order in memory."""
    blocks: Tensor = plane.permute(0, 2, 3, 1).unflatten(3, (-1, BLOCK, BLOCK))
    return blocks


def _plane(blocks: Tensor) -> Tensor:
    return blocks.flatten(3).permute(0, 3, 1, 2)


def _between_blocks(matrices: Tensor) -> Tensor:
    """What matrices (N, outputs, inputs) of samples do to the coefficients of blocks of 8."""
    forward = dct_matrix(BLOCK, dtype=matrices.dtype, device=matrices.device)
    of_inputs = matrices.reshape(-1, BLOCK) @ forward.mT
    return (forward @ of_inputs.view(-1, BLOCK, matrices.shape[2])).view(matrices.shape)


def _framed(plane: Tensor, top: int, left: int, rows: int, columns: int) -> Tensor:
    """Plane with ``top`` rows and ``left`` columns before it, of a size; below 0 they are cut."""
    below, right = rows - plane.shape[2] - top, columns - plane.shape[3] - left
    return F.pad(plane, (left, right, top, below))


def _halves(*blocks: int) -> list[int]:
    if any(count % 2 for count in blocks):
        raise ShapeError(f"with colour, luma blocks are counted in even numbers, got {blocks}")
    return [count // 2 for count in blocks]


def _each(value: Tensor | float, plane: Tensor) -> Tensor:
    """One number, or one an image, to be broadcast over a plane (N, C, h, w)."""
    return torch.as_tensor(value, dtype=plane.dtype, device=plane.device).reshape(-1, 1, 1, 1)


@lru_cache(maxsize=4)
def _averaging_kernel(down: int, across: int) -> Tensor:
    """(64, down · across · 64): blocks side by side to the block of their averaged samples."""
    forward = dct_matrix(BLOCK, dtype=torch.float64)

    def averaging(blocks: int) -> Tensor:
        means: Tensor = (
            torch.eye(BLOCK, dtype=torch.float64).repeat_interleave(blocks, dim=1) / blocks
        )
        means = means.unflatten(1, (blocks, BLOCK))
        return torch.einsum("vy,ykz,pz->vkp", forward, means, forward)

    kernel: Tensor = torch.einsum("vkp,ulq->vuklpq", averaging(down), averaging(across))
    return kernel.flatten(2).flatten(0, 1)
