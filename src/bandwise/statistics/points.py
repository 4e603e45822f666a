"""Measurements that are compared: of one network, seeds merged, image by image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bandwise.errors import ConfigurationError, ResultsError
from bandwise.results import ORIGINAL, Measurement
from bandwise.statistics.bootstrap import Floats

ACCURACY_SLACK = 1e-9
"""Accuracies closer than this are equal: they are ratios of counts."""


@dataclass(frozen=True, kw_only=True)
class Undefined:
    """A quantity that the measurements do not determine, and why."""

    reason: str


def merge_seeds(
    measurements: Iterable[Measurement], *, protocol: str = "frozen", network: str | None = None
) -> list[Measurement]:
    """One measurement a setting and split, of one protocol and one network: means over seeds.

    ``image_correct`` becomes the share of seeds whose decision was right. Raises
    `ConfigurationError` where there are several networks and none is named, `ResultsError` where
    the seeds of a setting saw different images.
    """
    chosen = [
        each
        for each in measurements
        if each.protocol == protocol and network in (None, each.network)
    ]
    networks = sorted({each.network for each in chosen})
    if len(networks) > 1:
        raise ConfigurationError(
            f"the measurements are of several networks ({', '.join(networks)}); name one of them"
        )
    groups: dict[tuple[str, ...], list[Measurement]] = {}
    for each in chosen:
        groups.setdefault((each.split, *each.setting_key), []).append(each)
    return [_merged(group) for group in groups.values()]


def _merged(group: Sequence[Measurement]) -> Measurement:
    """One measurement of the same setting under several seeds."""
    first = group[0]
    if len(group) == 1:
        return first
    check_paired(group)
    seeds = tuple(each.seed for each in group)
    if len(set(seeds)) < len(seeds):
        raise ResultsError(f"{first.family} {first.label} is there twice for one seed: {seeds}")
    correct = np.mean([each.image_correct for each in group], axis=0)
    return replace(
        first,
        accuracy=float(correct.mean()),
        agreement=float(np.mean([each.agreement for each in group])),
        divergence=float(np.mean([each.divergence for each in group])),
        image_correct=correct,
        seeds=seeds,
    )


def check_paired(measurements: Sequence[Measurement]) -> None:
    """Raise `ResultsError` unless all are of equally many images."""
    counts = {each.images for each in measurements}
    if len(counts) > 1:
        raise ResultsError(
            f"measurements of one comparison have {sorted(counts)} images; measure all on the same"
        )


def find_original(measurements: Iterable[Measurement], split: str) -> Measurement | None:
    """Measurement of the uncompressed reference on a split."""
    return next(
        (each for each in measurements if each.codec == ORIGINAL and each.split == split), None
    )


def bytes_of(measurement: Measurement) -> Floats:
    """(N,) bytes of each image; `ConfigurationError` for the original, which is not coded."""
    if measurement.image_bytes is None:
        raise ConfigurationError(f"{measurement.codec} has no bytes to compare")
    return measurement.image_bytes.astype(np.float64)
