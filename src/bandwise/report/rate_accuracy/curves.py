"""Curves from points: accuracy and divergence against bytes, for each codec or family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

import numpy as np

from bandwise.measures import LEARNED, ORIGINAL
from bandwise.report.rate_accuracy.codecs import in_order
from bandwise.report.rate_accuracy.records import Point

RESAMPLES = 2_000
SEED = 0
TAILS = (2.5, 97.5)
"""Percentiles that bound a 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A setting on a curve; accuracies are fractions, ``low`` and ``high`` bound them.

    Of one seed, the bounds are the accuracy of the originals plus the 95 % bootstrap interval of
    the difference to them on the same images. Of several, they are the lowest and highest seed.
    """

    family: str
    label: str
    mean_bytes: float
    bits_per_pixel: float
    accuracy: float
    low: float
    high: float
    divergence: float | None
    seeds: int


@dataclass(frozen=True, kw_only=True)
class Curve:
    """All settings of a codec or family by size, and those that no smaller one beats."""

    name: str
    marks: tuple[Mark, ...]

    @property
    def envelope(self) -> tuple[Mark, ...]:
        """Settings with a higher accuracy than every smaller one."""
        return _records(self.marks, lambda mark: mark.accuracy)

    @property
    def divergences(self) -> tuple[Mark, ...]:
        """Settings with a lower divergence, above zero, than every smaller one."""
        known = [mark for mark in self.marks if mark.divergence]
        return _records(known, lambda mark: -(mark.divergence or 0))


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves of one protocol, network and split, with the accuracy of the originals."""

    protocol: str
    network: str
    split: str
    images: int
    seeds: int
    original: float | None
    curves: tuple[Curve, ...]


def chart_of(
    points: Iterable[Point],
    *,
    protocol: str,
    network: str,
    split: str = "test",
    by: Callable[[Point], str] = lambda point: point.codec,
) -> Chart | None:
    """Group points into curves named ``by``; None where no codec was measured so.

    Known codecs come in their order, everything else in the order of the points.
    """
    chosen = [
        point
        for point in points
        if (point.protocol, point.network, point.split) == (protocol, network, split)
    ]
    originals = [point for point in chosen if point.codec == ORIGINAL]
    coded = [point for point in chosen if point.codec != ORIGINAL]
    if not coded:
        return None
    grouped: dict[str, list[Point]] = {}
    for codec in in_order(point.codec for point in coded):
        for point in coded:
            if point.codec == codec:
                grouped.setdefault(by(point), []).append(point)
    return Chart(
        protocol=protocol,
        network=network,
        split=split,
        images=max(point.images for point in coded),
        seeds=len({point.seed for point in coded}),
        original=fmean(point.accuracy for point in originals) if originals else None,
        curves=tuple(
            Curve(name=name, marks=_marks(members, originals)) for name, members in grouped.items()
        ),
    )


def by_way_of_learning(point: Point) -> str:
    """Name learned tables by their family, everything else by its codec."""
    return point.family if point.codec == LEARNED else point.codec


def _marks(points: Sequence[Point], originals: Sequence[Point]) -> tuple[Mark, ...]:
    by_setting = sorted(points, key=lambda point: (point.family, point.label))
    groups = [
        list(members)
        for _, members in groupby(by_setting, key=lambda point: (point.family, point.label))
    ]
    marks = [_mark(members, originals) for members in groups]
    return tuple(sorted(marks, key=lambda mark: (mark.mean_bytes, -mark.accuracy)))


def _mark(points: Sequence[Point], originals: Sequence[Point]) -> Mark:
    accuracies = [point.accuracy for point in points]
    low, high = (
        (min(accuracies), max(accuracies)) if len(points) > 1 else _interval(points[0], originals)
    )
    divergences = [point.divergence for point in points if point.divergence is not None]
    return Mark(
        family=points[0].family,
        label=points[0].label,
        mean_bytes=fmean(point.mean_bytes for point in points),
        bits_per_pixel=fmean(point.bits_per_pixel for point in points),
        accuracy=fmean(accuracies),
        low=low,
        high=high,
        divergence=fmean(divergences) if divergences else None,
        seeds=len(points),
    )


def _interval(point: Point, originals: Sequence[Point]) -> tuple[float, float]:
    """Accuracy of the originals plus the interval of the paired difference, by bootstrap.

    Resampling images changes the difference only through how many decisions turn out lost and
    won, so their numbers are drawn instead of the images: the same distribution.
    """
    paired = next((original for original in originals if original.seed == point.seed), None)
    if paired is None or paired.image_correct is None or point.image_correct is None:
        return point.accuracy, point.accuracy
    changes = point.image_correct - paired.image_correct
    count = len(changes)
    shares = np.array([(changes < 0).sum(), (changes == 0).sum(), (changes > 0).sum()]) / count
    drawn = np.random.default_rng(SEED).multinomial(count, shares, size=RESAMPLES)
    low, high = np.percentile((drawn[:, 2] - drawn[:, 0]) / count, TAILS).tolist()
    return paired.accuracy + low, paired.accuracy + high


def _records(marks: Iterable[Mark], value: Callable[[Mark], float]) -> tuple[Mark, ...]:
    """Marks, by size, whose value exceeds that of all before."""
    kept: list[Mark] = []
    for mark in marks:
        if not kept or value(mark) > value(kept[-1]):
            kept.append(mark)
    return tuple(kept)
