"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from bandwise.errors import OutputError


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary name beside ``path``, flush it to the disk and rename.

    Raises
    ------
    OutputError
        If the folder cannot be written or the disk is full. An older ``path`` stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose another output folder"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON that people can read, atomically."""
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())
