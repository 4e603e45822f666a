"""From pixels or coefficients to JPEG bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise.coefficients import LUMA_SAMPLING, Coefficients, Subsampling
from bandwise.errors import ConfigurationError, JpegError, ShapeError, TableError
from bandwise.jpeg.limits import Limits
from bandwise.jpeg.markers import EXIF_PREFIX
from bandwise.jpeg.native import error_of, extension, native_output
from bandwise.jpeg.reading import read_coefficients
from bandwise.tables import QuantTable, TableSet

_SIDE_MAX = 65_500
_EXIF_BYTES_MAX = 65_533
_ICC_BYTES_MAX = 255 * 65_519
_OWN_FILE = Limits(max_pixels=2**31 - 1, max_bytes=2**31 - 1, max_memory_bytes=2**31 - 1)


def encode(
    pixels_u8: NDArray[np.uint8],
    tables: TableSet,
    *,
    subsampling: Subsampling = "4:2:0",
    progressive: bool = True,
    optimise: bool = True,
    restart_interval: int = 0,
    icc: bytes | None = None,
    exif: bytes | None = None,
) -> bytes:
    """JPEG file of uint8 pixels: (height, width) grey or RGB (height, width, 3).

    The accurate integer DCT, libjpeg's own colour conversion and chroma downsampling, exactly the
    given tables. `subsampling` is for colour only; `restart_interval` counts minimum coded units, 0
    for none; a progressive file always has optimised Huffman tables. Raises `ShapeError`,
    `TableError` for colour without a chroma table, `ConfigurationError`, `JpegError`.
    """
    pixels = np.ascontiguousarray(pixels_u8)
    is_colour = pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or is_colour):
        raise ShapeError(
            "pixels are uint8 of shape (height, width) or (height, width, 3), "
            f"got {pixels.dtype} {pixels.shape}"
        )
    if is_colour and tables.chroma is None:
        raise TableError("colour pixels need a chroma table, the table set has luma alone")
    if subsampling not in LUMA_SAMPLING:
        raise ConfigurationError(
            f"subsampling {subsampling!r}; choose one of {', '.join(LUMA_SAMPLING)}"
        )
    chroma = (tables.chroma,) * 2 if is_colour and tables.chroma is not None else ()
    turbo = extension()
    settings = _settings(
        turbo,
        size=(pixels.shape[0], pixels.shape[1]),
        tables=(tables.luma, *chroma),
        luma_sampling=LUMA_SAMPLING[subsampling] if is_colour else (1, 1),
        progressive=progressive,
        optimise=optimise,
        restart_interval=restart_interval,
        icc=icc,
        exif=exif,
    )
    with native_output(turbo) as output:
        report = turbo.ffi.new("turbo_report *")
        source = turbo.ffi.from_buffer("unsigned char[]", pixels)
        turbo.lib.turbo_encode(settings, source, output, report)
        return _result(turbo, output, report)


def write_coefficients(
    coefficients: Coefficients,
    *,
    progressive: bool = True,
    optimise: bool = True,
    restart_interval: int = 0,
) -> bytes:
    """JPEG file with exactly these integers, tables and metadata.

    Settings as in `encode`. Raises `CoefficientError` for a value that 8-bit JPEG cannot hold
    (AC beyond ±1023, DC beyond -1024..1023), `ConfigurationError`, `JpegError`.
    """
    planes = [np.ascontiguousarray(plane.blocks) for plane in coefficients.planes]
    luma = coefficients.planes[0]
    turbo = extension()
    settings = _settings(
        turbo,
        size=(coefficients.height, coefficients.width),
        tables=tuple(plane.table for plane in coefficients.planes),
        luma_sampling=(luma.h_samp, luma.v_samp),
        grids=[plane.shape[:2] for plane in planes],
        progressive=progressive,
        optimise=optimise,
        restart_interval=restart_interval,
        icc=coefficients.icc,
        exif=coefficients.exif,
    )
    with native_output(turbo) as output:
        report = turbo.ffi.new("turbo_report *")
        sources = [turbo.ffi.from_buffer("short[]", plane) for plane in planes]
        turbo.lib.turbo_write_coefficients(settings, sources, output, report)
        return _result(turbo, output, report)


def pixels_to_coefficients(
    pixels_u8: NDArray[np.uint8], tables: TableSet, *, subsampling: Subsampling = "4:2:0"
) -> Coefficients:
    """Coefficients that `encode` would store for these pixels; the same errors."""
    data = encode(pixels_u8, tables, subsampling=subsampling, progressive=False, optimise=False)
    return read_coefficients(data, limits=_OWN_FILE)


def _settings(
    turbo: Any,
    *,
    size: tuple[int, int],
    tables: Sequence[QuantTable],
    luma_sampling: tuple[int, int],
    grids: Sequence[tuple[int, ...]] = (),
    progressive: bool,
    optimise: bool,
    restart_interval: int,
    icc: bytes | None,
    exif: bytes | None,
) -> Any:
    """`turbo_settings` of checked values; it holds pointers into `icc` and `exif`."""
    height, width = size
    if not (1 <= height <= _SIDE_MAX and 1 <= width <= _SIDE_MAX):
        raise JpegError(f"a JPEG has 1..{_SIDE_MAX} pixels a side, got {width}×{height}")
    if not 0 <= restart_interval <= 65_535:
        raise ConfigurationError(f"restart_interval is 0..65535, got {restart_interval!r}")
    if exif is not None and not (exif.startswith(EXIF_PREFIX) and len(exif) <= _EXIF_BYTES_MAX):
        raise JpegError(
            f"an EXIF block starts with {EXIF_PREFIX!r} and has at most {_EXIF_BYTES_MAX:,} bytes, "
            f"got {len(exif):,} bytes that start with {exif[:6]!r}"
        )
    if icc is not None and not 1 <= len(icc) <= _ICC_BYTES_MAX:
        raise JpegError(f"an ICC profile has 1..{_ICC_BYTES_MAX:,} bytes, got {len(icc):,}")
    ffi = turbo.ffi
    slots = list(dict.fromkeys(tables))  # equal tables are stored once
    metadata = {
        name: ffi.from_buffer("unsigned char[]", block)
        for name, block in (("exif", exif), ("icc", icc))
        if block is not None
    }
    return ffi.new(
        "turbo_settings *",
        {
            "width": width,
            "height": height,
            "components": len(tables),
            "h_samp": luma_sampling[0],
            "v_samp": luma_sampling[1],
            "blocks_y": [grid[0] for grid in grids],
            "blocks_x": [grid[1] for grid in grids],
            "progressive": progressive,
            "optimise": optimise,
            "restart_interval": restart_interval,
            "table_slot": [slots.index(table) for table in tables],
            "tables": [table.values for table in tables],
            **metadata,
            **{f"{name}_size": len(block) for name, block in metadata.items()},
        },
    )


def _result(turbo: Any, output: Any, report: Any) -> bytes:
    """Bytes of a finished call, or its error."""
    if report.code != turbo.lib.TURBO_OK:
        raise error_of(report)
    return bytes(turbo.ffi.buffer(output.data, output.size))
