"""Partitions of a frequency plane into bands.

A partition gives every coefficient of an (H, W) plane exactly one band, so it is an integer map,
not a set of masks: coverage and disjointness hold by construction. The map is a NumPy array, so
that partitions are made and drawn without PyTorch, and a tensor where one is asked for.

>>> zigzag_bands(2, 3).plane.tolist()
[[0, 1, 2], [1, 2, 3]]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import ConfigurationError

if TYPE_CHECKING:
    from torch import Tensor

BandKind = Literal["radial", "zigzag", "coefficient"]


@dataclass(frozen=True, eq=False)
class Bands:
    """A partition of an (H, W) frequency plane into ``count`` bands.

    Attributes
    ----------
    plane
        (H, W) int64: the band of each coefficient, 0 the lowest frequencies.
    count
        Number of bands K. Every band holds at least one coefficient.
    kind
        The rule that made the partition.
    """

    plane: NDArray[np.int64]
    count: int
    kind: BandKind

    @cached_property
    def index(self) -> Tensor:
        """The plane as a tensor, (H, W) int64."""
        import torch

        return torch.from_numpy(self.plane)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the frequency plane."""
        return self.plane.shape[0], self.plane.shape[1]

    @property
    def sizes(self) -> Tensor:
        """(K,) int64: number of coefficients in each band."""
        return self.index.flatten().bincount(minlength=self.count)

    def masks(self) -> Tensor:
        """(K, H, W) bool: one mask a band."""
        return self.index == self.index.new_tensor(range(self.count))[:, None, None]


def radial_bands(height: int, width: int, count: int) -> Bands:
    """K rings of equal width around the zero frequency (Eq. 1 of the paper).

    With ``d`` the Euclidean distance of (i, j) to (0, 0) and ``d_max = d(H-1, W-1)``, band k (from
    1) holds ``(k-1)/K · d_max ≤ d < k/K · d_max``. Read literally this leaves the highest frequency
    in no band; here the last interval is closed, so band K also holds ``d = d_max``. Raises
    `ConfigurationError` if a ring would be empty: K is larger than the plane allows.
    """
    _check_plane(height, width, count)
    rows, columns = np.ogrid[:height, :width]
    squared = rows * rows + columns * columns
    largest = int(squared[-1, -1])
    # No distance lies between 0 and 1, so rings narrower than 1/2 leave one empty.
    if count > 2 * math.isqrt(largest) + 3:
        raise _empty_ring(height, width, count)
    # d ≥ k/K · d_max  ⇔  K² · d² ≥ k² · d_max², compared in integers: no rounding at ring edges.
    edges = np.arange(1, count) ** 2 * largest
    plane = np.searchsorted(edges, squared * count * count, side="right")
    if len(np.unique(plane)) < count:
        raise _empty_ring(height, width, count)
    return Bands(plane, count, "radial")


def zigzag_bands(height: int, width: int) -> Bands:
    """One band an anti-diagonal ``i + j``: H + W - 1 bands, in the order of the zigzag scan."""
    _check_plane(height, width, 1)
    rows, columns = np.ogrid[:height, :width]
    return Bands(rows + columns, height + width - 1, "zigzag")


def coefficient_bands(height: int, width: int) -> Bands:
    """One band a coefficient, in row-major order: H·W bands."""
    _check_plane(height, width, 1)
    return Bands(np.arange(height * width).reshape(height, width), height * width, "coefficient")


def make_bands(kind: BandKind, height: int, width: int, *, count: int | None = None) -> Bands:
    """Build a partition by the name of its rule; ``count`` is needed by ``radial`` only."""
    if kind == "radial":
        if count is None:
            raise ConfigurationError("radial bands need a count, for example count=8")
        return radial_bands(height, width, count)
    if kind == "zigzag":
        return zigzag_bands(height, width)
    if kind == "coefficient":
        return coefficient_bands(height, width)
    raise ConfigurationError(f"unknown kind of bands {kind!r}; use radial, zigzag or coefficient")


def _empty_ring(height: int, width: int, count: int) -> ConfigurationError:
    return ConfigurationError(
        f"{count} radial bands were asked for, but on a {height}×{width} plane a ring would hold "
        "no coefficient; use fewer bands"
    )


def _check_plane(height: int, width: int, count: int) -> None:
    if height < 1 or width < 1:
        raise ConfigurationError(f"a frequency plane needs H, W ≥ 1, got {height}×{width}")
    if not 1 <= count <= height * width:
        raise ConfigurationError(
            f"{count} bands were asked for, but a {height}×{width} plane holds "
            f"{height * width} coefficients; use 1 to {height * width} bands"
        )
