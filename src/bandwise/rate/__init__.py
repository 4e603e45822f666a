"""Differentiable bits: what quantised coefficients cost in a file.

    quantised integers ──estimate_bits──→ bits of each image: its own symbols and Huffman codes
    unquantised blocks ──RateCurves.measure──→ bits and squared error by frequency and step

`Calibration` fits either to real files. An estimate is for learning; a reported rate is counted in
real files.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from bandwise.coefficients import Subsampling
from bandwise.rate.calibration import Calibration
from bandwise.rate.curves import RateCurves
from bandwise.rate.symbols import symbol_bits

__all__ = ["Calibration", "RateCurves", "estimate_bits", "symbol_bits"]

UNCALIBRATED = Calibration()
"""Leaves estimates as they are."""


def estimate_bits(
    quantised: Sequence[Tensor],
    *,
    subsampling: Subsampling = "4:2:0",
    calibration: Calibration = UNCALIBRATED,
) -> Tensor:
    """Bits (N,) of the entropy-coded payload of baseline files with optimised Huffman codes.

    Parameters
    ----------
    quantised
        (N, blocks_y, blocks_x, 8, 8) a component, floating point: what a compressor returns. With
        noise in place of rounding the count is far too high (15 % to 150 %); round
        straight-through where the bits themselves matter.
    subsampling
        Order in which a colour file interleaves luma blocks.
    calibration
        Fitted to real files; the default leaves 0.3 to 1.1 % uncounted, mostly stuffed bytes.

    Raises
    ------
    ShapeError
        If there are neither 1 nor 3 components of blocks.
    """
    luma, chroma = symbol_bits(quantised, subsampling=subsampling)
    blocks = sum(plane.shape[1] * plane.shape[2] for plane in quantised)
    return calibration(luma, chroma, blocks)
