"""Fields of a result row, read with a check that names the line and the field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bandwise.errors import ResultsError


@dataclass(frozen=True)
class Fields:
    """Fields of one row; ``where`` names the row in messages.

    Every reader raises `ResultsError` where the field is missing or of another kind.
    """

    row: Mapping[str, Any]
    where: str

    @property
    def record(self) -> str:
        """Kind of the row."""
        return self.text("record")

    def error(self, field: str, problem: str) -> ResultsError:
        """Error that names the row and the field."""
        return ResultsError(f"results, {self.where}, field '{field}': {problem}")

    def value(self, field: str) -> Any:
        """Return the value, of whatever kind."""
        if field not in self.row:
            raise self.error(field, "missing; was the file cut or edited?")
        return self.row[field]

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self.row.get(field) is not None

    def text(self, field: str) -> str:
        """Return a text."""
        return str(self._typed(field, str, "a text"))

    def integer(self, field: str) -> int:
        """Return an integer of 64 bits."""
        return self._of_64_bits(field, self._typed(field, int, "an integer"))

    def number(self, field: str) -> float:
        """Return a finite number."""
        return self._finite(field, self.value(field))

    def fraction(self, field: str) -> float:
        """Return a number from 0 to 1."""
        value = self.number(field)
        if not 0 <= value <= 1:
            raise self.error(field, f"expected a fraction from 0 to 1, got {value}")
        return value

    def numbers(self, field: str, count: int) -> tuple[float, ...]:
        """Return ``count`` finite numbers."""
        values = self._typed(field, list, f"a list of {count} numbers")
        if len(values) != count:
            raise self.error(field, f"expected {count} numbers, got {len(values)}")
        return tuple(self._finite(field, value) for value in values)

    def table(self, field: str, rows: int, columns: int) -> tuple[tuple[float, ...], ...]:
        """Return ``rows`` lists of ``columns`` finite numbers."""
        values = self._typed(field, list, f"{rows} lists of numbers")
        if len(values) != rows:
            raise self.error(field, f"expected {rows} lists of numbers, got {len(values)}")
        return tuple(Fields({field: row}, self.where).numbers(field, columns) for row in values)

    def integers(self, field: str) -> tuple[int, ...]:
        """Return a list of integers of 64 bits."""
        values = self._typed(field, list, "a list of integers")
        if not all(isinstance(value, int) for value in values):
            raise self.error(field, f"expected integers, got {_short(values)}")
        return tuple(self._of_64_bits(field, value) for value in values)

    def texts(self, field: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self._typed(field, list, "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise self.error(field, f"expected texts, got {_short(values)}")
        return tuple(values)

    def mapping(self, field: str) -> Mapping[str, Any]:
        """Return an object, as it is."""
        value: Mapping[str, Any] = self._typed(field, dict, "an object")
        return value

    def child(self, field: str) -> Fields:
        """Return an object, to be read with the same checks."""
        return Fields(self.mapping(field), f"{self.where}, {field}")

    def _typed(self, field: str, kind: type, expected: str) -> Any:
        value = self.value(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(field, f"expected {expected}, got {_short(value)}")
        return value

    def _of_64_bits(self, field: str, value: int) -> int:
        if not -(2**63) <= value < 2**63:
            raise self.error(field, "expected an integer of 64 bits")
        return value

    def _finite(self, field: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(field, f"expected a number, got {_short(value)}")
        if not abs(value) < math.inf:
            raise self.error(field, f"expected a finite number, got {value}")
        try:
            return float(value)
        except OverflowError:
            raise self.error(field, "expected a number of 64 bits") from None


def fields_of(rows: Sequence[Mapping[str, Any]]) -> list[Fields]:
    """Rows in the order of the file, named by their line."""
    return [Fields(row, f"line {number}") for number, row in enumerate(rows, start=1)]


def only_experiment(rows: Sequence[Fields]) -> Fields:
    """Return the row that says what was run.

    Raises
    ------
    ResultsError
        If there is not exactly one.
    """
    found = [row for row in rows if row.record == "experiment"]
    if len(found) != 1:
        raise ResultsError(
            f"expected one row with record 'experiment', got {len(found)}; "
            "keep the results of each experiment in a file of its own"
        )
    return found[0]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
