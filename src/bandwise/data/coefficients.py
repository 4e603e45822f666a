"""JPEG files to batches of coefficients, without decoding pixels.

Files of one block layout are read by native calls into one array; files of several layouts are
read a layout at a time and put in order again. Chroma is brought to 4:2:0 by averaging samples, and
an odd number of luma rows or columns is filled up with grey.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from bandwise import jpeg
from bandwise.errors import DataError, JpegError
from bandwise.frequency.dct_domain import (
    CoefficientBatch,
    concatenate,
    fill_to_even,
    fit,
    halve,
    with_chroma,
)
from bandwise.frequency.tables import FREQUENCIES
from bandwise.jpeg.batch import map_in_order
from bandwise.jpeg.limits import DEFAULT_LIMITS, Limits
from bandwise.jpeg.reading import read_frame

_BYTES_PER_CALL = 2**20
_FILES_PER_CALL_MAX = 256


class _Layout(NamedTuple):
    """What images have in common that are read together.

    Attributes
    ----------
    blocks
        Rows and columns of blocks of each component.
    ratios
        Luma samples a chroma sample, horizontal and vertical.
    """

    blocks: tuple[tuple[int, int], ...]
    ratios: tuple[int, int]


def read_batch(
    files: Sequence[bytes],
    *,
    channels: int | None = None,
    grid: tuple[int, int] | None = None,
    threads: int | None = 1,
    limits: Limits = DEFAULT_LIMITS,
) -> CoefficientBatch:
    """Dequantised coefficients of JPEG files, in their order.

    Raises `DataError` when there are no files, or they have several sizes and no ``grid`` is given;
    `JpegError` when a file is damaged or not supported; the message begins with its index.

    Parameters
    ----------
    channels
        3 for luma and chroma, which is grey for grey files; 1 for luma alone; what any of the files
        has if not given.
    grid
        Rows and columns of luma blocks of every image, cropped or filled up with grey about its
        centre; needed where sizes differ, and even where there is colour.
    threads
        Threads that read; None for one a core.
    """
    if not files:
        raise DataError("there are no images to make a batch of")
    groups: dict[_Layout, list[int]] = defaultdict(list)
    try:
        for index, data in enumerate(files):
            groups[_layout_of(data, limits)].append(index)
        batches = [
            _read([files[index] for index in indices], layout, limits, threads)
            for layout, indices in groups.items()
        ]
    except JpegError:
        jpeg.read_coefficients_batch(files, limits=limits, threads=threads)  # names the file
        raise
    grids = sorted({batch.grid for batch in batches})
    if grid is None and len(grids) > 1:
        raise DataError(
            f"the images have {len(grids)} sizes, {grids[0]} to {grids[-1]} rows and columns of "
            "blocks; give a grid that all are cropped or filled up to"
        )
    batches = [fit(batch, *(grid or grids[0])) for batch in batches]
    batch = batches[0]
    if len(batches) > 1:
        order = torch.tensor([index for indices in groups.values() for index in indices])
        batch = concatenate(batches).select(order.argsort())
    if channels == 1:
        return CoefficientBatch(batch.luma)
    return batch if channels is None else with_chroma(batch)


def _layout_of(data: bytes, limits: Limits) -> _Layout:
    frame = read_frame(data, limits)
    last = frame.components - 1
    return _Layout(
        tuple(zip(frame.blocks_y[0 : last + 1], frame.blocks_x[0 : last + 1], strict=True)),
        (frame.h_samp[0] // frame.h_samp[last], frame.v_samp[0] // frame.v_samp[last]),
    )


def _read(
    files: Sequence[bytes], layout: _Layout, limits: Limits, threads: int | None
) -> CoefficientBatch:
    """Read files of one layout, so many a native call that their integers stay in the cache."""
    inference = torch.is_inference_mode_enabled()  # a thread does not inherit it
    luma = torch.empty(len(files), *layout.blocks[0], FREQUENCIES)
    chroma, components = None, [luma]
    if len(layout.blocks) > 1:
        chroma = torch.empty(len(files), *layout.blocks[1], 2 * FREQUENCIES)
        components += chroma.split(FREQUENCIES, dim=3)
    image_bytes = 2 * sum(component[0].numel() for component in components)
    step = max(1, min(_BYTES_PER_CALL // image_bytes, _FILES_PER_CALL_MAX))

    def read_part(start: int) -> None:
        part = files[start : start + step]
        planes = [np.empty((len(part), *blocks, 8, 8), np.int16) for blocks in layout.blocks]
        tables = jpeg.read_into(part, planes, limits=limits, threads=1)
        with torch.inference_mode(inference):
            steps = torch.from_numpy(tables.astype(np.float32)).flatten(2).unbind(1)
            for component, plane, table in zip(components, planes, steps, strict=True):
                target = component[start : start + len(part)]
                target.copy_(torch.from_numpy(plane).flatten(3)).mul_(table[:, None, None])

    map_in_order(read_part, range(0, len(files), step), threads)
    if chroma is None:
        return CoefficientBatch(luma.permute(0, 3, 1, 2))
    across, down = layout.ratios
    return CoefficientBatch(
        fill_to_even(luma.permute(0, 3, 1, 2)),
        halve(chroma.permute(0, 3, 1, 2), rows=down == 1, columns=across == 1),
    )
