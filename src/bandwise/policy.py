"""What an image's own statistics say of the files it could become: input-adaptive bands in files.

    pixels ──statistics_of──→ x ──nearest centroid──→ which ladder of tables
                              └──g──→ divergence and bytes at each rung ──→ which rung

g has one hidden layer. It is asked before anything is encoded and sees neither label nor network;
NumPy alone, so that an encoder needs nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from bandwise.errors import ProfileError
from bandwise.tables import BLOCK

Floats = NDArray[np.float32]

CELLS = 8
"""An image is looked at in so many rows and columns, one block each, whatever its size."""

_BANDS = ((1, 3), (3, 6), (6, 15))
"""Sums of the two frequencies of a block, from and below: low, middle and high."""

_LUMA_CELLS = 1 + len(_BANDS)
_CHROMA_CELLS = 3
_LUMA_SCALE, _CHROMA_SCALE = 100.0, 16.0
_FLOOR_FREQUENCY, _FLOOR = 0.1, 0.2

_SHARES = np.full(BLOCK * BLOCK, 1 / (BLOCK * BLOCK), np.float32)
"""Of 64 samples, or 64 cells, in their mean."""

_RGB_TO_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
"""ITU-R BT.601 over the full range, without the offset of chroma (JFIF 1.02)."""


def statistics_count(channels: int) -> int:
    """How many statistics an image has, grey (1) or colour (3)."""
    cells = _LUMA_CELLS + (_CHROMA_CELLS if channels == 3 else 0)
    return BLOCK * BLOCK - 1 + CELLS * CELLS * cells


def statistics_of(pixels_u8: NDArray[np.uint8]) -> Floats:
    """Cheap statistics of an image's DCT coefficients, float32 (`statistics_count`,).

    The logarithm of the mean magnitude of each luma frequency but the zero frequency, then for each
    of 8×8 cells its mean, the logarithms of its magnitudes in three bands, and in colour the means
    of both chroma planes and the logarithm of their deviation. A cell is one 8×8 block of the
    image; blocks are evenly spaced, so that the cost does not grow with the image.

    Parameters
    ----------
    pixels_u8
        (height, width) grey or (height, width, 3) RGB; narrower than a block it is filled up with
        its last row and column.
    """
    planes = _sampled_planes(pixels_u8)
    coefficients = planes[0] @ _block_dct()
    magnitudes = np.abs(coefficients)
    cells = [coefficients[:, :1] / (BLOCK * _LUMA_SCALE), np.log(magnitudes @ _bands() + _FLOOR)]
    if len(planes) > 1:
        # Products with a vector: several times as fast as `mean` over so short an axis.
        means, squares = planes[1:] @ _SHARES, np.square(planes[1:]) @ _SHARES
        deviation = np.sqrt(np.maximum(squares - means**2, 0)).sum(0)
        cells += [means.T / _CHROMA_SCALE, np.log(deviation + _FLOOR)[:, None]]
    spectrum = np.log((_SHARES @ magnitudes)[1:] + _FLOOR_FREQUENCY)
    return np.concatenate([spectrum, *(cell.ravel() for cell in cells)]).astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """Which of M ladders an image gets, and what each of R rungs would do to it.

    Attributes
    ----------
    mean, deviation
        (F,): the statistics are standardised by them.
    centroids
        (M, F), standardised; an image gets the ladder of the nearest.
    hidden_weight, hidden_bias
        (F, H) and (H,), in front of a ReLU.
    output_weight, output_bias
        (H, 2·R) and (2·R,): natural logarithms of the divergence in nats, then of the bytes.

    Raises
    ------
    ProfileError
        For shapes that do not fit together and values that are not finite.
    """

    mean: Floats
    deviation: Floats
    centroids: Floats
    hidden_weight: Floats
    hidden_bias: Floats
    output_weight: Floats
    output_bias: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _checked(field.name, getattr(self, field.name)))
        size, hidden = len(self.mean), len(self.hidden_bias)
        expected = {
            "deviation": (size,),
            "centroids": (len(self.centroids), size),
            "hidden_weight": (size, hidden),
            "output_weight": (hidden, len(self.output_bias)),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ProfileError(
                    f"{name} has shape {getattr(self, name).shape}, the rest of the policy needs "
                    f"{shape}; learn the profile again"
                )
        if size not in (statistics_count(1), statistics_count(3)):
            raise ProfileError(
                f"the policy reads {size} statistics, an image has {statistics_count(1)} (grey) or "
                f"{statistics_count(3)} (colour); learn the profile again"
            )
        if not len(self.centroids) or not len(self.output_bias) or len(self.output_bias) % 2:
            raise ProfileError(
                "a policy has at least one ladder, and two outputs a rung; learn the profile again"
            )
        if not (self.deviation > 0).all():
            raise ProfileError("a deviation is not above 0; learn the profile again")

    @property
    def channels(self) -> int:
        """Channels of the images: 1 grey, 3 colour."""
        return 3 if len(self.mean) == statistics_count(3) else 1

    @property
    def ladders(self) -> int:
        """Number of ladders M."""
        return len(self.centroids)

    @property
    def rungs(self) -> int:
        """Number of rungs R of each ladder."""
        return len(self.output_bias) // 2

    @property
    def multiplications(self) -> int:
        """Multiplications an image that the decision takes, the statistics' own DCT included."""
        dct = CELLS**2 * (BLOCK**4 + BLOCK**2 * len(_BANDS))
        return dct + self.centroids.size + self.hidden_weight.size + self.output_weight.size

    def standardised(self, statistics: Floats) -> Floats:
        """Statistics (..., F) as the policy reads them."""
        standardised: Floats = (statistics - self.mean) / self.deviation
        return standardised

    def ladder(self, statistics: Floats) -> int:
        """Index of the ladder of an image with statistics (F,)."""
        if self.ladders == 1:
            return 0
        return int(np.square(self.centroids - self.standardised(statistics)).sum(1).argmin())

    def predicted(self, statistics: Floats, positions: int = 1) -> tuple[Floats, Floats]:
        """Divergence in nats and bytes of an image with statistics (F,), each (P,).

        P = (R - 1) · ``positions`` + 1: at every rung, and between two rungs, where logarithms are
        interpolated linearly.
        """
        hidden = self.standardised(statistics) @ self.hidden_weight + self.hidden_bias
        outputs = np.maximum(hidden, 0) @ self.output_weight + self.output_bias
        logarithms = np.clip(outputs, -60, 60).reshape(2, -1)
        if positions > 1:
            logarithms = logarithms @ _interpolation(self.rungs, positions)
        divergence, size = np.exp(logarithms)
        return divergence, size

    def choice(
        self, pixels_u8: NDArray[np.uint8], slope: float, positions: int = 1
    ) -> tuple[int, float]:
        """Ladder and rung of an image: the least predicted divergence + slope · bits.

        Parameters
        ----------
        slope
            λ, the price of a bit in nats.
        positions
            Positions from one rung to the next. The rung is a multiple of 1 / ``positions``.
        """
        statistics = statistics_of(pixels_u8)
        divergence, size = self.predicted(statistics, positions)
        position = int((divergence + slope * 8 * size).argmin())
        return self.ladder(statistics), position / positions

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back; numbers to six digits."""
        return {field.name: _rounded(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a decoded JSON object; raises `ProfileError`."""
        names = {field.name for field in fields(cls)}
        if not isinstance(value, Mapping) or set(value) != names:
            raise ProfileError(f"a policy is an object with {', '.join(sorted(names))}")
        return cls(**value)


