"""Many files at once, on a pool of threads; results keep the order of the inputs.

libjpeg works with the interpreter lock released, so threads scale with cores. The first error ends
a batch; its message says which item it was.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import BandwiseError, ConfigurationError, ShapeError
from bandwise.frequency.coefficients import Coefficients
from bandwise.frequency.tables import BLOCK
from bandwise.jpeg.limits import DEFAULT_LIMITS, Limits
from bandwise.jpeg.native import c_limits, check_bytes, error_of, extension
from bandwise.jpeg.reading import decode, read_coefficients, read_frame

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNKS_PER_THREAD = 4
_CHUNK_MAX = 256


def read_coefficients_batch(
    files: Sequence[bytes], *, limits: Limits = DEFAULT_LIMITS, threads: int | None = None
) -> list[Coefficients]:
    """`read_coefficients` of each file. `threads`: None for one a core."""
    return map_in_order(functools.partial(read_coefficients, limits=limits), files, threads)


def decode_batch(
    files: Sequence[bytes], *, limits: Limits = DEFAULT_LIMITS, threads: int | None = None
) -> list[NDArray[np.uint8]]:
    """`decode` of each file. `threads`: None for one a core."""
    return map_in_order(functools.partial(decode, limits=limits), files, threads)


def read_into(
    files: Sequence[bytes],
    planes: Sequence[NDArray[np.int16]],
    *,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
) -> NDArray[np.uint16]:
    """Read files of one size and subsampling into prepared arrays; returns their tables.

    `planes` are one (grey) or three C-contiguous int16 arrays of shape
    (len(files), blocks_y, blocks_x, 8, 8); the tables are (len(files), len(planes), 8, 8) uint16.
    One native call serves many files, so that small images are not bound by the interpreter.
    Raises `ShapeError`, `JpegError` (also for another block layout), `JpegLimitError`.
    """
    if len(planes) not in (1, 3):
        raise ShapeError(f"files have 1 or 3 planes, got {len(planes)} arrays")
    for index, plane in enumerate(planes):
        fits = plane.ndim == 5 and plane.shape[0] == len(files) and plane.shape[3:] == (8, 8)
        if plane.dtype != np.int16 or not fits or not plane.flags.c_contiguous:
            raise ShapeError(
                f"plane {index} must be a C-contiguous int16 array of shape ({len(files)}, "
                f"blocks_y, blocks_x, 8, 8), got {plane.dtype} {plane.shape}"
            )
    tables = np.empty((len(files), len(planes), BLOCK, BLOCK), np.uint16)
    if not files:
        return tables
    frame = read_frame(files[0], limits)
    shapes = [plane.shape[1:3] for plane in planes]
    found = [(frame.blocks_y[c], frame.blocks_x[c]) for c in range(frame.components)]
    if shapes != found:
        raise ShapeError(f"item 0 has planes of {found} blocks (rows, columns), got {shapes}")

    def read_chunk(chunk: slice) -> None:
        _read_chunk(files[chunk], [p[chunk] for p in planes], tables[chunk], frame, limits, chunk)

    _map_chunks(read_chunk, len(files), threads)
    return tables


def _read_chunk(
    files: Sequence[bytes],
    planes: Sequence[NDArray[np.int16]],
    tables: NDArray[np.uint16],
    frame: Any,
    limits: Limits,
    chunk: slice,
) -> None:
    """Fill a part of the arrays of `read_into` with one native call."""
    turbo = extension()
    ffi, lib = turbo.ffi, turbo.lib
    for data in files:
        check_bytes(data, limits)
    padded = [
        plane
        if plane.shape[1:3] == (rows, columns)
        else np.empty((len(files), rows, columns, BLOCK, BLOCK), np.int16)
        for plane, rows, columns in zip(planes, frame.padded_y, frame.padded_x, strict=False)
    ]
    report = ffi.new("turbo_report *")
    code = lib.turbo_read_coefficients(
        [ffi.from_buffer("unsigned char[]", data) for data in files],
        [len(data) for data in files],
        len(files),
        c_limits(limits),
        frame,
        [ffi.from_buffer("short[]", plane, require_writable=True) for plane in padded],
        ffi.from_buffer("unsigned short[]", tables, require_writable=True),
        report,
    )
    if code != lib.TURBO_OK:
        error = error_of(report, limits)
        raise type(error)(f"item {chunk.start + report.file}: {error}")
    for plane, whole in zip(planes, padded, strict=True):
        if plane is not whole:
            plane[:] = whole[:, : plane.shape[1], : plane.shape[2]]


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], threads: int | None
) -> list[Result]:
    """Results of a function for each item, in order. `threads`: None for one a core."""

    def map_chunk(chunk: slice) -> list[Result]:
        results = []
        for index in range(chunk.start, chunk.stop):
            try:
                results.append(function(items[index]))
            except BandwiseError as error:
                raise type(error)(f"item {index}: {error}") from error
        return results

    return list(chain.from_iterable(_map_chunks(map_chunk, len(items), threads)))


def _map_chunks(
    function: Callable[[slice], Result], count: int, threads: int | None
) -> list[Result]:
    """Results of a function for consecutive slices of `count` items, on a pool of threads."""
    workers = _cores() if threads is None else threads
    if workers < 1:
        raise ConfigurationError(f"threads is at least 1, or None for one a core; got {threads!r}")
    size = min(max(count // (workers * _CHUNKS_PER_THREAD), 1), _CHUNK_MAX)
    chunks = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    if workers == 1 or len(chunks) <= 1:
        return [function(chunk) for chunk in chunks]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, chunks))


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
