"""Rate against accuracy, measured: pure functions of "point" rows, for evaluation and report alike.

    rows ──points_of──→ points ──best_point──→ a setting, chosen on validation
                               ──headline────→ bytes saved on test, at most `bound` points lost
                               ──bd_rate─────→ mean difference in rate at equal accuracy
                               ──saving_at_equal_divergence

A *name* selects points: a codec (``"webp"``) or a family (``"libjpeg 4:2:0 baseline"``); several
names stand for the best of them. Bounds and drops are percentage points, savings and accuracies
shares. Intervals are 95 % percentile bootstraps over images, paired: every curve of a comparison
sees the same resampled images. They hold the chosen settings fixed and do not cover the variation
between seeds, over which a retrained point's decisions are averaged image by image.
"""

from bandwise.measures.bootstrap import RESAMPLES, Interval
from bandwise.measures.choice import (
    Headline,
    OperatingPoint,
    best_point,
    headline,
    operating_point,
)
from bandwise.measures.curves import (
    OVERLAP_MIN,
    BdRate,
    DivergenceSaving,
    accuracy_interval,
    bd_rate,
    envelope,
    pareto,
    saving_at_equal_divergence,
)
from bandwise.measures.families import (
    CONTINUOUS,
    ONE_TABLE,
    RATE,
    SCALE,
    bands_family,
    codebook_family,
    codebook_size,
    part_name,
    without_rate,
)
from bandwise.measures.points import (
    ADAPTIVE,
    GUIDED,
    GUIDED_LIBJPEG,
    LEARNED,
    LIBJPEG,
    ORACLE,
    ORIGINAL,
    Point,
    Undefined,
    bound_in_words,
    find_original,
    points_of,
    quantity,
    setting_in_words,
)

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
    "pareto",
    "part_name",
    "points_of",
    "quantity",
    "saving_at_equal_divergence",
    "setting_in_words",
    "without_rate",
]
