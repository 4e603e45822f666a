"""Digits as JPEG files by split and class: what networks on files are tried with in a moment."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.data import load
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import TableSet


def write_digits(
    root: Path,
    images_per_class: Mapping[str, int],
    *,
    classes: int = 2,
    side: int = 16,
    colour: bool = False,
    subsampling: Subsampling = "4:2:0",
) -> Path:
    """Write ``root/SPLIT/CLASS/*.jpg``, no image twice, and return ``root``."""
    digits = load("digits").train
    for label in range(classes):
        images = iter(digits.pixels_u8[digits.labels == label, 0].numpy())
        for split, count in images_per_class.items():
            folder = root / split / str(label)
            folder.mkdir(parents=True)
            for index in range(count):
                pixels_u8 = enlarged(next(images), side)
                if colour:
                    pixels_u8 = np.stack([pixels_u8, 255 - pixels_u8, pixels_u8 // 2], 2)
                data = jpeg.encode(pixels_u8, TableSet.ijg(80), subsampling=subsampling)
                (folder / f"{index:02}.jpg").write_bytes(data)
    return root


def enlarged(pixels_u8: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Repeat the pixels of an 8×8 image up to a side that is a multiple of 8."""
    return pixels_u8.repeat(side // 8, 0).repeat(side // 8, 1)
