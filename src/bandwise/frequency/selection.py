"""Which frequencies of an image are kept.

Frequencies are numbered 0 to 63 for luma, 64 to 127 for Cb and 128 to 191 for Cr, each component's
in natural order, 8·v + u: the channels of a `CoefficientBatch`, luma first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bandwise.errors import ConfigurationError
from bandwise.frequency.coefficients import COMPONENTS
from bandwise.frequency.tables import BLOCK, FREQUENCIES, ZIGZAG

_CHROMA_SHARE = 5 / 24


@dataclass(frozen=True)
class Frequencies:
    """Frequencies that are kept, in ascending order; at least one is luma's.

    Raises `ConfigurationError` for others.
    """

    kept: tuple[int, ...]

    def __post_init__(self) -> None:
        last = len(COMPONENTS[3]) * FREQUENCIES - 1
        if list(self.kept) != sorted({*self.kept}) or not {*self.kept} <= {*range(last + 1)}:
            raise ConfigurationError(
                f"frequencies are different numbers from 0 to {last} in ascending order, "
                f"got {self.kept}"
            )
        if not self.luma:
            raise ConfigurationError("at least one frequency of luma has to be kept")

    def __len__(self) -> int:
        return len(self.kept)

    @property
    def luma(self) -> tuple[int, ...]:
        """Channels of a batch's luma plane."""
        return tuple(index for index in self.kept if index < FREQUENCIES)

    @property
    def chroma(self) -> tuple[int, ...]:
        """Channels of a batch's chroma plane: Cb's, then Cr's."""
        return tuple(index - FREQUENCIES for index in self.kept if index >= FREQUENCIES)

    def mask(self, component: str) -> NDArray[np.bool_]:
        """(8, 8): which frequencies of ``luma``, ``cb`` or ``cr`` are kept."""
        first = COMPONENTS[3].index(component) * FREQUENCIES
        numbers = first + np.arange(FREQUENCIES).reshape(BLOCK, BLOCK)
        return np.isin(numbers, self.kept)

    @classmethod
    def whole(cls, channels: int) -> Frequencies:
        """Every frequency of grey (1) or colour (3) images."""
        return cls(tuple(range(channels * FREQUENCIES)))

    @classmethod
    def top(cls, importance: ArrayLike, count: int) -> Frequencies:
        """The ``count`` most important ones, and always the mean of luma.

        Raises `ConfigurationError` when there are not so many.

        Parameters
        ----------
        importance
            (64,) for grey images, (192,) for colour.
        """
        ranked = np.array(importance, np.float64)
        _check_count(count, len(ranked))
        ranked[0] = np.inf
        kept = np.argsort(-ranked, kind="stable")[:count]
        return cls(tuple(np.sort(kept).tolist()))

    @classmethod
    def zigzag(cls, count: int, *, channels: int) -> Frequencies:
        """The first of each component in zigzag order: nothing is learned.

        Of 24 channels each of Cb and Cr has 5, as in Xu et al., "Learning in the frequency domain"
        (CVPR 2020), and as near to that share as can be of another number.
        """
        _check_count(count, channels * FREQUENCIES)
        chroma = round(count * _CHROMA_SHARE) if channels == 3 else 0
        chroma = max(chroma, -(-(count - FREQUENCIES) // 2) if channels == 3 else 0)
        chroma = min(chroma, (count - 1) // 2)
        shares = (count - 2 * chroma, chroma, chroma)[:channels]
        return cls(
            tuple(
                sorted(
                    component * FREQUENCIES + index
                    for component, share in enumerate(shares)
                    for index in ZIGZAG[:share]
                )
            )
        )


def _check_count(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise ConfigurationError(f"of {most} frequencies 1 to {most} can be kept, not {count}")
