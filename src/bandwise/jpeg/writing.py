"""From pixels or coefficients to JPEG bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import ConfigurationError, JpegError, ShapeError, TableError
from bandwise.frequency.coefficients import (
    LUMA_SAMPLING,
    Coefficients,
    Plane,
    Subsampling,
    block_grid,
)
from bandwise.frequency.tables import BLOCK, QuantTable, TableSet
from bandwise.jpeg.markers import EXIF_PREFIX
from bandwise.jpeg.native import error_of, extension, native_output

_SIDE_MAX = 65_500
_EXIF_BYTES_MAX = 65_533
_ICC_BYTES_MAX = 255 * 65_519


class Coding(TypedDict, total=False):
    """How a file's integers are coded; a decoder sees no difference.

    Attributes
    ----------
    progressive
        Several scans, True if not given; such a file always has optimised Huffman tables.
    optimise
        Huffman tables made for the image, True if not given.
    shared_huffman
        One pair of Huffman tables for all components, in baseline files alone: shorter headers,
        longer data.
    jfif
        False leaves out the 18 bytes of the JFIF marker; decoders then know YCbCr by its component
        numbers 1, 2, 3 (as libjpeg does).
    """

    progressive: bool
    optimise: bool
    shared_huffman: bool
    jfif: bool


def encode(
    pixels_u8: NDArray[np.uint8],
    tables: TableSet,
    *,
    subsampling: Subsampling = "4:2:0",
    icc: bytes | None = None,
    exif: bytes | None = None,
    **coding: Unpack[Coding],
) -> bytes:
    """JPEG file of uint8 pixels: (height, width) grey or RGB (height, width, 3).

    The accurate integer DCT, libjpeg's own colour conversion and chroma downsampling, exactly the
    given tables. `subsampling` is for colour only; `coding` is described at `Coding`. Raises
    `ShapeError`, `TableError` for colour without a chroma table, `ConfigurationError`, `JpegError`.
    """
    pixels = np.ascontiguousarray(pixels_u8)
    luma_sampling, plane_tables = _layout(pixels, tables, subsampling)
    turbo = extension()
    settings = _settings(
        turbo,
        size=(pixels.shape[0], pixels.shape[1]),
        tables=plane_tables,
        luma_sampling=luma_sampling,
        icc=icc,
        exif=exif,
        **coding,
    )
    with native_output(turbo) as output:
        report = turbo.ffi.new("turbo_report *")
        source = turbo.ffi.from_buffer("unsigned char[]", pixels)
        turbo.lib.turbo_encode(settings, source, output, report)
        return _result(turbo, output, report)


def write_coefficients(coefficients: Coefficients, **coding: Unpack[Coding]) -> bytes:
    """JPEG file with exactly these integers, tables and metadata.

    Raises `CoefficientError` for a value that 8-bit JPEG cannot hold
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
        icc=coefficients.icc,
        exif=coefficients.exif,
        **coding,
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
    pixels = np.ascontiguousarray(pixels_u8)
    luma_sampling, plane_tables = _layout(pixels, tables, subsampling)
    height, width = pixels.shape[:2]
    h_luma, v_luma = luma_sampling
    samplings = [luma_sampling, (1, 1), (1, 1)][: len(plane_tables)]
    grids = [
        block_grid(width, height, h_ratio=h_luma // h_samp, v_ratio=v_luma // v_samp)
        for h_samp, v_samp in samplings
    ]
    padded = [
        np.empty((-(-rows // v) * v, -(-columns // h) * h, BLOCK, BLOCK), np.int16)
        for (rows, columns), (h, v) in zip(grids, samplings, strict=True)
    ]
    turbo = extension()
    settings = _settings(
        turbo,
        size=(height, width),
        tables=plane_tables,
        luma_sampling=luma_sampling,
        grids=[plane.shape[:2] for plane in padded],
    )
    report = turbo.ffi.new("turbo_report *")
    source = turbo.ffi.from_buffer("unsigned char[]", pixels)
    targets = [turbo.ffi.from_buffer("short[]", plane, require_writable=True) for plane in padded]
    if turbo.lib.turbo_transform(settings, source, targets, report) != turbo.lib.TURBO_OK:
        raise error_of(report)
    return Coefficients(
        planes=tuple(
            Plane(blocks=plane[:rows, :columns], table=table, h_samp=h_samp, v_samp=v_samp)
            for plane, table, (rows, columns), (h_samp, v_samp) in zip(
                padded, plane_tables, grids, samplings, strict=True
            )
        ),
        width=width,
        height=height,
        colour="grey" if len(padded) == 1 else "ycbcr",
    )


def _layout(
    pixels: NDArray[np.uint8], tables: TableSet, subsampling: Subsampling
) -> tuple[tuple[int, int], tuple[QuantTable, ...]]:
    """Luma sampling factors, and the table of each plane, of checked pixels."""
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
    if not is_colour or tables.chroma is None:
        return (1, 1), (tables.luma,)
    return LUMA_SAMPLING[subsampling], (tables.luma, tables.chroma, tables.chroma)


def _settings(
    turbo: Any,
    *,
    size: tuple[int, int],
    tables: Sequence[QuantTable],
    luma_sampling: tuple[int, int],
    grids: Sequence[tuple[int, ...]] = (),
    progressive: bool = True,
    optimise: bool = True,
    shared_huffman: bool = False,
    jfif: bool = True,
    icc: bytes | None = None,
    exif: bytes | None = None,
) -> Any:
    """`turbo_settings` of checked values; it holds pointers into `icc` and `exif`."""
    height, width = size
    if not (1 <= height <= _SIDE_MAX and 1 <= width <= _SIDE_MAX):
        raise JpegError(f"a JPEG has 1..{_SIDE_MAX} pixels a side, got {width}×{height}")
    if shared_huffman and progressive:
        raise ConfigurationError(
            "shared_huffman is for baseline files, each scan of a progressive one has its own "
            "tables; pass progressive=False"
        )
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
            "shared_huffman": shared_huffman,
            "jfif": jfif,
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
