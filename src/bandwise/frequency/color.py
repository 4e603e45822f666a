"""Colour conversion and chroma sampling of JPEG files, differentiable.

Samples are real numbers on the scale 0..255; nothing is rounded or clamped here. What libjpeg does
differs by its rounding to integers after each step.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from bandwise.errors import ShapeError

_RED, _BLUE = 0.299, 0.114
"""Shares of red and blue in luma (ITU-R BT.601, 2.5.1)."""

_CENTRE = 128.0
_SMOOTH_WIDTH_MIN = 3
"""libjpeg-turbo repeats chroma samples where a plane that it widens is narrower than this."""


@lru_cache(maxsize=1)
def _forward_matrix() -> Tensor:
    luma = torch.tensor([_RED, 1 - _RED - _BLUE, _BLUE], dtype=torch.float64)
    red, _, blue = torch.eye(3, dtype=torch.float64)
    return torch.stack([luma, (blue - luma) / (2 - 2 * _BLUE), (red - luma) / (2 - 2 * _RED)])


def rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    """Y, Cb, Cr of red, green, blue: (..., 3, H, W) to (..., 3, H, W), samples 0..255.

    ITU-R BT.601 over the full range, chroma centred at 128 (JFIF 1.02). Raises `ShapeError`.
    """
    ycbcr = _mix(_forward_matrix(), rgb)
    return ycbcr + _centre_of(ycbcr)


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """Inverse of :func:`rgb_to_ycbcr`; a result may leave 0..255."""
    return _mix(torch.linalg.inv(_forward_matrix()), ycbcr - _centre_of(ycbcr))


def downsample(planes: Tensor, *, h_ratio: int, v_ratio: int) -> Tensor:
    """Mean of each ``v_ratio``×``h_ratio`` box: (N, C, H, W) to (N, C, ⌈H/v⌉, ⌈W/h⌉).

    Where a side is no multiple of its ratio the last column or row is repeated, as an encoder does.
    """
    height, width = planes.shape[-2:]
    whole = pad_to(planes, height + -height % v_ratio, width + -width % h_ratio)
    if (h_ratio, v_ratio) == (1, 1):
        return whole
    return functional.avg_pool2d(whole, (v_ratio, h_ratio))


def upsample(planes: Tensor, height: int, width: int) -> Tensor:
    """Undo subsampling by 1 or 2 along each side: (N, C, ⌈H/v⌉, ⌈W/h⌉) to (N, C, H, W).

    Each new sample is 3/4 of the nearest old one and 1/4 of the next nearest along either side that
    grows: the triangle filter that libjpeg calls fancy upsampling. As there, planes at most two
    samples wide that are widened have their samples repeated instead. Raises `ShapeError` if a side
    is neither the wanted one nor half of it, rounded up.
    """
    grid = (planes.shape[-2], planes.shape[-1])
    ratios = [1 if have == want else 2 for have, want in zip(grid, (height, width), strict=True)]
    if any(
        have != -(-want // ratio)
        for have, want, ratio in zip(grid, (height, width), ratios, strict=True)
    ):
        raise ShapeError(
            f"planes of {grid[0]}×{grid[1]} samples are no subsampling by 1 or 2 of "
            f"{height}×{width}"
        )
    if ratios == [1, 1]:
        return planes
    size = [side * ratio for side, ratio in zip(grid, ratios, strict=True)]
    if ratios[1] == 2 and grid[1] < _SMOOTH_WIDTH_MIN:
        whole = functional.interpolate(planes, size, mode="nearest")
    else:
        whole = functional.interpolate(planes, size, mode="bilinear", align_corners=False)
    return whole[..., :height, :width]


def pad_to(planes: Tensor, height: int, width: int) -> Tensor:
    """Repeat the last row and column of (N, C, H, W) until the planes have the given size."""
    below, right = height - planes.shape[-2], width - planes.shape[-1]
    if below == right == 0:
        return planes
    return functional.pad(planes, (0, right, 0, below), mode="replicate")


def _mix(matrix: Tensor, planes: Tensor) -> Tensor:
    if planes.ndim < 3 or planes.shape[-3] != 3:
        raise ShapeError(f"colour planes have shape (..., 3, H, W), got {tuple(planes.shape)}")
    return torch.einsum("oc,...chw->...ohw", matrix.to(planes), planes)


def _centre_of(planes: Tensor) -> Tensor:
    return planes.new_tensor([0.0, _CENTRE, _CENTRE])[:, None, None]
