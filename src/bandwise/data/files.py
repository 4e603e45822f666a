"""JPEG files in memory, read as coefficients or pixels: what networks on files are trained with.

    bytes ──read_batch──→ CoefficientBatch      no pixel is decoded
          ──read_pixels─→ pixels on the same grid

Coefficients of files of one block layout are read by native calls into one array; files of several
layouts are read a layout at a time and put in order again. Chroma is brought to 4:2:0 by averaging
samples, and an odd number of luma rows or columns is filled up with grey.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bandwise import jpeg
from bandwise.data.folder import LabelledPaths, scan
from bandwise.data.types import Splits, check_labels, hash_data, labels_as_bytes, split_validation
from bandwise.errors import (
    ConfigurationError,
    DataError,
    DataNotFoundError,
    JpegError,
    UnreadableImageError,
)
from bandwise.frequency.color import rgb_to_ycbcr
from bandwise.frequency.dct_domain import (
    CENTRE,
    CoefficientBatch,
    concatenate,
    fill_to_even,
    fit,
    halve,
    with_chroma,
)
from bandwise.frequency.tables import BLOCK, FREQUENCIES
from bandwise.images import to_planes
from bandwise.jpeg.batch import map_in_order
from bandwise.jpeg.limits import DEFAULT_LIMITS, Limits
from bandwise.jpeg.reading import read_frame

GRID_STEP = 16
"""Sides are multiples of so many pixels: a block of chroma at 4:2:0."""

_BYTES_PER_CALL = 2**20
_FILES_PER_CALL_MAX = 256


@dataclass(frozen=True, eq=False)
class LabelledFiles:
    """JPEG files in memory with a class label each; sibling of `LabelledImages`.

    Raises `ShapeError` when the labels have another shape or dtype.

    Parameters
    ----------
    files
        Bytes of each file.
    labels
        (N,) int64, indices into the data set's classes.
    grid
        Rows and columns of luma blocks as which every image is read.
    channels
        3 for luma and chroma, or RGB; 1 for luma alone.
    """

    files: tuple[bytes, ...]
    labels: Tensor
    grid: tuple[int, int]
    channels: int

    def __post_init__(self) -> None:
        check_labels(self.labels, len(self.files))

    def __len__(self) -> int:
        return len(self.files)

    def subset(self, indices: Tensor | Sequence[int]) -> LabelledFiles:
        """Files at ``indices``, in that order."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        files = tuple(self.files[i] for i in index.tolist())
        return replace(self, files=files, labels=self.labels[index])

    def coefficients(self, indices: Tensor | Sequence[int]) -> CoefficientBatch:
        """Read the files at ``indices``, in that order; see `read_batch`."""
        return read_batch(self.subset(indices).files, channels=self.channels, grid=self.grid)

    def pixels(self, indices: Tensor | Sequence[int]) -> Tensor:
        """Decode the files at ``indices``, in that order; see `read_pixels`."""
        return read_pixels(self.subset(indices).files, channels=self.channels, grid=self.grid)


