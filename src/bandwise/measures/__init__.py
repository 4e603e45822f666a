"""Former home of `bandwise.statistics`, for readers of rows that have not moved."""

from collections.abc import Iterable, Mapping
from typing import Any

from bandwise.measures.families import (
    ADAPTIVE,
    CONTINUOUS,
    ONE_TABLE,
    ORACLE,
    RATE,
    SCALE,
    bands_family,
    codebook_family,
    codebook_size,
    part_name,
    without_rate,
)
from bandwise.results import GUIDED, GUIDED_LIBJPEG, LEARNED, LIBJPEG, ORIGINAL
from bandwise.results import Measurement as Point
from bandwise.statistics import (
    OVERLAP_MIN,
    RESAMPLES,
    BdRate,
    DivergenceSaving,
    Headline,
    Interval,
    OperatingPoint,
    Undefined,
    accuracy_interval,
    bd_rate,
    best_point,
    envelope,
    find_original,
    headline,
    merge_seeds,
    operating_point,
    saving_at_equal_divergence,
)
from bandwise.wording import bound_in_words, quantity, setting_in_words


def points_of(
    rows: Iterable[Mapping[str, Any]], *, protocol: str = "frozen", network: str | None = None
) -> list[Point]:
    """Read the rows "point" and merge their seeds."""
    points = [
        Point.from_row({"pixels": row.get("images"), **row})
        for row in rows
        if row.get("record") == "point"
    ]
    return merge_seeds(points, protocol=protocol, network=network)


__all__ = [
    "ADAPTIVE",
    "CONTINUOUS",
    "GUIDED",
    "GUIDED_LIBJPEG",
    "LEARNED",
    "LIBJPEG",
    "ONE_TABLE",
    "ORACLE",
    "ORIGINAL",
    "OVERLAP_MIN",
    "RATE",
    "RESAMPLES",
    "SCALE",
    "BdRate",
    "DivergenceSaving",
    "Headline",
    "Interval",
    "OperatingPoint",
    "Point",
    "Undefined",
    "accuracy_interval",
    "bands_family",
    "bd_rate",
    "best_point",
    "bound_in_words",
    "codebook_family",
    "codebook_size",
    "envelope",
    "find_original",
    "headline",
    "operating_point",
    "part_name",
    "points_of",
    "quantity",
    "saving_at_equal_divergence",
    "setting_in_words",
    "without_rate",
]
