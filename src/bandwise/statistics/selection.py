"""A setting chosen on validation, judged on test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bandwise.results import Measurement
from bandwise.statistics.bootstrap import Interval, bootstrap
from bandwise.statistics.points import (
    ACCURACY_SLACK,
    Undefined,
    bytes_of,
    check_paired,
    find_original,
)
from bandwise.wording import alternatives, bound_in_words, setting_in_words


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A setting chosen on validation for a bound, as it does on test.

    `drop` is the accuracy lost on test in percentage points, negative where it was gained;
    `validation_drop` the one it was chosen by.
    """

    codec: str
    family: str
    label: str
    bound: float
    images: int
    mean_bytes: Interval
    accuracy: Interval
    drop: Interval
    validation_drop: float
    divergence: float

    @property
    def holds(self) -> bool:
        """Whether the bound that was met on validation is met on test too."""
        return self.drop.value <= self.bound + 100 * ACCURACY_SLACK


@dataclass(frozen=True, kw_only=True)
class Headline:
    """Bytes that the candidate saves on test: `saving` is 1 − its bytes / the baseline's."""

    bound: float
    saving: Interval
    candidate: OperatingPoint
    baseline: OperatingPoint

    @property
    def holds(self) -> bool:
        """Whether both settings meet the bound on test too."""
        return self.candidate.holds and self.baseline.holds


class Choice(NamedTuple):
    """A setting and the original, each on validation, by which it was chosen, and on test."""

    validation: Measurement
    test: Measurement
    original_validation: Measurement
    original_test: Measurement


def best_point(
    points: Sequence[Measurement], names: str | Collection[str], bound: float
) -> Measurement | None:
    """Return the smallest point on validation that loses at most `bound` percentage points.

    Of equally small ones the more accurate; None where no point, or no original, is there.
    """
    original = find_original(points, "validation")
    if original is None:
        return None
    least = original.accuracy - bound / 100 - ACCURACY_SLACK
    meeting = [
        point
        for point in points
        if point.split == "validation"
        and point.named(names)
        and point.image_bytes is not None
        and point.accuracy >= least
    ]
    return min(meeting, key=lambda point: (point.mean_bytes, -point.accuracy), default=None)


def choose(
    points: Sequence[Measurement], names: str | Collection[str], bound: float
) -> Choice | Undefined:
    """Choose a setting by `best_point` and find it on test."""
    before, after = (find_original(points, split) for split in ("validation", "test"))
    if before is None or after is None:
        return Undefined(reason="the original was not measured on both validation and test")
    best = best_point(points, names, bound)
    if best is None:
        return Undefined(
            reason=f"no setting of {alternatives(names)} is within {bound_in_words(bound)} "
            "on validation"
        )
    for point in points:
        if point.split == "test" and point.setting_key == best.setting_key:
            return Choice(best, point, before, after)
    return Undefined(
        reason=f"{setting_in_words(best.family, best.label)}, best on validation, was not "
        "measured on test; the evaluation is not finished"
    )


def operating_point(
    points: Sequence[Measurement], names: str | Collection[str], bound: float
) -> OperatingPoint | Undefined:
    """Choose a setting on validation by `best_point` and describe it on test."""
    choice = choose(points, names, bound)
    return choice if isinstance(choice, Undefined) else _described(choice, bound)


def headline(
    points: Sequence[Measurement],
    bound: float,
    *,
    candidate: str | Collection[str],
    baseline: str | Collection[str],
) -> Headline | Undefined:
    """Bytes saved on test by the candidate's setting against the baseline's.

    Each side's setting is its `best_point` on validation for the same bound.
    """
    ours, theirs = choose(points, candidate, bound), choose(points, baseline, bound)
    if isinstance(ours, Undefined):
        return ours
    if isinstance(theirs, Undefined):
        return theirs
    check_paired([ours.test, theirs.test])
    columns = np.stack([bytes_of(ours.test), bytes_of(theirs.test)], axis=1)
    (saving,) = bootstrap(columns, lambda means: [1 - means[..., 0] / means[..., 1]])
    return Headline(
        bound=bound,
        saving=saving,
        candidate=_described(ours, bound),
        baseline=_described(theirs, bound),
    )


def _described(choice: Choice, bound: float) -> OperatingPoint:
    test, original = choice.test, choice.original_test
    check_paired([test, original])
    columns = np.stack([bytes_of(test), test.image_correct, original.image_correct], axis=1)
    mean_bytes, accuracy, drop = bootstrap(
        columns,
        lambda means: [means[..., 0], means[..., 1], 100 * (means[..., 2] - means[..., 1])],
    )
    return OperatingPoint(
        codec=test.codec,
        family=test.family,
        label=test.label,
        bound=bound,
        images=len(test.image_correct),
        mean_bytes=mean_bytes,
        accuracy=accuracy,
        drop=drop,
        validation_drop=100 * (choice.original_validation.accuracy - choice.validation.accuracy),
        divergence=test.divergence,
    )
