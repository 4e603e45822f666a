"""Labelled image sets: where they are found, how they are checked, what they look like.

``load`` is the entry point: a known name or a folder of images in, a ``Dataset`` of uint8 pixels
out. ``holdout`` splits a set by class, always the same way for the same seed.
"""

from bandwise.data.catalog import DATASET_NAMES, load
from bandwise.data.types import Dataset, LabelledImages, holdout, with_validation

__all__ = [
    "DATASET_NAMES",
    "Dataset",
    "LabelledImages",
    "holdout",
    "load",
    "with_validation",
]
