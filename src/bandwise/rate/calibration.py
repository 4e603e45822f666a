"""A few coefficients that make estimated bits those of real files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from bandwise.errors import ConfigurationError

_PARAMETERS = 4


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """``bits = luma · H_luma + chroma · H_chroma + per_block · blocks + per_image`` of an image.

    The default leaves estimates as they are.
    """

    luma: float = 1.0
    chroma: float = 1.0
    per_block: float = 0.0
    per_image: float = 0.0

    @classmethod
    def fit(
        cls,
        *,
        luma_bits: ArrayLike,
        chroma_bits: ArrayLike,
        blocks: ArrayLike,
        payload_bits: ArrayLike,
    ) -> Self:
        """Least squares of the relative error over samples: arrays of shape (S,), one a file.

        What the samples cannot tell apart, such as blocks and images where all are of one size, is
        set to the smallest coefficients that fit.

        Raises
        ------
        ConfigurationError
            If the arrays differ in length, are empty, or a payload is not positive.
        """
        columns = [np.asarray(c, dtype=np.float64) for c in (luma_bits, chroma_bits, blocks)]
        target = np.asarray(payload_bits, dtype=np.float64)
        if target.ndim != 1 or any(c.shape != target.shape for c in columns):
            raise ConfigurationError(
                "a calibration needs arrays of one length, got shapes "
                f"{[c.shape for c in columns]} and {target.shape}"
            )
        if not len(target) or not bool((target > 0).all()):
            raise ConfigurationError(
                f"a calibration needs files with a payload, got {len(target)} of which "
                f"{int((target > 0).sum())} have one"
            )
        design = np.stack([*columns, np.ones_like(target)], 1) / target[:, None]
        scale = np.abs(design).max(0)
        scale[scale == 0] = 1
        solution = np.linalg.lstsq(design / scale, np.ones_like(target), rcond=1e-9)[0] / scale
        luma, chroma, per_block, per_image = (float(value) for value in solution)
        return cls(luma=luma, chroma=chroma, per_block=per_block, per_image=per_image)

    def __call__(self, luma_bits: Tensor, chroma_bits: Tensor, blocks: int) -> Tensor:
        """Bits of images with these estimates; `blocks` counts those of all components."""
        return (
            self.luma * luma_bits
            + self.chroma * chroma_bits
            + self.per_block * blocks
            + self.per_image
        )
