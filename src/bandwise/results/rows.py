"""Rows of a results file: JSON lines, and the checked way from a row to a dataclass and back.

A file holds one JSON object a line, told apart by ``record``. How a field of a record is read
follows from its type; `column` says what a type cannot: another name, or an own reader and writer.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import BandwiseError, ResultsError
from bandwise.files import parse_json, write_atomically

SCHEMA = 1
"""Version of the rows' layout; a reader refuses a newer one."""

Row = dict[str, Any]

_T = TypeVar("_T")

_EXPECTED = {str: "str", int: "int of 64 bits", float: "finite number", bool: "bool"}


def column(
    *,
    key: str | None = None,
    read: Callable[[Any], Any] | None = None,
    write: Callable[[Any], Any] | None = None,
    stored: bool = True,
) -> dict[str, Any]:
    """Metadata of a field whose name in rows is `key`, with a reader and writer of its JSON value.

    Readers raise `ValueError` or a `BandwiseError` for a value that they cannot use. What is not
    `stored` is in memory alone.
    """
    return {"key": key, "read": read, "write": write, "stored": stored}


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """One row of a results file, with types.

    Subclasses name their `kind` and the fields that identify a row among those of its kind. A field
    that has a default may be missing or null in a row; fields that no record knows are ignored.
    """

    kind: ClassVar[str]
    identity: ClassVar[tuple[str, ...]] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """What identifies the row in its file: a later row replaces one of the same key."""
        return self.kind, *(getattr(self, name) for name in self.identity)

    @classmethod
    def from_row(cls, row: Mapping[str, Any], where: str = "row") -> Self:
        """Read a row; `ResultsError` names `where`, the field, what was expected and what it is."""
        try:
            return _read_fields(cls, row, "")
        except ResultsError as error:
            raise ResultsError(f"{where}, {error}") from error

    def to_row(self) -> Row:
        """Row that `from_row` reads back; fields that are None by default are left out."""
        return {"record": self.kind, **_written(self)}


def require(condition: bool, name: str, problem: str) -> None:
    """Raise `ResultsError` that names a field, unless a condition holds."""
    if not condition:
        raise ResultsError(f"field {name!r}: {problem}")


def require_length(name: str, values: Sequence[Any] | NDArray[Any], count: int) -> None:
    """Raise `ResultsError` unless a field has `count` entries."""
    require(len(values) == count, name, f"expected {count} entries, got {len(values)}")


