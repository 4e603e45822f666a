"""What a run writes about itself: what decides on its bytes, what it is made from, what it skipped.

    OUT/.bandwise/run.json      layout, profiles, settings, kind of source; of shards also versions
    OUT/.bandwise/plan.jsonl    of shards: what each is made from, a line a shard
    OUT/.bandwise/files.jsonl   of a tree: each file's size and hash
    OUT/quarantine.jsonl        images that were not encoded, and why

A run that goes on compares, so that no folder holds files of two kinds. None of these files holds a
time or a place: the same run gives the same record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, Self, get_args

from bandwise.dataset.sources import Part, Source
from bandwise.dataset.transcoding import EncodeOptions
from bandwise.encoding import ImageEncoder
from bandwise.errors import (
    ConfigurationError,
    CorruptDataError,
    ErrorRateError,
    OutputError,
    SourceChangedError,
)
from bandwise.files import (
    checked_entries,
    output_errors,
    parse_json,
    write_json,
    writing_atomically,
)
from bandwise.profile import Profile

RECORD_FOLDER = ".bandwise"
RUN_NAME = f"{RECORD_FOLDER}/run.json"
PLAN_NAME = f"{RECORD_FOLDER}/plan.jsonl"
QUARANTINE_NAME = "quarantine.jsonl"
FORMAT, SCHEMA = "bandwise-run", 1

MAX_ERROR_RATE = 0.01
ERRORS_ALWAYS_ALLOWED = 10
"""So that a few bad files do not stop a small run."""

Layout = Literal["tree", "shards"]

_KINDS: dict[str, type] = {
    **{"format": str, "schema": int, "layout": str},
    **{"options": dict, "settings": dict, "profiles": list},
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run was asked to do. Options and settings are JSON values that decide on the bytes."""

    layout: Layout
    options: Mapping[str, Any]
    settings: Mapping[str, Any]
    profiles: tuple[Profile, ...]

    @classmethod
    def of(
        cls,
        layout: Layout,
        encoder: ImageEncoder,
        options: EncodeOptions,
        settings: Mapping[str, Any],
    ) -> Self:
        """Run with an encoder; `settings` are those of what is not the encoder's."""
        return cls(
            layout=layout,
            profiles=tuple(encoder.profiles),
            options={**encoder.settings, **asdict(options)},
            settings=settings,
        )

    def facts(self) -> dict[str, Any]:
        """What has to be the same for a run to go on, as messages name it."""
        first, *others = self.profiles
        profiles = f"{first.name} ({first.sha256[:12]})"
        if others:
            together = hashlib.sha256("".join(one.sha256 for one in others).encode()).hexdigest()
            profiles += f" and {len(others)} others ({together[:12]})"
        return {"layout": self.layout, "profiles": profiles, **self.options, **self.settings}

    @classmethod
    def load(cls, out: Path) -> Self | None:
        """Run that wrote a folder; None where it says nothing of one.

        Raises `CorruptDataError` where the record is damaged, or of a newer layout.
        """
        path = out / RUN_NAME
        if not path.exists():
            return None
        try:
            value = checked_entries(parse_json(path.read_bytes()), _KINDS)
            if (value.pop("format"), value.pop("schema")) != (FORMAT, SCHEMA):
                raise ValueError("it is of another layout")
            if value["layout"] not in get_args(Layout) or not value["profiles"]:
                raise ValueError("it names no layout, or no profile")
            profiles = tuple(map(Profile.from_json, value.pop("profiles")))
            return cls(profiles=profiles, **value)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise CorruptDataError(
                f"the record {path} is damaged, or of another version of bandwise ({error}); "
                "begin again in another folder"
            ) from error

    def record(self, out: Path) -> None:
        """Write the record where there is none, or compare; `OutputError` says what differs."""
        before = Run.load(out)
        if before is None:
            profiles = [profile.to_json() for profile in self.profiles]
            head = {"format": FORMAT, "schema": SCHEMA}
            write_json(out / RUN_NAME, {**head, **vars(self), "profiles": profiles})
            return
        then, now = before.facts(), self.facts()
        if [one.sha256 for one in before.profiles] == [one.sha256 for one in self.profiles]:
            then["profiles"] = now["profiles"]  # names alone do not change a byte
        differ = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        if differ:
            said = "; ".join(f"{key}: {then.get(key)} then, {now.get(key)} now" for key in differ)
            raise OutputError(
                f"{out} was begun with other settings ({said}); use those, or choose another folder"
            )


def write_plan(out: Path, source: Source) -> None:
    """Write what each shard is made from, a line a shard."""
    with writing_atomically(out / PLAN_NAME) as stream:
        for part in source.parts():
            stream.write(json.dumps(part.to_json()).encode() + b"\n")


def read_plan(out: Path) -> Iterator[Part]:
    """Parts of a plan in order; `CorruptDataError` where it is damaged."""
    path = out / PLAN_NAME
    try:
        with path.open("rb") as lines:
            for line in lines:
                yield Part.from_json(parse_json(line))
    except (OSError, ValueError, TypeError) as error:
        raise CorruptDataError(
            f"the plan {path} cannot be read ({error}); begin again in another folder"
        ) from error


def check_plan(out: Path, source: Source) -> None:
    """Compare a plan with what the source holds now; `SourceChangedError` says what differs."""
    for then, now in zip_longest(read_plan(out), source.parts()):
        if then != now:
            raise SourceChangedError(
                f"the source is not what it was when {out} was begun: {_difference(then, now)}; "
                "put it back, or begin again in another folder"
            )


def _difference(then: Part | None, now: Part | None) -> str:
    before, after = (part.files if part else () for part in (then, now))
    for old, new in zip_longest(before, after, fillvalue="no further file"):
        if old != new:
            return f"{old} then, {new} now"
    return "its files are cut into other parts"


@dataclass(frozen=True)
class Skipped:
    """A file or sample that was not encoded, by its name in the input, and why."""

    name: str
    reason: str


class QuarantineList:
    """The list of what was skipped: written while it grows, and removed where it stays empty.

    Raises `OutputError` where it cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / QUARANTINE_NAME
        with output_errors(self._path):
            self._stream = self._path.open("wb", buffering=0)

    def add(self, skipped: Iterable[Skipped]) -> None:
        """Write these."""
        lines = (json.dumps({"path": one.name, "reason": one.reason}) + "\n" for one in skipped)
        with output_errors(self._path):
            self._stream.write("".join(lines).encode())

    def close(self) -> None:
        """Remove the list where it is empty."""
        is_empty = self._stream.tell() == 0
        self._stream.close()
        if is_empty:
            self._path.unlink(missing_ok=True)


def count_listed(out: Path) -> int:
    """How many images a folder's list names; 0 without one, `OutputError` for one not readable."""
    path = out / QUARANTINE_NAME
    if not path.exists():
        return 0
    with output_errors(path, "read"), path.open("rb") as lines:
        return sum(1 for _ in lines)


def check_limit(limit: float) -> None:
    """Raise `ConfigurationError` for a limit that is no share."""
    if not 0 <= limit <= 1:
        raise ConfigurationError(f"the limit of errors is a share 0..1, got {limit}")


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
