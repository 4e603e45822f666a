"""Whole curves: Pareto envelopes, BD-rate at accuracy, bytes at equal divergence."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bandwise.results import Measurement
from bandwise.statistics.bootstrap import (
    Floats,
    Interval,
    bootstrap,
    interval_of,
    resampled_means,
)
from bandwise.statistics.points import (
    Undefined,
    bytes_of,
    check_paired,
)
from bandwise.statistics.selection import choose
from bandwise.wording import alternatives

OVERLAP_MIN = 0.1
"""Least share of the joint accuracy range that two curves have in common for a BD-rate."""

_DEFINED_MIN = 0.9
_CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class BdRate:
    """Mean relative difference in bytes at equal accuracy; −0.5 is half the bytes.

    `low` and `high` are the ends of the common accuracy range, `overlap` its share of the range
    that the two curves span together.
    """

    rate: Interval
    low: float
    high: float
    overlap: float


@dataclass(frozen=True, kw_only=True)
class DivergenceSaving:
    """Bytes saved on test where both codecs diverge equally, in nats, from the original.

    Without an interval: rows hold divergences as means, not image by image.
    """

    saving: float
    divergence: float
    candidate_mean_bytes: float
    baseline_mean_bytes: float


def saving_at_equal_divergence(
    points: Sequence[Measurement],
    bound: float,
    *,
    candidate: str | Collection[str],
    baseline: str | Collection[str],
) -> DivergenceSaving | Undefined:
    """Bytes saved on test at the divergence of the baseline's best point for the bound.

    Bytes are interpolated linearly in log divergence and log bytes along each side's Pareto
    envelope. Divergence counts every image by how far it moved, accuracy only those that crossed
    a boundary, so that this varies less from sample to sample.
    """
    theirs = choose(points, baseline, bound)
    if isinstance(theirs, Undefined):
        return theirs
    level = theirs.test.divergence
    if not level > 0:
        return Undefined(reason=f"the baseline's divergence is {level} nats, with no logarithm")
    found = []
    for names in (candidate, baseline):
        curve = [p for p in points if p.split == "test" and p.named(names) and p.divergence > 0]
        coded = [point for point in curve if point.image_bytes is not None]
        log_bytes = np.log([point.mean_bytes for point in coded])
        closeness, log_envelope = envelope(log_bytes, -np.log([p.divergence for p in coded]))
        wanted = -math.log(level)
        slack = 1e-9
        if not len(closeness) or not closeness[0] - slack <= wanted <= closeness[-1] + slack:
            return Undefined(
                reason=f"{alternatives(names)} has no settings on both sides of {level:.3g} nats"
            )
        found.append(math.exp(float(np.interp(wanted, closeness, log_envelope))))
    return DivergenceSaving(
        saving=1 - found[0] / found[1],
        divergence=level,
        candidate_mean_bytes=found[0],
        baseline_mean_bytes=found[1],
    )


def bd_rate(
    points: Sequence[Measurement],
    *,
    candidate: str | Collection[str],
    baseline: str | Collection[str],
    floor: float = 0.0,
    split: str = "test",
) -> BdRate | Undefined:
    """Mean difference in log bytes at equal accuracy over the common accuracy range.

    Log bytes are interpolated linearly along the Pareto envelope of each side's settings: no
    polynomial, which overshoots where accuracy saturates. Accuracies below `floor` do not count.
    Undefined where the curves have less than `OVERLAP_MIN` of their joint range in common. The
    envelope takes the luckiest of many settings, so both sides should have about as many.
    """
    sides = [
        [p for p in points if p.split == split and p.named(n) and p.image_bytes is not None]
        for n in (candidate, baseline)
    ]
    if not all(sides):
        return Undefined(
            reason=f"{alternatives(candidate)} or {alternatives(baseline)} has no {split} points"
        )
    ours, everything = len(sides[0]), [*sides[0], *sides[1]]
    check_paired(everything)
    columns = [*map(bytes_of, everything), *(point.image_correct for point in everything)]

    def bd(means: Floats) -> Floats:
        log_bytes, accuracy = np.log(means[:, : len(everything)]), means[:, len(everything) :]
        return _bd(
            _envelopes(log_bytes[:, :ours], accuracy[:, :ours]),
            _envelopes(log_bytes[:, ours:], accuracy[:, ours:]),
            floor,
        )

    whole = np.stack(columns, axis=1)
    value, low, high, overlap = bd(whole.mean(axis=0, keepdims=True))[0].tolist()
    if math.isnan(value):
        return Undefined(
            reason=f"{alternatives(candidate)} and {alternatives(baseline)} share less than "
            f"{OVERLAP_MIN:.0%} of their accuracy range"
        )
    means = resampled_means(whole)
    parts = [bd(means[start : start + _CHUNK])[:, 0] for start in range(0, len(means), _CHUNK)]
    resampled = np.concatenate(parts)
    defined = resampled[~np.isnan(resampled)]
    if len(defined) < _DEFINED_MIN * len(resampled):
        return Undefined(
            reason=f"{alternatives(candidate)} and {alternatives(baseline)} hardly overlap: "
            f"{1 - len(defined) / len(resampled):.0%} of the resamples have no common range"
        )
    return BdRate(rate=interval_of(value, defined), low=low, high=high, overlap=overlap)


def envelope(log_bytes: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    """Pareto envelope (scores, log bytes), both strictly increasing, of (n,) points each.

    A point stays when it scores higher than every point of as few or fewer bytes.
    """
    scores, logs = _envelopes(
        np.asarray(log_bytes, np.float64)[None], np.asarray(score, np.float64)[None]
    )
    unique, first = np.unique(scores[0], return_index=True)
    return unique, logs[0][first]


def accuracy_interval(point: Measurement) -> Interval:
    """Accuracy of a point with its interval over images."""
    (interval,) = bootstrap(point.image_correct[:, None], lambda means: [means[..., 0]])
    return interval


def _envelopes(log_bytes: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Envelopes (scores, log bytes) of (R, n) points; a dropped point repeats the one before it."""
    order = np.lexsort((-score, log_bytes), axis=-1)
    ordered = np.take_along_axis(score, order, -1)
    best = np.maximum.accumulate(ordered, axis=-1)
    kept = np.ones(ordered.shape, bool)
    kept[:, 1:] = ordered[:, 1:] > best[:, :-1]
    last_kept = np.maximum.accumulate(np.where(kept, np.arange(score.shape[1]), 0), axis=-1)
    return best, np.take_along_axis(log_bytes, np.take_along_axis(order, last_kept, -1), -1)


