"""Files by path, or by URL through fsspec."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from bandwise.dataset.sources.samples import SourceFile
from bandwise.errors import (
    ConfigurationError,
    DataNotFoundError,
    SourceChangedError,
    UnreadableImageError,
)

MAX_FILE_BYTES = 1024**3
"""Of one image, and of what travels with it."""


def is_url(location: str) -> bool:
    """Whether a location is a URL, such as s3://bucket/name, rather than a path."""
    return "://" in location


def described(location: str, *, above: Path) -> SourceFile:
    """State of a file, links followed. Of a URL nothing is asked."""
    nothing = SourceFile(location=location)
    if is_url(location):
        return nothing
    try:
        status = os.stat(above / location)  # noqa: PTH116 - a million of them
    except (OSError, ValueError):  # the latter for a zero byte in the name
        return nothing
    if not stat.S_ISREG(status.st_mode):
        return nothing
    return replace(nothing, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)


def check_unchanged(planned: SourceFile, *, above: Path) -> None:
    """Raise `SourceChangedError` where a file is not what it was when the run was planned."""
    now = described(planned.location, above=above)
    if (planned.size_bytes, planned.modified_ns) != (now.size_bytes, now.modified_ns):
        raise SourceChangedError(
            f"{planned} is not what it was when the run began, now it is {now}; "
            "put it back and resume, or begin again in another folder"
        )


def read_file(location: str, *, above: Path) -> bytes:
    """Contents of an image's file; `UnreadableImageError` where there are none to be had."""
    return _read_url(location) if is_url(location) else read_path(above / location)


def read_path(path: Path) -> bytes:
    """Contents of an image's file; `UnreadableImageError` where there are none to be had."""
    try:
        if not path.is_file():
            raise UnreadableImageError("the file is a link to nothing, or no ordinary file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _too_large()
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"the file cannot be read: {error.strerror or error}") from error


@contextmanager
def opened(location: str, *, above: Path) -> Iterator[BinaryIO]:
    """Open an archive or a table for reading; `DataNotFoundError` where that cannot be done."""
    try:
        if is_url(location):
            stream: BinaryIO = _fsspec().open(location, "rb").open()
        else:
            stream = (above / location).open("rb")
    except Exception as error:  # protocols raise what they like
        raise DataNotFoundError(f"{location} cannot be opened: {error}") from error
    with stream:
        yield stream


def _read_url(url: str) -> bytes:
    try:
        with _fsspec().open(url, "rb") as stream:
            data: bytes = stream.read(MAX_FILE_BYTES + 1)
    except ConfigurationError:
        raise
    except Exception as error:  # protocols raise what they like
        raise UnreadableImageError(f"the URL cannot be read: {error!r}") from error
    if len(data) > MAX_FILE_BYTES:
        raise _too_large()
    return data


def _too_large() -> UnreadableImageError:
    return UnreadableImageError(f"the file is larger than the limit of {MAX_FILE_BYTES} B")


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise ConfigurationError(
            "reading URLs needs fsspec, and often a package for the protocol, such as s3fs; "
            "install bandwise[urls], or give paths"
        ) from error
    return fsspec
