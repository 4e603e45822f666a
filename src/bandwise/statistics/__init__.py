"""Statistics of results: rate against accuracy over images, and gains over seeds.

    Results ──of(Measurement)──merge_seeds──→ one a setting and split
        ──best_point────────────────→ a setting, chosen on validation
        ──headline──────────────────→ bytes saved on test, at most `bound` points lost
        ──bd_rate───────────────────→ mean difference in rate at equal accuracy
        ──saving_at_equal_divergence
    accuracies by seed ──paired_gain──→ Gain, ──Spread.of──→ mean and spread

A *name* selects measurements: a codec (``"webp"``) or a family (``"libjpeg 4:2:0 baseline"``);
several names stand for the best of them. Bounds and drops are percentage points, savings and
accuracies shares. Intervals over images are 95 % percentile bootstraps, paired: every curve of a
comparison sees the same resampled images. They hold the chosen settings fixed and do not cover the
variation between seeds, over which a retrained network's decisions are averaged image by image.
"""

from bandwise.statistics.bootstrap import RESAMPLES, Interval, bootstrap, interval_of
from bandwise.statistics.curves import (
    OVERLAP_MIN,
    BdRate,
    DivergenceSaving,
    accuracy_interval,
    bd_rate,
    envelope,
    saving_at_equal_divergence,
)
from bandwise.statistics.points import Undefined, find_original, merge_seeds
from bandwise.statistics.seeds import CONFIDENCE, Gain, Spread, paired_gain
from bandwise.statistics.selection import (
    Headline,
    OperatingPoint,
    best_point,
    headline,
    operating_point,
)

__all__ = [
    "CONFIDENCE",
    "OVERLAP_MIN",
    "RESAMPLES",
    "BdRate",
    "DivergenceSaving",
    "Gain",
    "Headline",
    "Interval",
    "OperatingPoint",
    "Spread",
    "Undefined",
    "accuracy_interval",
    "bd_rate",
    "best_point",
    "bootstrap",
    "envelope",
    "find_original",
    "headline",
    "interval_of",
    "merge_seeds",
    "operating_point",
    "paired_gain",
    "saving_at_equal_divergence",
]
