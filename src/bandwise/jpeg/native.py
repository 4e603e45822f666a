"""The one seam to libjpeg-turbo: loads the extension and turns its reports into exceptions."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bandwise.errors import (
    CoefficientError,
    JpegError,
    JpegLimitError,
    JpegUnavailableError,
)
from bandwise.jpeg.limits import Limits

_INSTALL = """\
the native JPEG extension is not built; install libjpeg-turbo with its headers and a C compiler:
  Debian, Ubuntu: apt install gcc libjpeg62-turbo-dev   (Ubuntu: libjpeg-turbo8-dev)
  Fedora:         dnf install gcc libjpeg-turbo-devel
  macOS:          brew install jpeg-turbo
then rebuild in the source folder: pip install -e ."""


@functools.cache
def extension() -> Any:
    """Load the compiled module, with `ffi` and `lib`; raises `JpegUnavailableError` without it."""
    try:
        return importlib.import_module("bandwise.jpeg._turbo")
    except ImportError as error:
        raise JpegUnavailableError(f"{_INSTALL}\n({error})") from error


def available() -> bool:
    """Whether the native extension is built on this machine."""
    try:
        extension()
    except JpegUnavailableError:
        return False
    return True


def library_version() -> str:
    """Name and version of the codec library, as compiled: "libjpeg-turbo 2.1.5"."""
    turbo = extension()
    return text(turbo.ffi, turbo.lib.turbo_version())


def text(ffi: Any, characters: Any) -> str:
    """Python string of C characters."""
    raw: bytes = ffi.string(characters)
    return raw.decode("utf-8", "replace")


@functools.lru_cache(maxsize=16)
def c_limits(limits: Limits) -> Any:
    """`turbo_limits` of the given limits."""
    return extension().ffi.new(
        "turbo_limits *",
        {
            "max_pixels": limits.max_pixels,
            "max_memory_bytes": limits.max_memory_bytes,
            "max_scans": limits.max_scans,
            "warnings_are_errors": True,
        },
    )


def check_bytes(data: bytes, limits: Limits) -> None:
    """Raise `JpegLimitError` for a file of more bytes than allowed."""
    if len(data) > limits.max_bytes:
        raise JpegLimitError(
            f"a JPEG of {len(data):,} bytes, the limit is max_bytes={limits.max_bytes:,}"
        )


def error_of(report: Any, limits: Limits | None = None) -> Exception:
    """Exception that says what a failed call reported."""
    turbo = extension()
    lib, message = turbo.lib, text(turbo.ffi, report.message)
    if report.code == lib.TURBO_LIMIT:
        bound = {
            "pixels": "max_pixels",
            "scans": "max_scans",
            "memory": "max_memory_bytes",
        }[message]
        value = f"={getattr(limits, bound):,}" if limits is not None else ""
        return JpegLimitError(
            f"the JPEG has more {message} than {bound}{value} allows; "
            "raise the limit only for trusted files"
        )
    if report.code == lib.TURBO_UNSUPPORTED:
        return JpegError(
            f"the JPEG has {message}, which is not supported; "
            "convert it to 8-bit grey or YCbCr first"
        )
    if report.code == lib.TURBO_MISMATCH:
        return JpegError(
            f"the JPEG has another {message} than the prepared arrays; "
            "group files of one size and subsampling"
        )
    if report.code == lib.TURBO_RANGE:
        return CoefficientError(
            f"coefficient {message}; 8-bit JPEG holds -1023..1023 (DC -1024..1023): clamp it"
        )
    if report.code == lib.TURBO_WARNING:
        return JpegError(f"damaged JPEG: {message}")
    return JpegError(f"libjpeg refused the data: {message}")


@contextmanager
def native_output(turbo: Any) -> Iterator[Any]:
    """Hold a `turbo_output` whose memory is freed at the end of the block."""
    output = turbo.ffi.new("turbo_output *")
    try:
        yield output
    finally:
        turbo.lib.turbo_free(output)
