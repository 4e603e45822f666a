"""JPEG files to batches of coefficients, without decoding pixels.

Files of one block layout are read by native calls into one array; files of several layouts are
read a layout at a time and put in order again. Chroma is brought to 4:2:0 by averaging samples, and
an odd number of luma rows or columns is filled up with grey.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.utils.data
from numpy.typing import NDArray
from torch import Tensor

from bandwise import jpeg
from bandwise.coefficients import Coefficients
from bandwise.data.folder import SPLIT_SEED, TEST_FRACTION, scan
from bandwise.data.types import holdout
from bandwise.dct_domain import (
    FREQUENCIES,
    CoefficientBatch,
    concatenate,
    fill_to_even,
    fit,
    halve,
    with_chroma,
)
from bandwise.errors import (
    DataError,
    DataNotFoundError,
    JpegError,
    ShapeError,
    UnreadableImageError,
)
from bandwise.jpeg.batch import map_in_order
from bandwise.jpeg.limits import DEFAULT_LIMITS, Limits
from bandwise.jpeg.reading import read_frame

_BYTES_PER_CALL = 2**20
_FILES_PER_CALL_MAX = 256
"""So few that the integers of a call stay in the cache until they are multiplied."""


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

    Raises
    ------
    DataError
        When there are no files, or they have several sizes and no ``grid`` is given.
    JpegError
        When a file is damaged or not supported; the message begins with its index.
    """
    inference = torch.is_inference_mode_enabled()  # a thread does not inherit it

    def read(indices: list[int], layout: _Layout) -> CoefficientBatch:
        luma, chroma = _empty(len(indices), layout)
        targets = _components(luma, chroma)
        image_bytes = 2 * sum(target[0].numel() for target in targets)
        step = max(1, min(_BYTES_PER_CALL // image_bytes, _FILES_PER_CALL_MAX))

        def read_part(start: int) -> None:
            part = [files[index] for index in indices[start : start + step]]
            planes = [np.empty((len(part), *blocks, 8, 8), np.int16) for blocks in layout.blocks]
            tables = jpeg.read_into(part, planes, limits=limits, threads=1)
            with torch.inference_mode(inference):
                _dequantise([t[start : start + len(part)] for t in targets], planes, tables)

        map_in_order(read_part, range(0, len(indices), step), threads)
        return _canonical(luma, chroma, layout)

    try:
        batch = _in_order([_layout_of_file(data, limits) for data in files], read, grid)
    except JpegError:
        jpeg.read_coefficients_batch(files, limits=limits, threads=threads)  # names the file
        raise
    if channels == 1:
        return CoefficientBatch(batch.luma)
    return batch if channels is None else with_chroma(batch)


def collate(
    items: Sequence[tuple[Coefficients, int]], *, grid: tuple[int, int] | None = None
) -> tuple[CoefficientBatch, Tensor]:
    """Batch of what `CoefficientDataset` holds, and labels (N,); ``grid`` as in `read_batch`.

    For a ``DataLoader``: ``collate_fn=functools.partial(collate, grid=(16, 16))``.
    """
    images = [image for image, _ in items]

    def gather(indices: list[int], layout: _Layout) -> CoefficientBatch:
        parts = [images[index].planes for index in indices]
        luma, chroma = _empty(len(indices), layout)
        planes = [np.stack([plane.blocks for plane in same]) for same in zip(*parts, strict=True)]
        tables = np.array([[plane.table.array for plane in part] for part in parts])
        _dequantise(_components(luma, chroma), planes, tables)
        return _canonical(luma, chroma, layout)

    batch = _in_order([_layout_of(image) for image in images], gather, grid)
    return batch, torch.tensor([label for _, label in items])


class CoefficientDataset(torch.utils.data.Dataset[tuple[Coefficients, int]]):
    """JPEG files with a class label each, read when asked for.

    Parameters
    ----------
    files
        Paths, or the files' bytes.
    labels
        (N,) int64.
    """

    def __init__(self, files: Sequence[Path | bytes], labels: Tensor | Sequence[int]) -> None:
        self.files = tuple(files)
        self.labels = checked_labels(self.files, labels)

    @classmethod
    def of_folder(cls, root: Path) -> tuple[tuple[str, ...], dict[str, Self]]:
        """Class names, and the splits of a folder of .jpg files by name.

        Layouts, names of splits and errors are those of `bandwise.data.folder`.
        """
        classes, splits = scan(root)
        data = {name: cls(split.paths, split.labels) for name, split in splits.items()}
        if "test" not in data:
            data["train"], data["test"] = holdout(
                data["train"], fraction=TEST_FRACTION, seed=SPLIT_SEED
            )
        return tuple(classes), data

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Coefficients, int]:
        """Read a file; `UnreadableImageError` names it where it is missing, damaged or no JPEG."""
        try:
            image = jpeg.read_coefficients(self.bytes_of(index))
        except JpegError as error:
            raise UnreadableImageError(
                f"{self._name(index)}: {error}; replace it, or encode the folder as JPEG"
            ) from error
        return image, int(self.labels[index])

    def subset(self, indices: Tensor | Sequence[int]) -> Self:
        """Files at ``indices``, in that order."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return type(self)([self.files[i] for i in index.tolist()], self.labels[index])

    def bytes_of(self, index: int) -> bytes:
        """A file's bytes; `DataNotFoundError` where it cannot be read."""
        file = self.files[index]
        try:
            return file if isinstance(file, bytes) else file.read_bytes()
        except OSError as error:
            raise DataNotFoundError(
                f"{self._name(index)} cannot be read: {error.strerror or error}"
            ) from error

    def _name(self, index: int) -> str:
        file = self.files[index]
        return f"item {index}" if isinstance(file, bytes) else str(file)


def checked_labels(files: Sequence[object], labels: Tensor | Sequence[int]) -> Tensor:
    """Labels (N,) int64 of so many files; `ShapeError` for others."""
    checked = torch.as_tensor(labels, dtype=None if isinstance(labels, Tensor) else torch.int64)
    if checked.shape != (len(files),) or checked.dtype != torch.int64:
        raise ShapeError(
            f"{len(files)} files need int64 labels of shape ({len(files)},), "
            f"not {checked.dtype} of shape {tuple(checked.shape)}"
        )
    return checked


def _layout_of_file(data: bytes, limits: Limits) -> _Layout:
    frame = read_frame(data, limits)
    last = frame.components - 1
    return _Layout(
        tuple(zip(frame.blocks_y[0 : last + 1], frame.blocks_x[0 : last + 1], strict=True)),
        (frame.h_samp[0] // frame.h_samp[last], frame.v_samp[0] // frame.v_samp[last]),
    )


def _layout_of(image: Coefficients) -> _Layout:
    luma = image.planes[0]
    rows_and_columns = tuple((p.blocks.shape[0], p.blocks.shape[1]) for p in image.planes)
    return _Layout(rows_and_columns, (luma.h_samp, luma.v_samp))


def _in_order(
    layouts: Sequence[_Layout],
    read: Callable[[list[int], _Layout], CoefficientBatch],
    grid: tuple[int, int] | None,
) -> CoefficientBatch:
    """Read images a layout at a time, and put them in their order on one grid."""
    if not layouts:
        raise DataError("there are no images to make a batch of")
    groups: dict[_Layout, list[int]] = defaultdict(list)
    for index, layout in enumerate(layouts):
        groups[layout].append(index)
    batches = [read(indices, layout) for layout, indices in groups.items()]
    grids = sorted({batch.grid for batch in batches})
    if grid is None and len(grids) > 1:
        raise DataError(
            f"the images have {len(grids)} sizes, {grids[0]} to {grids[-1]} rows and columns of "
            "blocks; give a grid that all are cropped or filled up to"
        )
    rows, columns = grid or grids[0]
    batches = [fit(batch, rows, columns) for batch in batches]
    if len(batches) == 1:
        return batches[0]
    order = torch.tensor([index for indices in groups.values() for index in indices])
    return concatenate(batches).select(order.argsort())


def _empty(count: int, layout: _Layout) -> tuple[Tensor, Tensor | None]:
    """Luma (N, rows, columns, 64), and where there is colour, chroma (N, rows, columns, 128)."""
    luma = torch.empty(count, *layout.blocks[0], FREQUENCIES)
    if len(layout.blocks) == 1:
        return luma, None
    return luma, torch.empty(count, *layout.blocks[1], 2 * FREQUENCIES)


def _components(luma: Tensor, chroma: Tensor | None) -> list[Tensor]:
    """Views (N, rows, columns, 64) of the components."""
    return [luma] if chroma is None else [luma, *chroma.split(FREQUENCIES, dim=3)]


def _dequantise(
    targets: Sequence[Tensor], planes: Sequence[NDArray[np.int16]], tables: NDArray[np.integer]
) -> None:
    """Fill targets with planes (N, rows, columns, 8, 8) times their tables (N, planes, 8, 8)."""
    steps = torch.from_numpy(tables.astype(np.float32)).flatten(2).unbind(1)
    for target, plane, step in zip(targets, planes, steps, strict=True):
        target.copy_(torch.from_numpy(plane).flatten(3)).mul_(step[:, None, None])


def _canonical(luma: Tensor, chroma: Tensor | None, layout: _Layout) -> CoefficientBatch:
    if chroma is None:
        return CoefficientBatch(luma.permute(0, 3, 1, 2))
    across, down = layout.ratios
    return CoefficientBatch(
        fill_to_even(luma.permute(0, 3, 1, 2)),
        halve(chroma.permute(0, 3, 1, 2), rows=down == 1, columns=across == 1),
    )
