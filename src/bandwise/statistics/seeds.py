"""What seeds vary: means with their spread, and gains that are paired by seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1); ``std`` is None for one value."""

    mean: float
    std: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise at least one value."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values))

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean by Student's t; None for one value."""
        if self.std is None:
            return None
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.count - 1))
        half *= self.std / math.sqrt(self.count)
        return self.mean - half, self.mean + half


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Test accuracy of ``variant`` minus that of ``baseline``, paired by seed.

    ``interval`` and ``p_value`` are those of the two-sided paired t-test with n - 1 degrees of
    freedom (Student, "The probable error of a mean", 1908). Both are None for fewer than two
    common seeds, and where all differences are equal so that no spread can be estimated.
    """

    variant: str
    baseline: str
    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    mean: float
    interval: tuple[float, float] | None
    p_value: float | None

    @property
    def direction(self) -> int:
        """1 or -1 where the interval excludes zero, 0 where it does not or there is none."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return 0
        return 1 if self.mean > 0 else -1


def paired_gain(
    variant: str,
    accuracy: Mapping[int, float],
    baseline: str,
    of_baseline: Mapping[int, float],
) -> Gain | None:
    """Gain of accuracies by seed over others, or None without a common seed."""
    seeds = tuple(seed for seed in accuracy if seed in of_baseline)
    if not seeds:
        return None
    treated = [accuracy[seed] for seed in seeds]
    untreated = [of_baseline[seed] for seed in seeds]
    differences = tuple(a - b for a, b in zip(treated, untreated, strict=True))
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    # Accuracies are counts of images: a spread below 1e-9 is rounding of equal differences.
    if len(seeds) > 1 and stdev(differences) > 1e-9:
        test = stats.ttest_rel(treated, untreated)
        low, high = test.confidence_interval(CONFIDENCE)
        interval, p_value = (float(low), float(high)), float(test.pvalue)
    return Gain(
        variant=variant,
        baseline=baseline,
        seeds=seeds,
        differences=differences,
        mean=math.fsum(differences) / len(differences),
        interval=interval,
        p_value=p_value,
    )
