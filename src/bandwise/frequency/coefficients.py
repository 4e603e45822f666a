"""Quantised DCT coefficients of an image: what is learned on and what a JPEG file stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import CoefficientError
from bandwise.frequency.tables import BLOCK, QuantTable

Colour = Literal["grey", "ycbcr"]
Subsampling = Literal["4:4:4", "4:2:2", "4:2:0", "4:4:0"]

LUMA_SAMPLING: dict[Subsampling, tuple[int, int]] = {
    "4:4:4": (1, 1),
    "4:2:2": (2, 1),
    "4:2:0": (2, 2),
    "4:4:0": (1, 2),
}
"""Luma sampling factors (horizontal, vertical) of each scheme; those of chroma are (1, 1)."""

COMPONENTS: dict[int, tuple[str, ...]] = {1: ("luma",), 3: ("luma", "cb", "cr")}
"""Names of an image's components, in the order of its planes, by their number."""

_SCHEME = {factors: scheme for scheme, factors in LUMA_SAMPLING.items()}
_COMPONENTS: dict[Colour, int] = {"grey": 1, "ycbcr": 3}


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """One component: blocks (blocks_y, blocks_x, 8, 8) int16, natural order, and their table.

    `blocks` are the integers of the file, not multiplied by the table. `h_samp` and `v_samp` are
    the sampling factors in lowest terms: chroma and grey have (1, 1). Raises `CoefficientError`.
    """

    blocks: NDArray[np.int16]
    table: QuantTable
    h_samp: int = 1
    v_samp: int = 1

    def __post_init__(self) -> None:
        blocks = self.blocks
        if blocks.ndim != 4 or blocks.shape[2:] != (BLOCK, BLOCK) or blocks.dtype != np.int16:
            raise CoefficientError(
                "blocks are an int16 array of shape (blocks_y, blocks_x, 8, 8), "
                f"got {blocks.dtype} {blocks.shape}"
            )

    def dequantised(self) -> NDArray[np.float32]:
        """Orthonormal DCT-II coefficients of the samples less 128: blocks × table."""
        return np.multiply(self.blocks, self.table.array, dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Coefficients:
    """Quantised coefficients of an image of `height`×`width` pixels.

    Planes are (Y,) or (Y, Cb, Cr), each padded to whole blocks. `icc` is an ICC profile; `exif` an
    EXIF block with its six-byte prefix `Exif`, NUL, NUL, as Pillow gives it. Raises
    `CoefficientError` where the planes do not fit.
    """

    planes: tuple[Plane, ...]
    width: int
    height: int
    colour: Colour
    icc: bytes | None = None
    exif: bytes | None = None

    def __post_init__(self) -> None:
        if len(self.planes) != _COMPONENTS.get(self.colour):
            raise CoefficientError(
                f"colour {self.colour!r} with {len(self.planes)} planes; "
                'use "grey" with 1 plane or "ycbcr" with 3'
            )
        factors = [(plane.h_samp, plane.v_samp) for plane in self.planes]
        allowed = _SCHEME if self.colour == "ycbcr" else {(1, 1)}
        if factors[0] not in allowed or any(chroma != (1, 1) for chroma in factors[1:]):
            raise CoefficientError(
                f"sampling factors {factors}; supported are grey (1, 1) and luma "
                f"{sorted(_SCHEME)} with chroma (1, 1)"
            )
        for index, plane in enumerate(self.planes):
            expected = block_grid(
                self.width,
                self.height,
                h_ratio=factors[0][0] // plane.h_samp,
                v_ratio=factors[0][1] // plane.v_samp,
            )
            if plane.blocks.shape[:2] != expected:
                raise CoefficientError(
                    f"plane {index} of a {self.width}×{self.height} image has {expected} blocks "
                    f"(rows, columns), got {plane.blocks.shape[:2]}"
                )

    @property
    def subsampling(self) -> Subsampling | Literal["grey"]:
        """Chroma subsampling scheme, or "grey"."""
        if self.colour == "grey":
            return "grey"
        return _SCHEME[self.planes[0].h_samp, self.planes[0].v_samp]

    def dequantised(self) -> tuple[NDArray[np.float32], ...]:
        """Each plane's `dequantised` coefficients."""
        return tuple(plane.dequantised() for plane in self.planes)


def block_grid(width: int, height: int, *, h_ratio: int = 1, v_ratio: int = 1) -> tuple[int, int]:
    """Rows and columns of 8×8 blocks of a plane subsampled by the given ratios, edges padded."""
    return -(-height // (BLOCK * v_ratio)), -(-width // (BLOCK * h_ratio))
