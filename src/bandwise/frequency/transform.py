"""Pixels ↔ coefficients as a JPEG codec computes them, on batches and differentiable.

    pixels ──colour──→ Y, Cb, Cr ──subsample──→ planes ──8×8 DCT──→ blocks
    pixels ←─colour──  Y, Cb, Cr ←──upsample──  planes ←─inverse──  blocks

Samples are rounded and clamped where a codec does so, with the gradient of the identity. What is
left of the difference to libjpeg are rare roundings within its integer transforms.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bandwise.errors import ShapeError
from bandwise.frequency.coefficients import LUMA_SAMPLING, Subsampling, block_grid
from bandwise.frequency.color import downsample, pad_to, rgb_to_ycbcr, upsample, ycbcr_to_rgb
from bandwise.frequency.dct import block_dct2, block_idct2
from bandwise.frequency.tables import BLOCK

_LEVELS, _CENTRE = 255.0, 128.0

_FRACTIONS = 8
"""libjpeg's integer DCT gives coefficients in eighths."""


def pixels_to_blocks(pixels: Tensor, subsampling: Subsampling) -> list[Tensor]:
    """Unquantised coefficients of each component.

    Raises `ShapeError` if there are neither 1 nor 3 channels. Returns (N, blocks_y, blocks_x, 8, 8)
    a component: luma, or luma, Cb and Cr.

    Parameters
    ----------
    pixels
        (N, C, H, W) in [0, 1]; C = 1 for grey, 3 for RGB.
    subsampling
        Chroma subsampling of colour.
    """
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        raise ShapeError(f"pixels are (N, 1 or 3, H, W), got {tuple(pixels.shape)}")
    samples = pixels * _LEVELS
    if samples.shape[1] == 3:
        samples = _rounded(rgb_to_ycbcr(samples))
    return [
        _coefficients(plane, _ratios(component, subsampling))
        for component, plane in enumerate(samples.split(1, dim=1))
    ]


def blocks_to_pixels(
    planes: Sequence[Tensor], size: Sequence[int], subsampling: Subsampling
) -> Tensor:
    """Undo :func:`pixels_to_blocks` for pixels of ``size`` (H, W), in [0, 1]."""
    shown = torch.cat(
        [
            _samples(plane, size[0], size[1], _ratios(component, subsampling))
            for component, plane in enumerate(planes)
        ],
        dim=1,
    )
    if len(planes) == 3:
        shown = _clamped(_rounded(ycbcr_to_rgb(shown)))
    return shown / _LEVELS


def round_half_away(values: Tensor) -> Tensor:
    """Nearest integers, halves away from zero: how libjpeg rounds a coefficient over its step.

    >>> import torch
    >>> round_half_away(torch.tensor([-1.5, -0.5, 0.49, 0.5, 2.5])).tolist()
    [-2.0, -1.0, 0.0, 1.0, 3.0]
    """
    whole = values.trunc()
    return whole + (2 * (values - whole)).trunc()


def straight_through(values: Tensor, replacement: Tensor) -> Tensor:
    """``replacement`` bit for bit, with the gradient of ``values`` (Bengio et al., 2013)."""
    return replacement.detach() + (values - values.detach())


def _ratios(component: int, subsampling: Subsampling) -> tuple[int, int]:
    return (1, 1) if component == 0 else LUMA_SAMPLING[subsampling]


def _coefficients(plane: Tensor, ratios: tuple[int, int]) -> Tensor:
    """Coefficients (N, blocks_y, blocks_x, 8, 8) of full-size samples (N, 1, H, W).

    As libjpeg does, the edges are padded to whole blocks to the right before subsampling, below
    after it.
    """
    h_ratio, v_ratio = ratios
    height, width = plane.shape[-2:]
    blocks_y, blocks_x = block_grid(width, height, h_ratio=h_ratio, v_ratio=v_ratio)
    wide = pad_to(plane, height, blocks_x * BLOCK * h_ratio)
    small = downsample(wide, h_ratio=h_ratio, v_ratio=v_ratio)
    if ratios != (1, 1):
        small = _ties_alternate(small)
    blocks = block_dct2(pad_to(small, blocks_y * BLOCK, blocks_x * BLOCK) - _CENTRE).squeeze(1)
    return _rounded(blocks * _FRACTIONS) / _FRACTIONS


def _samples(blocks: Tensor, height: int, width: int, ratios: tuple[int, int]) -> Tensor:
    """Full-size samples (N, 1, H, W), whole numbers 0..255, of one component's blocks."""
    h_ratio, v_ratio = ratios
    small = _clamped(_rounded(block_idct2(blocks[:, None]) + _CENTRE))
    cropped = small[..., : -(-height // v_ratio), : -(-width // h_ratio)]
    return _rounded(upsample(cropped, height, width))


def _rounded(values: Tensor) -> Tensor:
    return straight_through(values, torch.round(values))


def _clamped(samples: Tensor) -> Tensor:
    return samples.clamp(0, _LEVELS)


def _ties_alternate(means: Tensor) -> Tensor:
    """Round as libjpeg's downsampling does: halves down in even columns, up in odd ones."""
    bias = torch.full_like(means[0, 0, 0], 0.5)
    bias[::2] = 0.25
    return straight_through(means, torch.floor(means + bias))