def _bd(ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats], floor: float) -> Floats:
    """BD-rate, ends of the common accuracy range, overlap: (R, 4), NaN where undefined."""
    low = np.maximum(np.maximum(ours[0][:, 0], theirs[0][:, 0]), floor)
    high = np.minimum(ours[0][:, -1], theirs[0][:, -1])
    top = np.maximum(ours[0][:, -1], theirs[0][:, -1])
    bottom = np.maximum(np.minimum(ours[0][:, 0], theirs[0][:, 0]), floor)
    width = high - low
    defined = (width > 0) & (width >= OVERLAP_MIN * (top - bottom))
    width, joint = np.where(defined, width, 1.0), np.where(defined, top - bottom, 1.0)
    rate = np.expm1((_area(*ours, low, high) - _area(*theirs, low, high)) / width)
    found = np.stack([rate, low, high, width / joint], axis=1)
    found[~defined] = np.nan
    return found


def _area(x: Floats, y: Floats, low: Floats, high: Floats) -> Floats:
    """Integral (R,) from low to high of lines through knots (R, n), x not decreasing."""
    left, right = (
        np.clip(end, low[:, None], np.maximum(low, high)[:, None]) for end in (x[:, :-1], x[:, 1:])
    )
    run = np.diff(x, axis=1)
    slope = np.diff(y, axis=1) / np.where(run > 0, run, 1.0)
    middle = y[:, :-1] + slope * ((left + right) / 2 - x[:, :-1])
    return np.asarray(((right - left) * middle).sum(axis=1))
