"""What decides on the bytes of an output folder, recorded in it before its first file.

    OUT/.bandwise/run.json      layout, profiles, options, kind of source; of shards also versions
    OUT/.bandwise/plan.jsonl    of shards: what each is made from, a line a shard
    OUT/.bandwise/files.jsonl   of a tree: each file's size and hash

A run that goes on compares, so that no folder holds files of two kinds. None of these files holds a
time or a place: the same run gives the same record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, Self, get_args

from bandwise.errors import CorruptDataError, OutputError, SourceChangedError
from bandwise.files import checked_entries, parse_json, write_json, writing_atomically
from bandwise.pipeline.sources import Part, Source, SourceFile
from bandwise.pipeline.transcoding import Chooser, EncodeOptions
from bandwise.profile import Profile

RECORD_FOLDER = ".bandwise"
RUN_NAME = f"{RECORD_FOLDER}/run.json"
PLAN_NAME = f"{RECORD_FOLDER}/plan.jsonl"
FILES_NAME = f"{RECORD_FOLDER}/files.jsonl"
FORMAT, SCHEMA = "bandwise-run", 1

PROFILES_NAMED = 4
"""More profiles than this are not named one by one in messages."""

Layout = Literal["tree", "shards"]

_KINDS: dict[str, type] = {
    **{"format": str, "schema": int, "layout": str},
    **{"options": dict, "settings": dict, "profiles": list},
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run was asked to do. `settings` are JSON values of what else decides on the bytes."""

    layout: Layout
    profiles: tuple[Profile, ...]
    options: EncodeOptions
    settings: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        layout: Layout,
        profile: Profile | Chooser,
        options: EncodeOptions,
        settings: Mapping[str, Any],
    ) -> Self:
        """Run with one profile, or several to choose from."""
        profiles = (profile,) if isinstance(profile, Profile) else tuple(profile.profiles)
        return cls(layout=layout, profiles=profiles, options=options, settings=settings)

    def facts(self) -> dict[str, Any]:
        """What has to be the same for a run to go on, in the words that tell it."""
        return {
            "layout": self.layout,
            "profiles": self._profiles_in_words(),
            **asdict(self.options),
            **self.settings,
        }

    def _profiles_in_words(self) -> str:
        """Name and hash of each, or of the first and of all where they are many."""
        first, *others = (f"{one.name} ({one.sha256[:12]})" for one in self.profiles)
        if len(self.profiles) <= PROFILES_NAMED:
            return ", ".join([first, *others])
        joined = "".join(one.sha256 for one in self.profiles)
        together = hashlib.sha256(joined.encode()).hexdigest()
        return f"{first} and {len(others)} others ({together[:12]})"

    def to_json(self) -> dict[str, Any]:
        """Object that `load` reads back."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "layout": self.layout,
            "options": asdict(self.options),
            "settings": dict(self.settings),
            "profiles": [profile.to_json() for profile in self.profiles],
        }

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
            if (value["format"], value["schema"]) != (FORMAT, SCHEMA):
                raise ValueError(f"layout {value['schema']!r} of {value['format']!r}")
            if value["layout"] not in get_args(Layout) or not value["profiles"]:
                raise ValueError("it names no layout, or no profile")
            return cls(
                layout=value["layout"],
                profiles=tuple(map(Profile.from_json, value["profiles"])),
                options=EncodeOptions(**value["options"]),
                settings=value["settings"],
            )
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise CorruptDataError(
                f"the record {path} is damaged, or of another version of bandwise ({error}); "
                "begin again in another folder"
            ) from error

    def record(self, out: Path) -> None:
        """Write the record where there is none, or compare; `OutputError` says what differs."""
        before = Run.load(out)
        if before is None:
            write_json(out / RUN_NAME, self.to_json())
            return
        then, now = before.facts(), self.facts()
        if [one.sha256 for one in before.profiles] == [one.sha256 for one in self.profiles]:
            then["profiles"] = now["profiles"]  # names alone do not change a byte
        differ = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        if differ:
            told = "; ".join(f"{key}: {then.get(key)} then, {now.get(key)} now" for key in differ)
            raise OutputError(
                f"{out} was begun with other settings ({told}); use those, or choose another folder"
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
    for old, new in zip_longest(before, after):
        if old != new:
            return f"{_told(old)} then, {_told(new)} now"
    return "its files are cut into other parts"


def _told(file: SourceFile | None) -> str:
    if file is None:
        return "no further file"
    label = "" if file.label is None else f", class {file.label}"
    if file.size_bytes is None:
        return f"{file.location}{label}"
    return f"{file.location} ({file.size_bytes} B, modified at {file.modified_ns} ns{label})"
