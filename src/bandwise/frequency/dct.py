"""Orthonormal DCT-II and its inverse, for whole planes and for 8×8 blocks.

The transform of a plane ``x`` is ``D_H x D_Wᵀ`` with the orthonormal DCT-II matrix ``D``
(Ahmed, Natarajan and Rao, "Discrete Cosine Transform", IEEE Trans. Computers, 1974). On 8×8
blocks it is the transform of JPEG (ITU-T T.81, A.3.3) up to rounding.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from bandwise.errors import ShapeError
from bandwise.frequency.tables import BLOCK


@lru_cache(maxsize=64)
def _dct_matrix_f64(size: int) -> Tensor:
    frequency = torch.arange(size, dtype=torch.float64)[:, None]
    sample = torch.arange(size, dtype=torch.float64)[None, :]
    matrix = torch.cos(math.pi * (2 * sample + 1) * frequency / (2 * size)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def dct_matrix(
    size: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Tensor:
    """Orthonormal DCT-II matrix of shape (size, size): row = frequency, column = sample."""
    if size < 1:
        raise ShapeError(f"a DCT needs at least one sample, got size {size}")
    return _dct_matrix_f64(size).to(dtype=dtype, device=device)


def dct2(planes: Tensor) -> Tensor:
    """Two-dimensional DCT-II of each plane.

    Returns (..., H, W), same dtype and device; index (i, j) is vertical frequency i, horizontal j.

    Parameters
    ----------
    planes
        (..., H, W), floating point.
    """
    rows, columns = _matrices_for(planes)
    return rows @ planes @ columns.mT


def idct2(coefficients: Tensor) -> Tensor:
    """Inverse of :func:`dct2`; (..., H, W) to (..., H, W)."""
    rows, columns = _matrices_for(coefficients)
    return rows.mT @ coefficients @ columns


def to_blocks(planes: Tensor) -> Tensor:
    """Cut planes (..., H, W) into blocks (..., H/8, W/8, 8, 8).

    Raises `ShapeError` if H or W is not a multiple of 8: pad first, as an encoder does.
    """
    height, width = _plane_size(planes)
    if height % BLOCK or width % BLOCK:
        raise ShapeError(
            f"8×8 blocks need a height and width that are multiples of 8, got {height}×{width}; "
            "pad the planes first"
        )
    blocks = planes.reshape(*planes.shape[:-2], height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return blocks.transpose(-3, -2)


def from_blocks(blocks: Tensor) -> Tensor:
    """Put blocks (..., Y, X, 8, 8) together to planes (..., 8·Y, 8·X)."""
    if blocks.ndim < 4 or blocks.shape[-2:] != (BLOCK, BLOCK):
        raise ShapeError(f"expected blocks of shape (..., Y, X, 8, 8), got {tuple(blocks.shape)}")
    *batch, rows, columns, _, _ = blocks.shape
    return blocks.transpose(-3, -2).reshape(*batch, rows * BLOCK, columns * BLOCK)


def block_dct2(planes: Tensor) -> Tensor:
    """DCT-II of each 8×8 block: (..., H, W) to (..., H/8, W/8, 8, 8).

    Both passes are one product with the 64×64 Kronecker square of the DCT matrix, which on a CPU
    is about three times as fast as two products of 8×8 matrices.
    """
    blocks = to_blocks(planes)
    kernel = _block_kernel(blocks)
    return (blocks.flatten(-2) @ kernel.mT).reshape(blocks.shape)


def block_idct2(blocks: Tensor) -> Tensor:
    """Inverse of :func:`block_dct2`: (..., Y, X, 8, 8) to (..., 8·Y, 8·X)."""
    if blocks.ndim < 4 or blocks.shape[-2:] != (BLOCK, BLOCK):
        raise ShapeError(f"expected blocks of shape (..., Y, X, 8, 8), got {tuple(blocks.shape)}")
    _require_floating(blocks)
    kernel = _block_kernel(blocks)
    return from_blocks((blocks.flatten(-2) @ kernel).reshape(blocks.shape))


def _block_kernel(like: Tensor) -> Tensor:
    matrix = _dct_matrix_f64(BLOCK)
    return torch.kron(matrix, matrix).to(dtype=like.dtype, device=like.device)


def _matrices_for(planes: Tensor) -> tuple[Tensor, Tensor]:
    height, width = _plane_size(planes)
    rows = dct_matrix(height, dtype=planes.dtype, device=planes.device)
    columns = dct_matrix(width, dtype=planes.dtype, device=planes.device)
    return rows, columns


def _plane_size(planes: Tensor) -> tuple[int, int]:
    if planes.ndim < 2:
        raise ShapeError(f"expected planes of shape (..., H, W), got {tuple(planes.shape)}")
    _require_floating(planes)
    return planes.shape[-2], planes.shape[-1]


def _require_floating(values: Tensor) -> None:
    if not values.is_floating_point():
        raise ShapeError(f"a DCT needs floating-point values, got {values.dtype}; convert first")
