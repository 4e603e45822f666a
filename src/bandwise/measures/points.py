"""Points: what rows say of a setting of a codec on one split, image by image."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import ConfigurationError, ResultsError
from bandwise.measures.bootstrap import Floats

ORIGINAL = "original"
"""Codec of the uncompressed reference."""

LEARNED, LIBJPEG = "bandwise", "libjpeg"
"""Codecs that write all images with one setting: learned profiles, and libjpeg's own tables."""

GUIDED, GUIDED_LIBJPEG = "bandwise guided", "libjpeg guided"
"""Codecs that write each image with the profile that a network chooses among several."""

ADAPTIVE, ORACLE = "bandwise adaptive", "oracle"
"""Codecs that write each image with tables of its own: by its statistics, or by its label too."""

ACCURACY_SLACK = 1e-9
"""Accuracies closer than this are equal: they are ratios of counts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """A setting of a codec on one split, image by image.

    `image_bytes` is (N,) int64, None for the original; `image_correct` (N,) the share of seeds
    whose decision was right; `divergence` the mean KL divergence from the original's, in nats.
    """

    codec: str
    family: str
    label: str
    split: str
    image_bytes: NDArray[np.int64] | None
    image_correct: Floats
    agreement: float
    divergence: float
    seeds: tuple[int, ...]

    @property
    def setting_key(self) -> tuple[str, str, str]:
        """Identity of the setting: the same on every split."""
        return self.codec, self.family, self.label

    @property
    def mean_bytes(self) -> float:
        """Bytes an image; infinite for the original, which is not coded."""
        return math.inf if self.image_bytes is None else float(self.image_bytes.mean())

    @property
    def accuracy(self) -> float:
        """Share of right decisions."""
        return float(self.image_correct.mean())

    def named(self, names: str | Collection[str]) -> bool:
        """Whether a name is this point's codec or family."""
        chosen = {names} if isinstance(names, str) else names
        return self.codec in chosen or self.family in chosen


@dataclass(frozen=True, kw_only=True)
class Undefined:
    """A measure that the points do not determine, and why."""

    reason: str


def points_of(
    rows: Iterable[Mapping[str, Any]], *, protocol: str = "frozen", network: str | None = None
) -> list[Point]:
    """Points of both splits in the rows of one protocol and one network, seeds merged.

    Raises `ConfigurationError` where the rows hold several networks and none is named,
    `ResultsError` where a row lacks a value or the seeds of a setting saw different images.
    """
    chosen = [
        row
        for row in rows
        if row.get("record") == "point"
        and row.get("protocol") == protocol
        and network in (None, row.get("network"))
    ]
    networks = sorted({str(row.get("network")) for row in chosen})
    if len(networks) > 1:
        raise ConfigurationError(
            f"the points are of several networks ({', '.join(networks)}); name one of them"
        )
    groups: dict[tuple[str, ...], list[Point]] = {}
    for row in chosen:
        point = _parse(row)
        groups.setdefault((point.split, *point.setting_key), []).append(point)
    return [_merged(group) for group in groups.values()]


def _parse(row: Mapping[str, Any]) -> Point:
    try:
        correct = np.frombuffer(row["image_correct"].encode("ascii"), np.uint8) == ord("1")
        sizes = None if row["codec"] == ORIGINAL else np.asarray(row["image_bytes"], np.int64)
        point = Point(
            codec=row["codec"],
            family=row["family"],
            label=row["label"],
            split=row["split"],
            image_bytes=sizes,
            image_correct=correct.astype(np.float64),
            agreement=float(row["agreement"]),
            divergence=float(row["divergence"]),
            seeds=(int(row["seed"]),),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultsError(
            f"a point of {row.get('codec')!r}, {row.get('label')!r}, is incomplete "
            f"({type(error).__name__}: {error}); measure it again"
        ) from error
    if not len(correct) or (sizes is not None and sizes.shape != correct.shape):
        raise ResultsError(
            f"the point {point.family} {point.label} has {len(correct)} decisions and "
            f"{'no' if sizes is None else len(sizes)} sizes; measure it again"
        )
    return point


def _merged(group: Sequence[Point]) -> Point:
    """One point of the same setting under several seeds."""
    first = group[0]
    if len(group) == 1:
        return first
    check_paired(group)
    seeds = tuple(seed for point in group for seed in point.seeds)
    if len(set(seeds)) < len(seeds):
        raise ResultsError(f"{first.family} {first.label} is there twice for one seed: {seeds}")
    sizes = [point.image_bytes for point in group if point.image_bytes is not None]
    return Point(
        codec=first.codec,
        family=first.family,
        label=first.label,
        split=first.split,
        image_bytes=sizes[0] if sizes else None,
        image_correct=np.mean([point.image_correct for point in group], axis=0),
        agreement=float(np.mean([point.agreement for point in group])),
        divergence=float(np.mean([point.divergence for point in group])),
        seeds=seeds,
    )


def check_paired(points: Sequence[Point]) -> None:
    """Raise `ResultsError` unless all points are of equally many images."""
    counts = {len(point.image_correct) for point in points}
    if len(counts) > 1:
        raise ResultsError(
            f"points of one comparison have {sorted(counts)} images; measure all on the same ones"
        )


def find_original(points: Iterable[Point], split: str) -> Point | None:
    """Point of the uncompressed reference on a split."""
    return next((p for p in points if p.codec == ORIGINAL and p.split == split), None)


def bytes_of(point: Point) -> Floats:
    """(N,) bytes of each image; `ConfigurationError` for the original, which is not coded."""
    if point.image_bytes is None:
        raise ConfigurationError(f"{point.codec} has no bytes to compare")
    return point.image_bytes.astype(np.float64)


def in_words(names: str | Collection[str]) -> str:
    """Names as a sentence lists alternatives."""
    return names if isinstance(names, str) else " or ".join(sorted(names))


def bound_in_words(bound: float) -> str:
    """Percentage points: ``0.5 points``, ``1 point``."""
    return f"{bound:g} {'point' if bound == 1 else 'points'}"


def quantity(count: float, noun: str) -> str:
    """Count things: ``1 seed``, ``3 seeds``, ``0.5 points``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def setting_in_words(family: str, label: str) -> str:
    """Family and label, the family once: ``libjpeg 4:2:0 smallest q12``, ``sensitivity 1e-06``."""
    return label if label.startswith(family) else f"{family} {label}"
