"""A file or a folder tree of images to a tree of JPEG files."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from bandwise.errors import ConfigurationError, CorruptDataError, DataNotFoundError, OutputError
from bandwise.executors import Threads, check_workers
from bandwise.files import checked_entries, parse_json, remove_temporaries, write_atomically
from bandwise.images import check_memory, image_suffixes
from bandwise.pipeline.manifest import FILES_NAME, Run
from bandwise.pipeline.quarantine import (
    MAX_ERROR_RATE,
    QUARANTINE_NAME,
    Skipped,
    check_error_rate,
    check_limit,
)
from bandwise.pipeline.sources import walk
from bandwise.pipeline.sources.locations import read_path
from bandwise.pipeline.transcoding import (
    DEFAULT_OPTIONS,
    IMAGE_ERRORS,
    Chooser,
    EncodeOptions,
    check_with_any,
    transcode,
)
from bandwise.profile import Profile
from bandwise.system import available_cores

_FILE_KINDS = {"path": str, "size_bytes": int, "sha256": str}

Progress = Callable[[int, int], None]
"""Hears how many files are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run did, in images. Bytes are those of the images that it encoded."""

    encoded: int
    requantised: int
    kept: int
    skipped: tuple[Skipped, ...]
    bytes_in: int
    bytes_out: int
    seconds: float

    @property
    def images_per_second(self) -> float:
        """Encoded images a second, reading and writing included."""
        return self.encoded / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class _Item:
    """A file and what it becomes, or why it cannot have that name."""

    name: str
    source: Path
    target: Path
    clash: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What became of an item: a reason, or a file that was there or was written."""

    skipped: Skipped | None = None
    kept: bool = False
    requantised: bool = False
    bytes_in: int = 0
    bytes_out: int = 0
    sha256: str = ""


def encode_tree(
    source: Path,
    out: Path,
    profile: Profile | Chooser,
    *,
    options: EncodeOptions = DEFAULT_OPTIONS,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    workers: int | None = None,
    max_error_rate: float = MAX_ERROR_RATE,
    progress: Progress | None = None,
) -> Summary:
    """Encode an image, or every file of a folder and its sub-folders, into the folder `out`.

    Names are kept, with the suffix .jpg; hidden files are passed over. A file that cannot be
    encoded is named with its reason in `out`/quarantine.jsonl, and the rest goes on; so is each of
    several that would get one name, such as a.png and a.jpg: none of them is encoded. Files appear
    whole or not at all, and sources are never written to. With `resume`, files that are there
    already are kept if they are whole and have the profile's tables, or those of any profile that
    there is to choose from; without it they are an error. `settings` are JSON values of what a
    chooser decides by. `workers` is a number of threads, None for one a core. The result is the
    same for any.

    Raises
    ------
    DataNotFoundError
        When the source is missing, cannot be listed or holds no files.
    ConfigurationError
        When `out` lies in the source, or a setting cannot work.
    OutputError
        When `out` holds some of the files already, was begun with another profile, options or
        settings, or cannot be written.
    ErrorRateError
        When more files than `max_error_rate`, and more than ten, cannot be encoded.
    """
    check_workers(workers)
    check_limit(max_error_rate)
    items = _plan(source, out)
    if not resume:
        _refuse_existing(items, out)
    Run.of("tree", profile, options, settings or {}).record(out)
    _remove_temporaries(items)
    started = time.monotonic()
    outcomes: list[_Outcome] = []
    try:
        work = partial(_encode_file, profile=profile, options=options)
        with closing(Threads(workers or available_cores()).map(work, items)) as finished:
            failed = 0
            for outcome in finished:
                outcomes.append(outcome)
                failed += outcome.skipped is not None
                if progress is not None:
                    progress(len(outcomes), len(items))
                check_error_rate(failed, len(outcomes), len(items), max_error_rate)
    finally:
        _write_quarantine(out / QUARANTINE_NAME, _skipped(outcomes))
    _write_files(out, items, outcomes)
    skipped = _skipped(outcomes)
    kept = sum(outcome.kept for outcome in outcomes)
    return Summary(
        encoded=len(outcomes) - len(skipped) - kept,
        requantised=sum(outcome.requantised for outcome in outcomes),
        kept=kept,
        skipped=skipped,
        bytes_in=sum(outcome.bytes_in for outcome in outcomes),
        bytes_out=sum(outcome.bytes_out for outcome in outcomes if not outcome.kept),
        seconds=time.monotonic() - started,
    )


def _encode_file(item: _Item, *, profile: Profile | Chooser, options: EncodeOptions) -> _Outcome:
    if item.clash is not None:
        return _Outcome(skipped=Skipped(item.name, item.clash))
    if os.path.lexists(item.target):
        return _keep_file(item, profile)
    try:
        data = read_path(item.source)
        result = transcode(data, profile, options)
    except IMAGE_ERRORS as error:
        check_memory()
        return _Outcome(skipped=Skipped(item.name, str(error)))
    write_atomically(item.target, result.data)
    return _Outcome(
        requantised=result.requantised,
        bytes_in=len(data),
        bytes_out=len(result.data),
        sha256=hashlib.sha256(result.data).hexdigest(),
    )