def _sampled_planes(pixels_u8: NDArray[np.uint8]) -> Floats:
    """Samples of the evenly spaced blocks, centred at 0, (1 or 3, 64 blocks, 64 samples)."""
    height, width = pixels_u8.shape[:2]
    if min(height, width) < BLOCK:
        missing = ((0, max(BLOCK - height, 0)), (0, max(BLOCK - width, 0)), (0, 0))
        pixels_u8 = np.pad(pixels_u8, missing[: pixels_u8.ndim], mode="edge")
        height, width = pixels_u8.shape[:2]
    rows, columns = height // BLOCK, width // BLOCK
    whole = pixels_u8[: rows * BLOCK, : columns * BLOCK]
    blocks = whole.reshape(rows, BLOCK, columns, BLOCK, -1)
    seen = blocks[_evenly_spaced(rows)[:, None], :, _evenly_spaced(columns)]
    samples = seen.reshape(-1, seen.shape[-1]).astype(np.float32)
    planes = samples.T if seen.shape[-1] == 1 else _RGB_TO_YCBCR @ samples.T
    planes = planes.reshape(-1, CELLS * CELLS, BLOCK * BLOCK)
    planes[0] -= 128
    return planes


@functools.lru_cache(maxsize=1024)
def _evenly_spaced(blocks: int) -> NDArray[np.intp]:
    return np.linspace(0, blocks - 1, CELLS).round().astype(np.intp)


@functools.lru_cache(maxsize=16)
def _interpolation(rungs: int, positions: int) -> Floats:
    """(R, (R - 1) · positions + 1): values at rungs to those at all positions, linear between."""
    at = np.arange((rungs - 1) * positions + 1) / positions
    distances = np.abs(at - np.arange(rungs)[:, None])
    weights: Floats = np.maximum(1 - distances, 0).astype(np.float32)
    return weights


@functools.cache
def _block_dct() -> Floats:
    """(64, 64): samples of a block, row by row, to coefficients in natural order."""
    matrix = fft.dct(np.eye(BLOCK), axis=0, norm="ortho")
    return np.ascontiguousarray(np.kron(matrix, matrix).T, np.float32)


@functools.cache
def _bands() -> Floats:
    """(64, 3): the mean over the frequencies of each band."""
    sums = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)).ravel()
    masks = np.stack([(sums >= first) & (sums < end) for first, end in _BANDS], 1)
    shares: Floats = (masks / masks.sum(0)).astype(np.float32)
    return shares


def _checked(name: str, value: Any) -> Floats:
    try:
        array = np.array(value, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise ProfileError(f"{name} of the policy is no array of numbers") from None
    if not np.isfinite(array).all() or array.ndim not in (1, 2):
        raise ProfileError(
            f"{name} of the policy is no vector or matrix of finite numbers; learn it again"
        )
    array.flags.writeable = False
    return array


def _rounded(array: Floats) -> Any:
    """Nested lists of numbers with six significant digits."""
    return [
        _rounded(value) if isinstance(value, np.ndarray) else float(f"{value:.6g}")
        for value in array
    ]
