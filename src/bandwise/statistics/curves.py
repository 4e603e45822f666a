"""Whole curves: Pareto envelopes, BD-rate at accuracy, bytes at equal divergence."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike

from bandwise.results import Measurement
from bandwise.statistics.bootstrap import (
    Floats,
    Interval,
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


def saving_at_equal_divergence(
    points: Sequence[Measurement],
    bound: float,
    *,
    candidate: str | Collection[str],
    baseline: str | Collection[str],
) -> float | Undefined:
    """Share of bytes saved on test at the divergence of the baseline's best point for the bound.

    Bytes are interpolated linearly in log divergence and log bytes along each side's Pareto
    envelope. Divergence counts every image by how far it moved, accuracy only those that crossed
    a boundary, so that this varies less from sample to sample. There is no interval: rows hold
    divergences as means, not image by image.
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
    return 1 - found[0] / found[1]


def bd_rate(
    points: Sequence[Measurement],
    *,
    candidate: str | Collection[str],
    baseline: str | Collection[str],
) -> Interval | Undefined:
    """Mean relative difference in bytes at equal accuracy on test; −0.5 is half the bytes.

    The mean is that of log bytes over the common accuracy range, interpolated linearly along the
    Pareto envelope of each side's settings: no polynomial, which overshoots where accuracy
    saturates. Undefined where the curves have less than `OVERLAP_MIN` of their joint range in
    common. The envelope takes the luckiest of many settings, so both sides should have about as
    many.
    """
    sides = [
        [p for p in points if p.split == "test" and p.named(n) and p.image_bytes is not None]
        for n in (candidate, baseline)
    ]
    if not all(sides):
        return Undefined(
            reason=f"{alternatives(candidate)} or {alternatives(baseline)} has no test points"
        )
    ours, everything = len(sides[0]), [*sides[0], *sides[1]]
    check_paired(everything)
    columns = [*map(bytes_of, everything), *(point.image_correct for point in everything)]

    def bd(means: Floats) -> Floats:
        log_bytes, accuracy = np.log(means[:, : len(everything)]), means[:, len(everything) :]
        return _bd(
            _envelopes(log_bytes[:, :ours], accuracy[:, :ours]),
            _envelopes(log_bytes[:, ours:], accuracy[:, ours:]),
        )

    whole = np.stack(columns, axis=1)
    value = float(bd(whole.mean(axis=0, keepdims=True))[0])
    if math.isnan(value):
        return Undefined(
            reason=f"{alternatives(candidate)} and {alternatives(baseline)} share less than "
            f"{OVERLAP_MIN:.0%} of their accuracy range"
        )
    means = resampled_means(whole)
    parts = [bd(means[start : start + _CHUNK]) for start in range(0, len(means), _CHUNK)]
    resampled = np.concatenate(parts)
    defined = resampled[~np.isnan(resampled)]
    if len(defined) < _DEFINED_MIN * len(resampled):
        return Undefined(
            reason=f"{alternatives(candidate)} and {alternatives(baseline)} hardly overlap: "
            f"{1 - len(defined) / len(resampled):.0%} of the resamples have no common range"
        )
    return interval_of(value, defined)


def envelope(log_bytes: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    """Pareto envelope (scores, log bytes), both strictly increasing, of (n,) points each.

    A point stays when it scores higher than every point of as few or fewer bytes.
    """
    scores, logs = _envelopes(
        np.asarray(log_bytes, np.float64)[None], np.asarray(score, np.float64)[None]
    )
    unique, first = np.unique(scores[0], return_index=True)
    return unique, logs[0][first]


def _envelopes(log_bytes: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Envelopes (scores, log bytes) of (R, n) points; a dropped point repeats the one before it."""
    order = np.lexsort((-score, log_bytes), axis=-1)
    ordered = np.take_along_axis(score, order, -1)
    best = np.maximum.accumulate(ordered, axis=-1)
    kept = np.ones(ordered.shape, bool)
    kept[:, 1:] = ordered[:, 1:] > best[:, :-1]
    last_kept = np.maximum.accumulate(np.where(kept, np.arange(score.shape[1]), 0), axis=-1)
    return best, np.take_along_axis(log_bytes, np.take_along_axis(order, last_kept, -1), -1)


def _bd(ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats]) -> Floats:
    """BD-rates (R,) of envelopes (scores, log bytes), NaN where undefined."""
    scores, others = ours[0], theirs[0]
    low, high = np.maximum(scores[:, 0], others[:, 0]), np.minimum(scores[:, -1], others[:, -1])
    joint = np.maximum(scores[:, -1], others[:, -1]) - np.minimum(scores[:, 0], others[:, 0])
    width = high - low
    defined = (width > 0) & (width >= OVERLAP_MIN * joint)
    difference = _area(*ours, low, high) - _area(*theirs, low, high)
    return np.where(defined, np.expm1(difference / np.where(defined, width, 1.0)), np.nan)


def _area(x: Floats, y: Floats, low: Floats, high: Floats) -> Floats:
    """Integral (R,) from low to high of lines through knots (R, n), x not decreasing."""
    left, right = (
        np.clip(end, low[:, None], np.maximum(low, high)[:, None]) for end in (x[:, :-1], x[:, 1:])
    )
    run = np.diff(x, axis=1)
    slope = np.diff(y, axis=1) / np.where(run > 0, run, 1.0)
    middle = y[:, :-1] + slope * ((left + right) / 2 - x[:, :-1])
    return np.asarray(((right - left) * middle).sum(axis=1))
