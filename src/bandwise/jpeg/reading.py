"""From JPEG bytes to coefficients or pixels."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import JpegError, TableError
from bandwise.frequency.coefficients import LUMA_SAMPLING, Coefficients, Colour, Plane
from bandwise.frequency.tables import BLOCK, QuantTable
from bandwise.jpeg.limits import DEFAULT_LIMITS, Limits
from bandwise.jpeg.markers import metadata
from bandwise.jpeg.native import c_limits, check_bytes, error_of, extension


def read_coefficients(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Coefficients:
    """Quantised coefficients, tables and metadata of a JPEG file, without decoding pixels.

    Baseline and progressive, grey and YCbCr at 4:4:4, 4:2:2, 4:2:0, 4:4:0. Damage that libjpeg
    only warns of is an error. Raises `JpegError`, `JpegLimitError`, `JpegUnavailableError`.
    """
    frame = read_frame(data, limits)
    turbo = extension()
    ffi, lib = turbo.ffi, turbo.lib
    source = ffi.from_buffer("unsigned char[]", data)
    bounds, report = c_limits(limits), ffi.new("turbo_report *")
    factors = _sampling(frame)
    padded = [
        np.empty((frame.padded_y[c], frame.padded_x[c], BLOCK, BLOCK), np.int16)
        for c in range(frame.components)
    ]
    tables = np.empty((frame.components, BLOCK, BLOCK), np.uint16)
    code = lib.turbo_read_coefficients(
        [source],
        [len(data)],
        1,
        bounds,
        frame,
        [ffi.from_buffer("short[]", plane, require_writable=True) for plane in padded],
        ffi.from_buffer("unsigned short[]", tables, require_writable=True),
        report,
    )
    if code != lib.TURBO_OK:
        raise error_of(report, limits)
    icc, exif = metadata(data) if frame.has_metadata else (None, None)
    colour: Colour = "grey" if frame.components == 1 else "ycbcr"
    return Coefficients(
        planes=tuple(
            Plane(
                blocks=padded[c][: frame.blocks_y[c], : frame.blocks_x[c]],
                table=_table(tables[c].tobytes()),
                h_samp=h_samp,
                v_samp=v_samp,
            )
            for c, (h_samp, v_samp) in enumerate(factors)
        ),
        width=frame.width,
        height=frame.height,
        colour=colour,
        icc=icc,
        exif=exif,
    )


def decode(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, fast: bool = False
) -> NDArray[np.uint8]:
    """Pixels of a JPEG file: uint8 (height, width) if grey, else RGB (height, width, 3).

    The accurate integer inverse DCT and libjpeg's smooth chroma upsampling; with ``fast``, its fast
    inverse DCT and repeated chroma, as decoders in a hurry do. Orientation in EXIF is not applied.
    Errors are as in `read_coefficients`.
    """
    frame = read_frame(data, limits)
    turbo = extension()
    ffi, lib = turbo.ffi, turbo.lib
    source = ffi.from_buffer("unsigned char[]", data)
    bounds, report = c_limits(limits), ffi.new("turbo_report *")
    shape = (frame.height, frame.width) + ((3,) if frame.components == 3 else ())
    pixels_u8 = np.empty(shape, np.uint8)
    target = ffi.from_buffer("unsigned char[]", pixels_u8, require_writable=True)
    if lib.turbo_decode(source, len(data), bounds, frame, fast, target, report) != lib.TURBO_OK:
        raise error_of(report, limits)
    return pixels_u8


def read_frame(data: bytes, limits: Limits) -> Any:
    """`turbo_frame` of a file's header, checked against the limits."""
    check_bytes(data, limits)
    turbo = extension()
    frame, report = turbo.ffi.new("turbo_frame *"), turbo.ffi.new("turbo_report *")
    source = turbo.ffi.from_buffer("unsigned char[]", data)
    code = turbo.lib.turbo_read_frame(source, len(data), c_limits(limits), frame, report)
    if code != turbo.lib.TURBO_OK:
        raise error_of(report, limits)
    return frame


def _sampling(frame: Any) -> list[tuple[int, int]]:
    """Reduce the sampling factors of each component to lowest terms, as `Plane` wants them."""
    if frame.components == 1:
        return [(1, 1)]
    factors = [(frame.h_samp[c], frame.v_samp[c]) for c in range(3)]
    (h_luma, v_luma), cb, cr = factors
    ratios = (h_luma // cb[0], v_luma // cb[1])
    exact = h_luma % cb[0] == 0 and v_luma % cb[1] == 0
    if not exact or cb != cr or ratios not in LUMA_SAMPLING.values():
        raise JpegError(
            f"the JPEG has sampling factors {factors}, supported are {', '.join(LUMA_SAMPLING)}; "
            "decode it and encode it anew"
        )
    return [ratios, (1, 1), (1, 1)]


@functools.lru_cache(maxsize=256)
def _table(steps_u16: bytes) -> QuantTable:
    """Table of 64 native 16-bit steps; cached, because files of a set share a few tables."""
    steps = np.frombuffer(steps_u16, np.uint16)
    try:
        return QuantTable(tuple(steps.tolist()))
    except TableError as error:
        raise JpegError(f"unsupported JPEG: {error}") from error