def read_rows(path: Path) -> list[Row]:
    """Read rows of a results file; the beginning of a last line is left out.

    Raises
    ------
    ResultsError
        If the file is missing, a line is not a JSON object with a ``record``, or the layout is
        newer than this version understands.
    """
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(
            f"cannot read results from {path}: {error}; name the output folder of a run"
        ) from error
    rows: list[Row] = []
    *lines, rest = text.split("\n")  # and at nothing else that str.splitlines takes for an end
    for number, line in enumerate(lines, start=1):
        rows.append(_parse_line(line, f"{path}, line {number}"))
    if not rows:
        raise ResultsError(
            f"{path} is empty{' but for part of a line' if rest else ''}; "
            "run the experiment again into a new folder"
        )
    return rows


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, atomically."""
    write_atomically(path, b"".join(map(line_of, rows)))


def line_of(row: Mapping[str, Any]) -> bytes:
    """Line of a row; `ValueError` for numbers that JSON cannot express."""
    return (json.dumps(row, allow_nan=False) + "\n").encode()


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value, the same for equal values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _parse_line(line: str, where: str) -> Row:
    try:
        row = parse_json(line)
    except ValueError as error:
        raise ResultsError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict) or not isinstance(row.get("record"), str):
        raise ResultsError(f"{where}: expected an object with a 'record'")
    if row["record"] == "experiment" and row.get("schema") != SCHEMA:
        raise ResultsError(
            f"{where}: layout {row.get('schema')!r}, this version of bandwise reads layout "
            f"{SCHEMA}; use the version that wrote it"
        )
    return row


@functools.cache
def _columns(cls: Any) -> list[tuple[Field[Any], str, Any]]:
    hints = get_type_hints(cls)
    return [
        (each, each.metadata.get("key") or each.name, hints[each.name])
        for each in fields(cls)
        if each.metadata.get("stored", True)
    ]


def _read_fields(cls: type[_T], row: Mapping[str, Any], inside: str) -> _T:
    values: dict[str, Any] = {}
    for each, key, hint in _columns(cast(Any, cls)):
        optional = each.default is not MISSING or each.default_factory is not MISSING
        value = row.get(key)
        if value is None and optional:
            continue
        if key not in row:
            raise ResultsError(f"field '{inside}{key}': missing; was the file cut or edited?")
        if value is None and NoneType in get_args(hint):
            values[each.name] = None
        elif read := each.metadata.get("read"):
            values[each.name] = _read_by(read, value, inside + key)
        else:
            values[each.name] = _read(value, hint, inside + key)
    return cls(**values)


def _read_by(read: Callable[[Any], Any], value: Any, name: str) -> Any:
    try:
        return read(value)
    except (BandwiseError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ResultsError(f"field {name!r}: {error}, got {_short(value)}") from error


def _read(value: Any, hint: Any, name: str) -> Any:
    """Value of a field, checked against its type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (hint,) = (each for each in arguments if each is not NoneType)
        return _read(value, hint, name)
    if origin is Literal:
        expected = f"one of {', '.join(map(repr, arguments))}"
        if not isinstance(value, str) or value not in arguments:
            raise _mismatch(name, expected, value)
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise _mismatch(name, "list", value)
        if arguments[-1] is not Ellipsis:
            require_length(name, value, len(arguments))
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(
            _read(each, kind, f"{name}[{index}]")
            for index, (each, kind) in enumerate(zip(value, kinds, strict=True))
        )
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _mismatch(name, "object", value)
        return {key: _read(each, arguments[1], f"{name}.{key}") for key, each in value.items()}
    if origin is np.ndarray:
        return _read_array(value, get_args(arguments[1])[0], name)
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise _mismatch(name, "object", value)
        return _read_fields(hint, value, f"{name}.")
    return value if hint is Any else _read_scalar(value, hint, name)


def _read_array(value: Any, dtype: type[np.generic], name: str) -> NDArray[Any]:
    """Array of a list of numbers, or of lists of equal lengths."""
    integers = issubclass(dtype, np.integer)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise _mismatch(name, "lists of equal lengths", value) from error
    if not isinstance(value, list) or (
        array.size and array.dtype.kind not in ("i" if integers else "if")
    ):
        raise _mismatch(name, "lists of int of 64 bits" if integers else "lists of float", value)
    converted: NDArray[Any] = array.astype(dtype)
    return converted


def _read_scalar(value: Any, kind: type, name: str) -> Any:
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise _mismatch(name, _EXPECTED[kind], value)
    if kind is int and not -(2**63) <= value < 2**63:
        raise _mismatch(name, _EXPECTED[kind], value)
    if kind is float:
        if not abs(value) < math.inf or abs(value) > 1e308:
            raise _mismatch(name, _EXPECTED[kind], value)
        return float(value)
    return value


def _written(record: Any) -> Row:
    row: Row = {}
    for each, key, _ in _columns(cast(Any, type(record))):
        value = getattr(record, each.name)
        if value is None and each.default is None:
            continue
        write = each.metadata.get("write")
        row[key] = write(value) if write and value is not None else _plain(value)
    return row


def _plain(value: Any) -> Any:
    """JSON value of a field that has no writer of its own."""
    if is_dataclass(value) and not isinstance(value, type):
        return _written(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value


def _mismatch(name: str, expected: str, value: Any) -> ResultsError:
    return ResultsError(
        f"field {name!r}: expected {expected}, got {type(value).__name__} {_short(value)}"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
