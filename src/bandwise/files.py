"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, BinaryIO, NoReturn

from bandwise.errors import OutputError

TEMPORARY_SUFFIX = ".tmp"

_TEMPORARY = re.compile(rf"\.(?P<name>.+)\.\d+{re.escape(TEMPORARY_SUFFIX)}")


@contextlib.contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary name beside ``path``; at the end flush it to the disk and rename.

    Where the body raises, nothing appears and an older ``path`` stays as it was. Raises
    `OutputError` if the folder cannot be written or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    with output_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def output_errors(path: Path, doing: str = "write") -> Iterator[None]:
    """Raise `OutputError` for an `OSError` of the body."""
    try:
        yield
    except OSError as error:
        advice = "; free some space or choose another output folder" if doing == "write" else ""
        raise OutputError(f"cannot {doing} {path}: {error.strerror or error}{advice}") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` as `writing_atomically` does."""
    with writing_atomically(path) as stream:
        stream.write(data)


def remove_temporaries(folder: Path, names: Container[str] | None = None) -> None:
    """Remove what killed processes left of files that they were writing into a folder.

    Of those called ``names`` alone, where the folder holds files of others. Raises `OutputError`
    where the folder cannot be written.
    """
    for path in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        of = _TEMPORARY.fullmatch(path.name)
        if of is not None and (names is None or of["name"] in names):
            with output_errors(path, "remove"):
                path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON that people can read, atomically."""
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def parse_json(text: str | bytes) -> Any:
    """Value of JSON (RFC 8259) in which every number is finite; raises `ValueError` alone."""
    try:
        return json.loads(text, parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def checked_entries(value: object, kinds: Mapping[str, type | UnionType]) -> dict[str, Any]:
    """Object that has these entries, each of its kind, and no others; `ValueError` otherwise.

    Integers have 64 bits, and a truth value is none of them.
    """
    if not isinstance(value, dict) or value.keys() != kinds.keys():
        raise ValueError(f"it is no object of {', '.join(kinds)}")
    for name, kind in kinds.items():
        entry = value[name]
        if not isinstance(entry, kind) or isinstance(entry, bool):
            raise ValueError(f"its entry {name!r} is of another kind")
        if isinstance(entry, int) and not -(2**63) <= entry < 2**63:
            raise ValueError(f"its entry {name!r} is out of range")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_number(digits)


def _refuse_number(digits: str) -> NoReturn:
    raise ValueError(f"it has the number {digits[:20]}, which is not finite")
