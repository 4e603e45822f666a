"""Rows of a results file: JSON lines, and the checked way from a row to a record and back.

A file holds one JSON object a line, told apart by ``record``. How a field of a record is read
follows from its type.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)

from bandwise.errors import BandwiseError, ResultsError
from bandwise.files import parse_json, write_atomically

SCHEMA = 1
"""Version of the rows' layout; a reader refuses a newer one."""

Row = dict[str, Any]

_T = TypeVar("_T")


def checked(read: Callable[[Any], _T]) -> Callable[[Any], _T]:
    """Reader of a JSON value whose errors, whatever they are, become those of its field."""

    def validate(value: Any) -> _T:
        try:
            return read(value)
        except (BandwiseError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(str(error)) from error

    return validate


def _read_array(kinds: str, dtype: type[np.generic]) -> Callable[[Any], NDArray[Any]]:
    """Read a list of numbers, or of lists of equal lengths."""

    def read(value: Any) -> NDArray[Any]:
        array = np.asarray(value)
        if not isinstance(value, list) or (array.size and array.dtype.kind not in kinds):
            raise ValueError(f"expected lists of {np.dtype(dtype)}")
        return array.astype(dtype)

    return read


Int = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(strict=True, ge=1, lt=2**63)]
Float = Annotated[float, Field(strict=True)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Bool = Annotated[bool, Field(strict=True)]
_AS_LIST = PlainSerializer(lambda array: array.tolist())
Ints = Annotated[NDArray[np.int64], PlainValidator(_read_array("i", np.int64)), _AS_LIST]
Floats = Annotated[NDArray[np.float64], PlainValidator(_read_array("if", np.float64)), _AS_LIST]
"""Types of fields; JSON has no others, and nothing is converted but int to float."""


_adapter: Callable[[Any], TypeAdapter[Any]] = functools.cache(TypeAdapter)


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
            given = {name: value for name, value in row.items() if value is not None}
            record: Self = _adapter(cls).validate_python(given)
            return record
        except ResultsError as error:
            raise ResultsError(f"{where}, {error}") from error
        except ValidationError as error:
            raise ResultsError(f"{where}, {_problem(error)}") from error

    def to_row(self) -> Row:
        """Row that `from_row` reads back; fields that are None are left out.

        Raises `ValueError` for numbers that JSON cannot express.
        """
        fields = _adapter(type(self)).dump_python(self, by_alias=True, exclude_none=True)
        return {"record": self.kind, **json.loads(json.dumps(fields, allow_nan=False))}


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


def _problem(error: ValidationError) -> str:
    """First field that cannot be, what was expected there and what it is."""
    first = error.errors(include_url=False)[0]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "expected", 1)
    if first["type"] == "missing":
        return f"field {name[1:]!r}: missing; was the file cut or edited?"
    text, kind = repr(first["input"]), type(first["input"]).__name__
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return f"field {name[1:]!r}: {message}, got {kind} {short}"