def _keep_file(item: _Item, profile: Profile | Chooser) -> _Outcome:
    try:
        data = read_path(item.target)
        check_with_any(data, (profile,) if isinstance(profile, Profile) else profile.profiles)
    except IMAGE_ERRORS as error:
        reason = f"{item.target} is there, but {error}; remove it and resume"
        return _Outcome(skipped=Skipped(item.name, reason))
    return _Outcome(kept=True, bytes_out=len(data), sha256=hashlib.sha256(data).hexdigest())


def _plan(source: Path, out: Path) -> list[_Item]:
    """Every file and what it becomes, in the order of names; refused where that cannot be."""
    if not source.exists():
        raise DataNotFoundError(f"{source} does not exist; name an image or a folder of images")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; name a folder for the JPEG files")
    if source.is_dir():
        if out.resolve().is_relative_to(source.resolve()):
            raise ConfigurationError(
                f"the output folder {out} lies in the input folder {source}; choose one outside"
            )
        paths = [Path(path) for path in walk(source)]
        names = [path.relative_to(source) for path in paths]
    else:
        paths, names = [source], [Path(source.name)]
    if not paths:
        raise DataNotFoundError(f"{source} holds no files; name an image or a folder of images")
    items = [
        _Item(name.as_posix(), path, out / _jpeg_name(name))
        for path, name in zip(paths, names, strict=True)
    ]
    return _with_clashes(items)


def _jpeg_name(name: PurePath) -> PurePath:
    """Replace an image's suffix by .jpg, and put it behind any other: v1.2 is a name."""
    if name.suffix.lower() in image_suffixes():
        return name.with_suffix(".jpg")
    return name.with_name(name.name + ".jpg")


def _with_clashes(items: list[_Item]) -> list[_Item]:
    """The files, with a reason where one would have the name of another's file or folder."""
    sharing: defaultdict[Path, list[str]] = defaultdict(list)
    below: dict[Path, str] = {}
    for item in items:
        sharing[item.target].append(item.name)
        below |= dict.fromkeys(item.target.parents, item.name)

    def clash(item: _Item) -> str | None:
        if len(sharing[item.target]) > 1:
            return (
                f"{' and '.join(sharing[item.target])} would each become {item.target}; "
                "rename them, or encode them from separate folders"
            )
        if item.target in below:
            return (
                f"it would become {item.target}, which is a folder with {below[item.target]} in "
                "it; rename one"
            )
        return None

    return [replace(item, clash=clash(item)) for item in items]


def _refuse_existing(items: list[_Item], out: Path) -> None:
    targets = (*(item.target for item in items if not item.clash), out / QUARANTINE_NAME)
    present = [target for target in targets if os.path.lexists(target)]
    if present:
        raise OutputError(
            f"{out} holds {len(present):,} of the files to be written already, {present[0]} among "
            "them; go on from there with --resume, or choose another folder"
        )


def _remove_temporaries(items: list[_Item]) -> None:
    names: defaultdict[Path, set[str]] = defaultdict(set)
    for item in items:
        names[item.target.parent].add(item.target.name)
    for folder, of_run in names.items():
        remove_temporaries(folder, of_run)


def _skipped(outcomes: list[_Outcome]) -> tuple[Skipped, ...]:
    return tuple(outcome.skipped for outcome in outcomes if outcome.skipped is not None)


def _write_quarantine(path: Path, skipped: tuple[Skipped, ...]) -> None:
    """Write the skipped files with their reasons; nothing skipped, no file."""
    lines = b"".join(one.to_line() for one in skipped)
    if lines:
        write_atomically(path, lines)
    elif path.exists():
        path.unlink()


def _write_files(out: Path, items: list[_Item], outcomes: list[_Outcome]) -> None:
    """List the files of this run with their hashes, and those that earlier runs left."""
    found = read_files(out)
    for item, outcome in zip(items, outcomes, strict=False):
        if outcome.sha256:
            name = item.target.relative_to(out).as_posix()
            found[name] = (outcome.bytes_out, outcome.sha256)
    lines = (
        json.dumps({"path": name, "size_bytes": size, "sha256": sha256}) + "\n"
        for name, (size, sha256) in sorted(found.items())
    )
    write_atomically(out / FILES_NAME, "".join(lines).encode())


def read_files(out: Path) -> dict[str, tuple[int, str]]:
    """Size and hash of every file of a tree by its name; `CorruptDataError` for a damaged list."""
    path = out / FILES_NAME
    if not path.exists():
        return {}
    try:
        lines = path.read_bytes().splitlines()
        rows = (checked_entries(parse_json(line), _FILE_KINDS) for line in lines)
        return {row["path"]: (row["size_bytes"], row["sha256"]) for row in rows}
    except (OSError, ValueError) as error:
        raise CorruptDataError(
            f"the list {path} is damaged ({error}); remove it and resume"
        ) from error
