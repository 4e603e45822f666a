"""Bootstrap over images: the rows of a table of per-image quantities, resampled together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RESAMPLES = 10_000
RESAMPLES_OF_MANY = 2_000
"""Resamples, and those where there are over 2,000 rows: each costs time in proportion."""

_MANY_ROWS = 2_000
BOOTSTRAP_SEED = 20_261_123

_CHUNK_ELEMENTS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(
    columns: Floats, statistics: Callable[[Floats], Sequence[Floats]]
) -> tuple[Interval, ...]:
    """Intervals of statistics of the means over rows of `columns` (N, K).

    `statistics` maps means (..., K) to several arrays (...).
    """
    values = statistics(columns.mean(axis=0))
    samples = statistics(resampled_means(columns))
    return tuple(
        interval_of(float(value), sample) for value, sample in zip(values, samples, strict=True)
    )


def interval_of(value: float, resampled: ArrayLike) -> Interval:
    """Percentile interval of an estimate from its resampled values (R,)."""
    low, high = np.quantile(np.asarray(resampled, np.float64), (0.025, 0.975))
    return Interval(value=value, low=float(low), high=float(high))


def resampled_means(columns: Floats) -> Floats:
    """Column means (R, K) of resampled rows; the same rows in every call for the same N."""
    values = np.asarray(columns, np.float64)
    weights = _weights(len(values))
    step = max(1, _CHUNK_ELEMENTS // len(values))
    parts = [weights[start : start + step] @ values for start in range(0, len(weights), step)]
    return np.concatenate(parts) / len(values)


@lru_cache(maxsize=4)
def _weights(count: int) -> NDArray[np.uint8]:
    """How often each of `count` rows is drawn in each resample, (R, count).

    A row is drawn more than 255 times with a probability that cannot be told from none.
    """
    generator = np.random.Generator(np.random.PCG64(BOOTSTRAP_SEED))
    resamples = RESAMPLES if count <= _MANY_ROWS else RESAMPLES_OF_MANY
    weights = np.empty((resamples, count), np.uint8)
    step = max(1, _CHUNK_ELEMENTS // count)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        numbers = np.bincount(drawn.ravel(), minlength=size * count)
        weights[start : start + size] = numbers.reshape(size, count)
    return weights
