"""Statistics of the runs: pure functions from records to numbers.

Only finished runs count. Accuracies and gains are fractions; a gain of 0.01 is one percentage
point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy import stats

from bandwise.bands import Bands, Rings
from bandwise.report.records import Records, Run, RunKey
from bandwise.report.variants import VARIANTS

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


@dataclass(frozen=True, kw_only=True)
class VariantSummary:
    """A variant's finished runs; ``per_class`` and ``band_weights`` hold one spread an entry.

    ``bands`` are those that its weights are of: with learned edges those of ``rings``, the means
    over seeds. Where each image has weights of its own, ``image_spread`` is their standard
    deviation over images and ``class_weights`` their mean in each class, means over seeds.
    """

    variant: str
    seeds: tuple[int, ...]
    accuracy: Spread
    per_class: tuple[Spread, ...]
    band_weights: tuple[Spread, ...]
    bands: Bands
    rings: Rings | None
    image_spread: tuple[float, ...] | None
    class_weights: tuple[tuple[float, ...], ...] | None
    epochs: Spread
    stopped_early: int
    run_seconds: Spread
    epoch_seconds: Spread
    images_per_second: Spread

    @property
    def lowest_band(self) -> float:
        """Weight of the lowest band divided by the mean weight."""
        return self.band_weights[0].mean / fmean(weight.mean for weight in self.band_weights)


@dataclass(frozen=True, kw_only=True)
class TimeRatio:
    """Training time of adaptive divided by that of static: of whole runs, and an epoch."""

    run: float
    epoch: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All statistics of a results file."""

    records: Records
    variants: dict[str, VariantSummary]
    unfinished: tuple[RunKey, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every seed that occurs, finished or not."""
        keys = [*self.records.histories, *self.records.runs]
        return tuple(sorted({seed for _, seed in keys}))

    @property
    def started(self) -> tuple[str, ...]:
        """Variants with at least one epoch or run, in the order in which they are shown."""
        names = {name for name, _ in [*self.records.histories, *self.records.runs]}
        return tuple(name for name in VARIANTS if name in names)

    def gain(self, variant: str, baseline: str) -> Gain | None:
        """Paired gain, or None where the two have no finished seed in common."""
        return paired_gain(self.records, variant, baseline)

    def gains_over(self, baseline: str) -> Iterator[Gain]:
        """Paired gain of every other finished variant."""
        for variant in self.variants:
            if variant != baseline and (gain := self.gain(variant, baseline)):
                yield gain

    def time_ratio(self) -> TimeRatio | None:
        """Training time of adaptive over static, or None where one is missing."""
        if not {"static", "adaptive"} <= self.variants.keys():
            return None
        static, adaptive = self.variants["static"], self.variants["adaptive"]
        if min(static.run_seconds.mean, static.epoch_seconds.mean) <= 0:
            return None
        return TimeRatio(
            run=adaptive.run_seconds.mean / static.run_seconds.mean,
            epoch=adaptive.epoch_seconds.mean / static.epoch_seconds.mean,
        )


def summarise(records: Records) -> Summary:
    """Summarise the finished runs of each variant."""
    grouped: dict[str, list[Run]] = {}
    for run in records.runs.values():
        grouped.setdefault(run.variant, []).append(run)
    return Summary(
        records=records,
        variants={
            name: _summarise_variant(name, runs, records.experiment.bands)
            for name, runs in grouped.items()
        },
        unfinished=tuple(key for key in records.histories if key not in records.runs),
    )


def paired_gain(records: Records, variant: str, baseline: str) -> Gain | None:
    """Gain of ``variant`` over ``baseline`` on their common seeds, or None without any."""
    accuracy: dict[str, dict[int, float]] = {variant: {}, baseline: {}}
    for (name, seed), run in records.runs.items():
        if name in accuracy:
            accuracy[name][seed] = run.test_accuracy
    return gain_of(variant, accuracy[variant], baseline, accuracy[baseline])


def gain_of(
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


def _summarise_variant(name: str, runs: Sequence[Run], bands: Bands) -> VariantSummary:
    rings = mean_rings([run.rings for run in runs if run.rings is not None])
    spreads = [run.band_weights_std for run in runs if run.band_weights_std is not None]
    classes = [run.band_weights_by_class for run in runs if run.band_weights_by_class is not None]
    return VariantSummary(
        variant=name,
        seeds=tuple(run.seed for run in runs),
        accuracy=Spread.of([run.test_accuracy for run in runs]),
        per_class=_columns([run.test_per_class for run in runs]),
        band_weights=_columns([run.band_weights for run in runs]),
        bands=rings.bands(*bands.shape) if rings else bands,
        rings=rings,
        image_spread=_means(spreads) if spreads else None,
        class_weights=tuple(map(_means, zip(*classes, strict=True))) if classes else None,
        epochs=Spread.of([run.epochs for run in runs]),
        stopped_early=sum(run.stopped_early for run in runs),
        run_seconds=Spread.of([run.train_seconds for run in runs]),
        epoch_seconds=Spread.of([run.train_seconds / run.epochs for run in runs]),
        images_per_second=Spread.of([run.images_per_second for run in runs]),
    )


def mean_rings(rings: Sequence[Rings]) -> Rings | None:
    """Means of the edges and of the exponents, or None of nothing."""
    if not rings:
        return None
    edges = _means([each.edges for each in rings])
    return Rings(edges=edges, exponent=fmean(each.exponent for each in rings))


def _means(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(fmean(column) for column in zip(*rows, strict=True))


def _columns(rows: Sequence[tuple[float, ...]]) -> tuple[Spread, ...]:
    return tuple(Spread.of(column) for column in zip(*rows, strict=True))