@dataclass(frozen=True, kw_only=True, eq=False)
class FileDataset(Splits[LabelledFiles]):
    """JPEG files of a folder, in ``train``, ``validation`` and ``test``.

    Parameters
    ----------
    root
        The folder.
    """

    root: Path

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of luma blocks as which every image is read."""
        return self.train.grid

    @property
    def channels(self) -> int:
        """3 where any file has colour, else 1."""
        return self.train.channels


def load_files(
    root: Path, *, image_size: tuple[int, int] | None = None, seed: int = 0
) -> FileDataset:
    """Read a folder of .jpg files, laid out as in `bandwise.data.folder`, into memory.

    Raises `ConfigurationError` when the image size is none that blocks can have; `DataError` in one
    of its kinds when the folder is not laid out so, a file is no JPEG, or the images have several
    sizes and none is given.

    Parameters
    ----------
    image_size
        (H, W), multiples of 16, that every image is cropped or filled up to about its centre; that
        of the images if not given.
    seed
        Of the fifth of the training images that is held out where there is no validation split.
    """
    if image_size is not None and any(side < 1 or side % GRID_STEP for side in image_size):
        raise ConfigurationError(
            f"the sides of images that are read block by block are multiples of {GRID_STEP}, "
            f"not {image_size[0]}×{image_size[1]}"
        )
    folder = scan(root)
    found = split_validation(folder.splits, seed=seed)
    contents = {name: tuple(map(_bytes_of, split.paths)) for name, split in found.items()}
    sizes, colours = set(), set()
    for name, split in found.items():
        for path, data in zip(split.paths, contents[name], strict=True):
            height, width, planes = _shape_of(path, data)
            sizes.add(_grid(height, width))
            colours.add(planes)
    if image_size is None and len(sizes) > 1:
        raise DataError(
            f"the images of {root} have {len(sizes)} sizes; give an image size that all are "
            "cropped or filled up to"
        )
    grid = min(sizes) if image_size is None else _grid(*image_size)
    return FileDataset(
        root=root,
        name=folder.name,
        classes=folder.classes,
        splits={
            name: LabelledFiles(files, found[name].labels, grid, max(colours))
            for name, files in contents.items()
        },
        sha256=hash_data(folder.classes, _identity(found, contents, grid)),
        source=f"folder {folder.name}, {folder.origin_of_test}, JPEG files as they are",
    )


def read_pixels(
    files: Sequence[bytes], *, channels: int, grid: tuple[int, int], threads: int | None = 1
) -> Tensor:
    """Decode JPEG files, in colour or grey, on one grid: what `read_batch` is for pixels.

    Raises `JpegError` when a file is damaged or not supported; the message begins with its index.
    Returns (N, channels, 8 · rows, 8 · columns) uint8.

    Parameters
    ----------
    grid
        Rows and columns of 8×8 pixels: images are cropped or filled up with grey about the centre.
    threads
        Threads that decode; None for one a core.
    """
    height, width = (side * BLOCK for side in grid)
    decoded = jpeg.decode_batch(files, threads=threads)
    wanted = (height, width) if channels == 1 else (height, width, channels)
    if all(image.shape == wanted for image in decoded):
        stacked = torch.from_numpy(np.stack(decoded)).view(-1, height, width, channels)
        return stacked.permute(0, 3, 1, 2)
    framed = []
    for image in decoded:
        planes = torch.from_numpy(to_planes(image))
        if len(planes) < channels:
            planes = planes.expand(channels, -1, -1)
        elif len(planes) > channels:
            planes = rgb_to_ycbcr(planes.float())[:1].round().to(torch.uint8)
        top, left = (height - planes.shape[1]) // 2, (width - planes.shape[2]) // 2
        below, right = height - planes.shape[1] - top, width - planes.shape[2] - left
        framed.append(F.pad(planes, (left, right, top, below), value=CENTRE))
    return torch.stack(framed)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataNotFoundError(f"{path} cannot be read: {error.strerror or error}") from error


def _shape_of(path: Path, data: bytes) -> tuple[int, int, int]:
    """Height, width and components of a file that is read whole, to know that it can be."""
    try:
        image = jpeg.read_coefficients(data)
    except JpegError as error:
        raise UnreadableImageError(
            f"{path!s}: {error}; replace it, or make JPEG files of the folder with "
            "`bandwise encode`"
        ) from error
    return image.height, image.width, len(image.planes)


def _identity(
    splits: Mapping[str, LabelledPaths],
    contents: Mapping[str, Sequence[bytes]],
    grid: tuple[int, int],
) -> Iterator[bytes]:
    """What tells a data set from others: files, labels, and the grid on which they are read."""
    for name, files in contents.items():
        yield f"{name} {len(files)}".encode()
        yield labels_as_bytes(splits[name].labels)
        for data in files:
            yield hashlib.sha256(data).digest()
    yield json.dumps(grid).encode()


def _grid(height: int, width: int) -> tuple[int, int]:
    return 2 * -(-height // GRID_STEP), 2 * -(-width // GRID_STEP)


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
