"""Tiles of the two photographs that scikit-learn ships, and what their files really hold."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_sample_image
from torch import Tensor

from bandwise import jpeg
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import QuantTable, TableSet, flat

SIDE = 128


@cache
def tiles(name: str) -> NDArray[np.uint8]:
    """Six tiles (6, 128, 128, 3) of "china.jpg" or "flower.jpg"."""
    image = load_sample_image(name)
    corners = [(row, column) for row in (40, 240) for column in (20, 220, 420)]
    return np.stack([image[y : y + SIDE, x : x + SIDE] for y, x in corners])


def stored(
    images: NDArray[np.uint8], tables: TableSet, subsampling: Subsampling = "4:2:0"
) -> tuple[list[Tensor], NDArray[np.float64]]:
    """Integers of each component, (N, Y, X, 8, 8), and payload bits of each file, (N,)."""
    files = [
        jpeg.encode(image, tables, subsampling=subsampling, progressive=False) for image in images
    ]
    read = [jpeg.read_coefficients(data) for data in files]
    integers = [
        torch.from_numpy(np.stack([image.planes[c].blocks for image in read])).float()
        for c in range(len(read[0].planes))
    ]
    return integers, np.array([8.0 * jpeg.payload_bytes(data) for data in files])


def other_tables() -> list[TableSet]:
    """Tables that are no scaling of libjpeg's: flat, steep, cut off, random."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:8, :8]
    distance = np.hypot(row, column)
    steps = [
        *(np.full((8, 8), step) for step in (6, 16, 60)),
        *(step * (1 + distance) for step in (4, 20)),
        *(4 * step / (1 + distance) for step in (15, 60)),
        *(np.where(distance < 3, step, 255) for step in (10, 50)),
        *(step * np.exp(rng.normal(0, 0.7, (8, 8))) for step in (10, 40)),
    ]
    return [
        TableSet(luma=QuantTable.from_steps(luma), chroma=QuantTable.from_steps(1.5 * luma))
        for luma in steps
    ] + [TableSet(luma=flat(30), chroma=flat(5))]
