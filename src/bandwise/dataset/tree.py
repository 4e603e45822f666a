"""A tree of JPEG files, one an image: what each is called, kept or written, and their list."""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bandwise.dataset.parts import Encoded, Outcome, Task
from bandwise.dataset.record import QUARANTINE_NAME, RECORD_FOLDER, Skipped
from bandwise.dataset.sources.locations import read_path
from bandwise.dataset.transcoding import IMAGE_ERRORS, check_file
from bandwise.errors import CorruptDataError, OutputError
from bandwise.files import checked_entries, parse_json, remove_temporaries, write_atomically
from bandwise.images import image_suffixes
from bandwise.profile import Profile

FILES_NAME = f"{RECORD_FOLDER}/files.jsonl"

_FILE_KINDS = {"path": str, "size_bytes": int, "sha256": str, "record": dict}


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A `Sink` of one file for each part, which is one image."""

    out: Path
    profiles: Sequence[Profile]
    clashes: Mapping[str, str] = field(default_factory=dict)
    listed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def kept(self, task: Task) -> Outcome | None:
        """Keep a file that is there, if it is whole and of one of the profiles.

        If it is not, and where the name would be another's too, the image is skipped.
        """
        name = task.part.files[0].location
        if name in self.clashes:
            return Outcome(skipped=[Skipped(name, self.clashes[name])])
        target = self.out / jpeg_name(name)
        if not os.path.lexists(target):
            return None
        try:
            data = read_path(target)
            listed = self.listed.get(jpeg_name(name))
            if listed is None or not is_source(listed["record"]):
                check_file(data, self.profiles)
        except IMAGE_ERRORS as error:
            reason = f"{target} is there, but {error}; remove it and resume"
            return Outcome(skipped=[Skipped(name, reason)])
        row = _row(name, data)
        records = []
        if listed is not None and listed["sha256"] == row["sha256"] and listed["record"]:
            row["record"] = listed["record"]
            records = [listed["record"]]
        return Outcome(kept=True, images=1, rows=[row], records=records)

    def write(self, task: Task, samples: Iterable[Encoded], outcome: Outcome) -> None:
        """Write the file of the one sample; `OutputError` where that cannot be done."""
        name = task.part.files[0].location
        for _, files in samples:
            write_atomically(self.out / jpeg_name(name), files["jpg"].data)
            outcome.rows.append(_row(name, files["jpg"].data, files["jpg"].record))


def is_source(record: Mapping[str, Any]) -> bool:
    """Whether a file's record says that it is the image's own file: with tables of its own."""
    return record.get("candidate", 0) is None


def jpeg_name(name: str) -> str:
    """Replace an image's suffix by .jpg, and put it behind any other.

    >>> jpeg_name("cat/a.PNG"), jpeg_name("v1.2")
    ('cat/a.jpg', 'v1.2.jpg')
    """
    path = PurePosixPath(name)
    if path.suffix.lower() in image_suffixes():
        return str(path.with_suffix(".jpg"))
    return f"{name}.jpg"


def plan_tree(out: Path, names: Sequence[str], *, resume: bool) -> dict[str, str]:
    """Names that cannot become a file, with the reason: another's file or folder has the target.

    What a killed run left of the others is removed. Without `resume`, `OutputError` where one of
    them is there already.
    """
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    below: dict[str, str] = {}
    for name in names:
        target = jpeg_name(name)
        sharing[target].append(name)
        below |= dict.fromkeys(map(str, PurePosixPath(target).parents), name)
    clashes: dict[str, str] = {}
    for target, sources in sharing.items():
        if len(sources) > 1:
            reason = (
                f"{' and '.join(sources)} would each become {out / target}; "
                "rename them, or encode them from separate folders"
            )
        elif target in below:
            reason = (
                f"it would become {out / target}, which is a folder with {below[target]} in it; "
                "rename one"
            )
        else:
            continue
        clashes |= dict.fromkeys(sources, reason)
    if not resume:
        free = (target for target, sources in sharing.items() if sources[0] not in clashes)
        targets = (out / name for name in (*free, QUARANTINE_NAME))
        if present := [target for target in targets if os.path.lexists(target)]:
            raise OutputError(
                f"{out} holds {len(present):,} of the files to be written already, {present[0]} "
                "among them; go on from there with --resume, or choose another folder"
            )
    folders: defaultdict[Path, set[str]] = defaultdict(set)
    for target in sharing:
        path = out / target
        folders[path.parent].add(path.name)
    for folder, of_run in folders.items():
        remove_temporaries(folder, of_run)
    return clashes


def list_files(out: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """List the files of a run with their hashes, and those that earlier runs left."""
    found = {**read_files(out), **{row["path"]: dict(row) for row in rows}}
    for row in found.values():
        if not row.get("record"):
            row.pop("record", None)
    lines = (json.dumps(found[name]) + "\n" for name in sorted(found))
    write_atomically(out / FILES_NAME, "".join(lines).encode())


def read_files(out: Path) -> dict[str, dict[str, Any]]:
    """Row of every file of a tree by its name; `CorruptDataError` for a damaged list."""
    path = out / FILES_NAME
    if not path.exists():
        return {}
    try:
        lines = path.read_bytes().splitlines()
        rows = (checked_entries({"record": {}, **parse_json(line)}, _FILE_KINDS) for line in lines)
        return {row["path"]: row for row in rows}
    except (OSError, ValueError, TypeError) as error:
        raise CorruptDataError(
            f"the list {path} is damaged ({error}); remove it and resume"
        ) from error


def _row(name: str, data: bytes, record: Mapping[str, Any] | None = None) -> dict[str, Any]:
    sha256 = hashlib.sha256(data).hexdigest()
    row = {"path": jpeg_name(name), "size_bytes": len(data), "sha256": sha256}
    return {**row, "record": dict(record)} if record else row
