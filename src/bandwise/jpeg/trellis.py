"""Rate–distortion optimised quantisation: which integers are worth their bits.

    minimise  ½ Σ F (x − q z)²  +  λ · bits        over the integers z of each block

The sum is what a change of the coefficients costs a task (`F` is the Fisher information of its
output about each coefficient); the bits are those of baseline Huffman coding. The minimum is found
exactly, by dynamic programming in native code; the idea is that of MozJPEG's trellis quantisation,
which weighs squared error alone. Files stay standard: a decoder sees other integers, nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.tables import BLOCK, ZIGZAG, QuantTable
from bandwise.jpeg.native import extension

SYMBOLS = 256
"""AC symbols of baseline coding are bytes: 16 · (zeros before an integer) + its size in bits."""

_UNSEEN = 0.1
"""Occurrences added to each symbol; the files hardly depend on it between 0.02 and 0.5."""


def round_blocks(coefficients: NDArray[np.float32], table: QuantTable) -> NDArray[np.int16]:
    """Integers nearest to coefficients ÷ table, halves away from zero, clamped to 8-bit JPEG.

    `coefficients` is (..., 8, 8), natural order; so is the result. Raises `ShapeError`,
    `ConfigurationError`.
    """
    return _quantise(coefficients, table, np.zeros((BLOCK, BLOCK)), 0.0, np.zeros(SYMBOLS))


def optimise_blocks(
    coefficients: NDArray[np.float32],
    table: QuantTable,
    *,
    sensitivity: ArrayLike,
    lagrangian: float,
    ac_bits: ArrayLike,
) -> NDArray[np.int16]:
    """Integers of one component's blocks with the least ½ Σ F (x − q z)² + λ · AC bits.

    `coefficients` x is (..., 8, 8), natural order, in units of JPEG (orthonormal DCT of the samples
    less 128). `sensitivity` F ≥ 0 is (8, 8), or has the shape of `coefficients`. `lagrangian` λ ≥ 0
    is in units of F x² a bit, nats where F is Fisher information; 0 gives `round_blocks`. `ac_bits`
    is the code length of each symbol: see `ac_code_bits`. AC integers are chosen among all from 0
    to the rounded one, DC is rounded. Raises `ShapeError`, `ConfigurationError` for values that are
    negative or not finite.
    """
    return _quantise(coefficients, table, sensitivity, lagrangian, ac_bits)


def ac_code_bits(*planes: NDArray[np.int16]) -> NDArray[np.float64]:
    """Code length in bits of each of the 256 AC symbols, for planes that share a Huffman table.

    `planes` are integers (..., 8, 8), natural order. The length is −log₂ of the symbol's frequency,
    smoothed so that symbols that do not occur have finite lengths too. The bits of an integer
    itself, after its symbol, are not counted in.
    """
    turbo = extension()
    counts = np.zeros(SYMBOLS, np.uint64)
    target = turbo.ffi.from_buffer("uint64_t[]", counts, require_writable=True)
    for plane in planes:
        if plane.dtype != np.int16 or plane.shape[-2:] != (BLOCK, BLOCK):
            raise ShapeError(f"integers are int16 (..., 8, 8), got {plane.dtype} {plane.shape}")
        blocks = np.ascontiguousarray(plane)
        source = turbo.ffi.from_buffer("short[]", blocks)
        turbo.lib.trellis_count(source, blocks.size // BLOCK**2, ZIGZAG, target)
    smoothed = counts + _UNSEEN
    lengths: NDArray[np.float64] = np.log2(smoothed.sum()) - np.log2(smoothed)
    return lengths


def _quantise(
    coefficients: NDArray[np.float32],
    table: QuantTable,
    sensitivity: ArrayLike,
    lagrangian: float,
    ac_bits: ArrayLike,
) -> NDArray[np.int16]:
    x = np.ascontiguousarray(coefficients, np.float32)
    weights = np.ascontiguousarray(sensitivity, np.float32)
    lengths = np.asarray(ac_bits, np.float64)
    if x.shape[-2:] != (BLOCK, BLOCK) or weights.shape not in ((BLOCK, BLOCK), x.shape):
        raise ShapeError(
            "coefficients are (..., 8, 8) and their sensitivity (8, 8) or of the same shape, got "
            f"{x.shape} and {weights.shape}"
        )
    if lengths.shape != (SYMBOLS,):
        raise ShapeError(f"ac_bits has a length for each of 256 symbols, got {lengths.shape}")
    if not np.isfinite(x).all():
        raise ConfigurationError("a coefficient is not finite")
    for name, values in (
        ("sensitivity", weights),
        ("lagrangian", lagrangian),
        ("ac_bits", lengths),
    ):
        if not (np.isfinite(values) & np.greater_equal(values, 0)).all():
            raise ConfigurationError(f"{name} has a value that is negative or not finite")
    turbo = extension()
    blocks = np.empty(x.shape, np.int16)
    source = turbo.ffi.from_buffer("float[]", x)
    weights_pointer = turbo.ffi.from_buffer("float[]", weights)
    settings: Any = turbo.ffi.new(
        "trellis_settings *",
        {
            "zigzag": ZIGZAG,
            "steps": table.values,
            "sensitivity": weights_pointer,
            "sensitivity_stride": 0 if weights.ndim == 2 else BLOCK**2,
            "slope": lagrangian,
            "ac_bits": lengths.tolist(),
        },
    )
    target = turbo.ffi.from_buffer("short[]", blocks, require_writable=True)
    turbo.lib.trellis_quantise(source, x.size // BLOCK**2, settings, target)
    return blocks
