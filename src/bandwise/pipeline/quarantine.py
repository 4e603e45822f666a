"""Images that were not encoded: the list of them, and how many a run puts up with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bandwise.errors import ConfigurationError, ErrorRateError, OutputError

QUARANTINE_NAME = "quarantine.jsonl"
MAX_ERROR_RATE = 0.01
ERRORS_ALWAYS_ALLOWED = 10
"""So that a few bad files do not stop a small run."""


@dataclass(frozen=True)
class Skipped:
    """A file or sample that was not encoded, by its name in the input, and why."""

    name: str
    reason: str

    def to_line(self) -> bytes:
        """Line of the quarantine list."""
        return json.dumps({"path": self.name, "reason": self.reason}).encode() + b"\n"


def check_error_rate(skipped: int, done: int, total: int | None, limit: float) -> None:
    """Raise `ErrorRateError` past ten images and the limit, a share of all images there are.

    Where it is not known how many there are, of those that are done.
    """
    of = done if total is None else total
    if skipped > max(ERRORS_ALWAYS_ALLOWED, limit * of):
        raise ErrorRateError(
            f"stopped: {skipped:,} of {of:,} images cannot be encoded, more than {limit:.3g} of "
            f"them and than {ERRORS_ALWAYS_ALLOWED}; {QUARANTINE_NAME} says why. What is finished "
            "is kept: the same command with --resume goes on, with --max-error-rate as far as you "
            "allow"
        )


def count_listed(out: Path) -> int:
    """How many images a folder's list names; 0 without one, `OutputError` for one not readable."""
    path = out / QUARANTINE_NAME
    if not path.exists():
        return 0
    try:
        with path.open("rb") as lines:
            return sum(1 for _ in lines)
    except OSError as error:
        raise OutputError(f"the list {path} cannot be read: {error.strerror or error}") from error


def check_limit(limit: float) -> None:
    """Raise `ConfigurationError` for a limit that is no share."""
    if not 0 <= limit <= 1:
        raise ConfigurationError(f"the limit of errors is a share 0..1, got {limit}")


class QuarantineList:
    """The list while it grows: written anew, and removed at the end where it is empty.

    Raises `OutputError` where it cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / QUARANTINE_NAME
        self._size = 0

    def __enter__(self) -> Self:
        with self._errors():
            self._stream = self._path.open("wb", buffering=0)
        return self

    def add(self, skipped: Iterable[Skipped]) -> None:
        """Write these."""
        with self._errors():
            self._size += self._stream.write(b"".join(one.to_line() for one in skipped))

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        if not self._size:
            self._path.unlink(missing_ok=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error
