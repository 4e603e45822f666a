"""A file or a folder tree of images to a tree of JPEG files."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePath
from typing import TypeVar

from PIL import Image

from bandwise.errors import (
    ConfigurationError,
    DataNotFoundError,
    OutputError,
    UnreadableImageError,
)
from bandwise.files import write_atomically
from bandwise.images import FORMATS
from bandwise.pipeline.transcoding import (
    DEFAULT_OPTIONS,
    IMAGE_ERRORS,
    Chooser,
    EncodeOptions,
    check_file,
    transcode,
)
from bandwise.profile import Profile
from bandwise.results import available_cores

QUARANTINE_NAME = "quarantine.jsonl"
MAX_FILE_BYTES = 1024**3

_IN_FLIGHT_PER_WORKER = 4

Progress = Callable[[int, int], None]
"""Hears how many files are done, and of how many."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class Skipped:
    """A file that was not encoded, by its name in the input folder, and why."""

    name: str
    reason: str


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
    skipped: Skipped | None = None
    kept: bool = False
    requantised: bool = False
    bytes_in: int = 0
    bytes_out: int = 0


def encode_tree(
    source: Path,
    out: Path,
    profile: Profile | Chooser,
    *,
    options: EncodeOptions = DEFAULT_OPTIONS,
    resume: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Encode an image, or every file of a folder and its sub-folders, into the folder `out`.

    Names are kept, with the suffix .jpg; hidden files are passed over. A file that cannot be
    encoded is named with its reason in `out`/quarantine.jsonl, and the rest goes on; so is each of
    several that would get one name, such as a.png and a.jpg: none of them is encoded. Files appear
    whole or not at all, and sources are never written to. With `resume`, files that are there
    already are kept if they are whole and have the profile's tables, or those of any profile that
    there is to choose from; without it they are an error.
    `workers` is a number of threads, None for one a core. The result is the same for any.

    Raises
    ------
    DataNotFoundError
        When the source is missing, cannot be listed or holds no files.
    ConfigurationError
        When `out` lies in the source.
    OutputError
        When `out` holds some of the files already, or cannot be written.
    """
    if workers is not None and workers < 1:
        raise ConfigurationError(f"workers is at least 1, got {workers}; leave it out: one a core")
    items = _plan(source, out)
    if not resume:
        _refuse_existing(items, out)
    threads = workers or available_cores()
    started = time.monotonic()
    outcomes: list[_Outcome] = []
    try:
        work = partial(_encode_file, profile=profile, options=options)
        with (
            ThreadPoolExecutor(threads) as pool,
            closing(_map_in_order(pool, work, items, _IN_FLIGHT_PER_WORKER * threads)) as finished,
        ):
            for outcome in finished:
                outcomes.append(outcome)
                if progress is not None:
                    progress(len(outcomes), len(items))
    finally:
        _write_quarantine(out / QUARANTINE_NAME, _skipped(outcomes))
    skipped = _skipped(outcomes)
    kept = sum(outcome.kept for outcome in outcomes)
    return Summary(
        encoded=len(outcomes) - len(skipped) - kept,
        requantised=sum(outcome.requantised for outcome in outcomes),
        kept=kept,
        skipped=skipped,
        bytes_in=sum(outcome.bytes_in for outcome in outcomes),
        bytes_out=sum(outcome.bytes_out for outcome in outcomes),
        seconds=time.monotonic() - started,
    )


def _encode_file(item: _Item, *, profile: Profile | Chooser, options: EncodeOptions) -> _Outcome:
    if item.clash is not None:
        return _Outcome(skipped=Skipped(item.name, item.clash))
    if os.path.lexists(item.target):
        return _keep_file(item, profile)
    try:
        data = _read(item.source)
        result = transcode(data, profile, options)
    except IMAGE_ERRORS as error:
        return _Outcome(skipped=Skipped(item.name, str(error)))
    write_atomically(item.target, result.data)
    return _Outcome(
        requantised=result.requantised,
        bytes_in=len(data),
        bytes_out=len(result.data),
    )


def _keep_file(item: _Item, profile: Profile | Chooser) -> _Outcome:
    profiles = (profile,) if isinstance(profile, Profile) else profile.profiles
    error: Exception | None = None
    for one in profiles:
        try:
            check_file(_read(item.target), one)
        except IMAGE_ERRORS as found:
            error = found
        else:
            return _Outcome(kept=True)
    reason = f"{item.target} is there, but {error}; remove it and resume"
    return _Outcome(skipped=Skipped(item.name, reason))


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UnreadableImageError("the file is a link to nothing, or no ordinary file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableImageError(f"the file is larger than the limit of {MAX_FILE_BYTES} B")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"the file cannot be read: {error.strerror or error}") from error


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
        paths = [Path(path) for path in _files(source)]
        names = [path.relative_to(source) for path in paths]
    else:
        paths, names = [source], [Path(source.name)]
    if not paths:
        raise DataNotFoundError(f"{source} holds no files; name an image or a folder of images")
    suffixes = frozenset(
        suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS
    )
    items = [
        _Item(name.as_posix(), path, out / _jpeg_name(name, suffixes))
        for path, name in zip(paths, names, strict=True)
    ]
    return _with_clashes(items)


def _files(folder: Path | str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Files under a folder by name, links followed; a link to a folder above it leads nowhere."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise DataNotFoundError(f"{folder} cannot be listed: {error.strerror or error}") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry.path, (*above, here))
        else:
            yield entry.path


def _jpeg_name(name: PurePath, image_suffixes: frozenset[str]) -> PurePath:
    """Replace an image's suffix by .jpg, and put it behind any other: v1.2 is a name."""
    if name.suffix.lower() in image_suffixes:
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


def _map_in_order(
    pool: ThreadPoolExecutor,
    function: Callable[[_In], _Out],
    items: Iterable[_In],
    window: int,
) -> Generator[_Out, None, None]:
    """Results in order, at most `window` of them under way; those not begun end with the caller."""
    rest = iter(items)
    pending: deque[Future[_Out]] = deque(
        pool.submit(function, item) for item in islice(rest, window)
    )
    try:
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(rest, 1))
    finally:
        for future in pending:
            future.cancel()


def _skipped(outcomes: list[_Outcome]) -> tuple[Skipped, ...]:
    return tuple(outcome.skipped for outcome in outcomes if outcome.skipped is not None)


def _write_quarantine(path: Path, skipped: tuple[Skipped, ...]) -> None:
    """Write the skipped files with their reasons; nothing skipped, no file."""
    lines = [json.dumps({"path": one.name, "reason": one.reason}) + "\n" for one in skipped]
    if lines:
        write_atomically(path, "".join(lines).encode())
    elif path.exists():
        path.unlink()
