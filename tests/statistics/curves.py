"""Made-up measurements with known answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bandwise.results import Measurement
from bandwise.statistics import merge_seeds

IMAGES = 200


def row(
    codec: str,
    label: str,
    *,
    correct: int,
    size: float = 0,
    split: str = "test",
    images: int = IMAGES,
    **other: Any,
) -> dict[str, Any]:
    """A row "point" with `correct` right decisions and files around `size` bytes."""
    sizes = [round(size * (0.5 + (7 * i % images) / images)) for i in range(images)]
    decisions = [(13 * i) % images < correct for i in range(images)]
    return {
        "record": "point",
        "codec": codec,
        "family": f"{codec} all",
        "label": label,
        "setting": {},
        "split": split,
        "protocol": "frozen",
        "network": "resnet",
        "seed": 0,
        "images": images,
        "pixels": 784 * images,
        "bytes": None if codec == "original" else sum(sizes),
        "accuracy": correct / images,
        "agreement": 1.0,
        "divergence": 0.0 if codec == "original" else 50 / size,
        "image_bytes": None if codec == "original" else sizes,
        "image_correct": "".join("1" if right else "0" for right in decisions),
        **other,
    }


def rows_of(codec: str, curve: Sequence[tuple[float, int]], **other: Any) -> list[dict[str, Any]]:
    """Rows of (size, correct) on both splits."""
    return [
        row(codec, f"s{index}", size=size, correct=correct, split=split, **other)
        for split in ("validation", "test")
        for index, (size, correct) in enumerate(curve)
    ]


def original(correct: int = 180) -> list[dict[str, Any]]:
    return [
        row("original", "original", correct=correct, split=split)
        for split in ("validation", "test")
    ]


def measurements(*groups: Sequence[dict[str, Any]], **chosen: Any) -> list[Measurement]:
    """Measurements of rows, whose sizes follow from those of their files; seeds merged."""
    rows = [row for group in groups for row in group]
    read = [
        Measurement.from_row({**row, "bytes": row["image_bytes"] and sum(row["image_bytes"])})
        for row in rows
    ]
    return merge_seeds(read, **chosen)


CURVE = [(400.0, 100), (600.0, 140), (1000.0, 165), (1600.0, 176), (2400.0, 179), (4000.0, 180)]


def scaled(factor: float) -> list[tuple[float, int]]:
    return [(size * factor, correct) for size, correct in CURVE]


def cubic_bd(theirs: Sequence[tuple[float, int]], ours: Sequence[tuple[float, int]]) -> float:
    """The usual Bjøntegaard delta: a cubic of log rate, integrated over the common range."""
    fits, lows, highs = [], [], []
    for curve in (theirs, ours):
        accuracy = np.array([correct / IMAGES for _, correct in curve])
        fits.append(np.polyint(np.polyfit(accuracy, np.log([size for size, _ in curve]), 3)))
        lows.append(accuracy.min())
        highs.append(accuracy.max())
    low, high = max(lows), min(highs)
    areas = [np.polyval(fit, high) - np.polyval(fit, low) for fit in fits]
    return float(np.expm1((areas[1] - areas[0]) / (high - low)))
