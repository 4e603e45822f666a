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
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import ConfigurationError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

BandKind = Literal["radial", "zigzag", "coefficient", "learned"]


@dataclass(frozen=True, eq=False)
class Bands:
    """A partition of an (H, W) frequency plane into ``count`` bands.

    Attributes
    ----------
    plane
        (H, W) int64: the band of each coefficient, 0 the lowest frequencies.
    count
        Number of bands K. Every band holds at least one coefficient, but for learned ones, whose
        edges may move until a band holds none.
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

    def energies(self, coefficients: Tensor) -> Tensor:
        """Mean squared coefficient of each band, 0 of an empty one: (..., H, W) to (K,)."""
        if coefficients.shape[-2:] != self.index.shape:
            raise ShapeError(
                f"bands are of a {self.shape[0]}×{self.shape[1]} plane, "
                f"coefficients have shape {tuple(coefficients.shape)}"
            )
        mean_square = coefficients.square().reshape(-1, self.index.numel()).mean(0)
        sums = mean_square.new_zeros(self.count).index_add_(
            0, self.index.flatten().to(mean_square.device), mean_square
        )
        return sums / self.sizes.clamp(min=1).to(sums)


@dataclass(frozen=True, kw_only=True)
class Rings:
    """Rings around the zero frequency between edges of a distance: diamonds, circles or squares.

    The distance of coefficient (i, j) on an (H, W) plane is the power mean
    ``d = ((u^p + v^p) / 2)^(1/p)`` of ``u = i/(H-1)`` and ``v = j/(W-1)``: 0 at the zero frequency,
    1 at the highest. Lines of equal distance are diamonds for p = 1, circles for p = 2, and come
    near squares where p is large. Band k (from 1) holds ``e_{k-1} ≤ d < e_k``, the last one
    everything from its edge on.

    Attributes
    ----------
    edges
        (K-1) distances from 0 to 1, none below the one before.
    exponent
        p, above 0.
    """

    edges: tuple[float, ...]
    exponent: float

    def __post_init__(self) -> None:
        """Refuse edges and exponents that make no partition."""
        if not all(low <= high for low, high in pairwise((0.0, *self.edges, 1.0))):
            raise ConfigurationError(
                f"edges of rings must ascend within 0 to 1, got {list(self.edges)}"
            )
        if not 0 < self.exponent < math.inf:
            raise ConfigurationError(
                f"the exponent of a distance must be a number above 0, got {self.exponent}"
            )

    def bands(self, height: int, width: int) -> Bands:
        """Partition an (H, W) plane; raises `ConfigurationError` where it is a single line.

        A ring that lies between two neighbouring distances of the plane is an empty band.
        """
        distance = power_mean(*normalised_frequencies(height, width), self.exponent)
        plane = np.searchsorted(np.asarray(self.edges), distance, side="right")
        return Bands(plane, len(self.edges) + 1, "learned")


def normalised_frequencies(
    height: int, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Larger of ``u = i/(H-1)`` and ``v = j/(W-1)``, and smaller ÷ larger: two (H, W) arrays.

    The ratio at the zero frequency is 1. Raises `ConfigurationError` where H or W is below 2.
    """
    if min(height, width) < 2:
        raise ConfigurationError(f"rings with an exponent need H, W ≥ 2, got {height}×{width}")
    u, v = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    larger = np.maximum(u, v)
    ratio = np.divide(np.minimum(u, v), larger, out=np.ones_like(larger), where=larger > 0)
    return larger, ratio


def power_mean(larger: Any, ratio: Any, exponent: Any) -> Any:
    """``((u^p + v^p) / 2)^(1/p)`` from `normalised_frequencies`, as arrays or as tensors.

    Written with the larger of the two in front, it neither overflows nor has a gradient that is
    not finite at the zero frequency.
    """
    return larger * ((1 + ratio**exponent) / 2) ** (1 / exponent)


def radial_bands(height: int, width: int, count: int) -> Bands:
    """K rings of equal width around the zero frequency (Eq. 1 of the paper).

    With ``d`` the Euclidean distance of (i, j) to (0, 0) and ``d_max = d(H-1, W-1)``, band k
    (from 1) holds ``(k-1)/K · d_max ≤ d < k/K · d_max``. Read literally this leaves the highest
    frequency in no band; here the last interval is closed, so band K also holds ``d = d_max``.

    Raises
    ------
    ConfigurationError
        If a ring would be empty: K is larger than the plane allows.
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
    if count is not None:
        raise ConfigurationError(
            f"the number of {kind} bands follows from the plane; leave out count={count}"
        )
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
