"""Whether an output folder still holds what was written into it, all of it, and nothing else."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bandwise import jpeg
from bandwise.errors import BandwiseError, CorruptDataError, DataNotFoundError
from bandwise.executors import Executor, InProcess
from bandwise.files import TEMPORARY_SUFFIX, parse_json
from bandwise.pipeline.dataset import MANIFEST_NAME
from bandwise.pipeline.manifest import FILES_NAME, Run, read_plan
from bandwise.pipeline.quarantine import count_listed
from bandwise.pipeline.shards import (
    Shard,
    ShardTask,
    StoredSample,
    entry_path,
    load_entry,
    shard_path,
)
from bandwise.pipeline.sources import walk
from bandwise.pipeline.sources.locations import MAX_FILE_BYTES, read_path
from bandwise.pipeline.tarfiles import END, read_members
from bandwise.pipeline.transcoding import IMAGE_ERRORS, check_with_any
from bandwise.pipeline.tree import read_files
from bandwise.profile import Profile

NOT_FINISHED = "the run is not finished; resume it"

Progress = Callable[[int, int], None]
"""Hears how many shards, or files of a tree, are done, and of how many."""


@dataclass(frozen=True)
class Problem:
    """A file of the folder and what is wrong with it."""

    path: str
    what: str


@dataclass(kw_only=True)
class Verified:
    """What was found in a folder."""

    shards: int = 0
    images: int = 0
    quarantined: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """What a task found: the row that the manifest should have, if the entry can be read."""

    images: int = 0
    quarantined: int = 0
    row: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()


def verify(
    out: Path, *, executor: Executor | None = None, progress: Progress | None = None
) -> Verified:
    """Check every hash, every entry, the tables of every image, and that it decodes.

    Raises `DataNotFoundError` where the folder holds no run, and `CorruptDataError` where the
    record of the run cannot be read; all else that is wrong is a problem that is returned.
    """
    run = Run.load(out)
    if run is None:
        raise DataNotFoundError(f"{out} holds no run of `bandwise encode`; name its output folder")
    found = Verified()
    work: Callable[[Any], _Checked]
    tasks: Iterator[Any]
    if run.layout == "shards":
        total = sum(1 for _ in read_plan(out))
        tasks = (ShardTask(index=index, part=part) for index, part in enumerate(read_plan(out)))
        work = partial(_check_shard, out=out, profiles=run.profiles)
    else:
        listed = read_files(out)
        total, tasks = len(listed), ((name, *facts) for name, facts in listed.items())
        work = partial(_check_file, out=out, profiles=run.profiles)
    rows = []
    with closing((executor or InProcess()).map(work, tasks)) as results:
        for done, checked in enumerate(results, start=1):
            found.images += checked.images
            found.quarantined += checked.quarantined
            found.problems += checked.problems
            rows.append(checked.row)
            if progress is not None:
                progress(done, total)
    if run.layout == "shards":
        found.shards = total
        found.problems += [*_manifest_problems(out, rows), *_strangers(out, total)]
    else:
        found.quarantined = count_listed(out)
        found.problems += _unlisted(out, listed)
    return found


def _check_shard(task: ShardTask, *, out: Path, profiles: tuple[Profile, ...]) -> _Checked:
    path = shard_path(out, task.index)
    if not entry_path(out, task.index).exists():
        return _Checked(problems=(Problem(entry_path(out, task.index).name, NOT_FINISHED),))
    try:
        shard, samples = load_entry(out, task.index)
    except CorruptDataError as error:
        return _Checked(problems=(Problem(entry_path(out, task.index).name, str(error)),))
    try:
        problems = [
            Problem(path.name, what) for what in _tar_problems(path, shard, samples, profiles)
        ]
    except OSError as error:
        problems = [Problem(path.name, f"it cannot be read: {error.strerror or error}")]
    accounted = shard.count + len(shard.quarantined)
    if task.part.images is not None and accounted != task.part.images:
        what = f"it accounts for {accounted} of {task.part.images} images"
        problems.append(Problem(entry_path(out, task.index).name, what))
    return _Checked(
        images=shard.images,
        quarantined=len(shard.quarantined),
        row={
            "shard": path.name,
            "count": shard.count,
            "size_bytes": shard.size_bytes,
            "sha256": shard.sha256,
        },
        problems=tuple(problems),
    )


def _tar_problems(
    path: Path, shard: Shard, samples: list[StoredSample], profiles: tuple[Profile, ...]
) -> Iterator[str]:
    """What is wrong with a shard, read once, a sample at a time."""
    whole, position, images = hashlib.sha256(), 0, 0
    if len({sample.key for sample in samples}) < len(samples):
        yield "two of its samples have the same key"
    with path.open("rb") as stream:
        for sample in samples:
            extent = sample.extent
            if extent.offset != position or not 0 <= extent.size <= shard.size_bytes:
                yield f"sample {sample.key}: its entry does not follow on the one before"
                return
            data = stream.read(extent.size)
            whole.update(data)
            position += extent.size
            if hashlib.sha256(data).hexdigest() != extent.sha256:
                yield f"sample {sample.key}: its bytes are not those that were written"
                continue
            try:
                images += _check_sample(sample.key, data, profiles)
            except BandwiseError as error:
                yield f"sample {sample.key}: {error}"
        rest = stream.read(len(END) + 1)
    whole.update(rest)
    if rest != END or position + len(rest) != shard.size_bytes:
        yield "it does not end where its entry says"
    if whole.hexdigest() != shard.sha256:
        yield "its hash is not that of its entry"
    if images != shard.images:
        yield f"{images} images of {shard.images} are whole"


def _check_sample(key: str, data: bytes, profiles: tuple[Profile, ...]) -> int:
    """Images of a sample, each with a profile's tables and decoded."""
    images = 0
    for member in read_members(io.BytesIO(data + END), max_bytes=MAX_FILE_BYTES):
        if not member.name.startswith(f"{key}."):
            raise CorruptDataError(f"it holds {member.name}, which is another's")
        if member.name.endswith(".jpg"):
            _check_image(member.data, profiles)
            images += 1
    return images


def _check_image(data: bytes, profiles: tuple[Profile, ...]) -> None:
    check_with_any(data, profiles)
    jpeg.decode(data)


def _check_file(
    listed: tuple[str, int, str], *, out: Path, profiles: tuple[Profile, ...]
) -> _Checked:
    name, size_bytes, sha256 = listed
    try:
        data = read_path(out / name)
        if (len(data), hashlib.sha256(data).hexdigest()) != (size_bytes, sha256):
            raise CorruptDataError("its bytes are not those that were written")
        _check_image(data, profiles)
    except (CorruptDataError, *IMAGE_ERRORS) as error:
        return _Checked(problems=(Problem(name, str(error)),))
    return _Checked(images=1)


def _manifest_problems(out: Path, rows: list[dict[str, Any] | None]) -> Iterator[Problem]:
    path = out / MANIFEST_NAME
    if not path.exists():
        yield Problem(MANIFEST_NAME, NOT_FINISHED)
        return
    try:
        listed = list(parse_json(path.read_bytes())["shards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield Problem(MANIFEST_NAME, f"it is damaged ({error!r}); remove it and resume")
        return
    if len(listed) != len(rows):
        yield Problem(MANIFEST_NAME, f"it lists {len(listed)} shards of {len(rows)}")
    for then, now in zip(listed, rows, strict=False):
        if now is not None and then != now:
            yield Problem(now["shard"], f"its entry is not what {MANIFEST_NAME} says of it")


def _strangers(out: Path, shards: int) -> Iterator[Problem]:
    """Shards and entries that the plan does not have, and what killed processes left."""
    for path in sorted(out.iterdir()):
        name = path.name
        if name.startswith("shard-"):
            number = path.stem.removeprefix("shard-")
            index = int(number) if number.isdecimal() else shards
            known = {shard_path(out, index).name, entry_path(out, index).name}
            if index >= shards or name not in known:
                yield Problem(name, "it does not belong to the run")
        elif name.startswith(".") and name.endswith(TEMPORARY_SUFFIX):
            yield Problem(name, "it was left by a process that was killed; resume the run")


def _unlisted(out: Path, listed: dict[str, tuple[int, str]]) -> Iterator[Problem]:
    if not (out / FILES_NAME).exists():
        yield Problem(FILES_NAME, NOT_FINISHED)
        return
    for path in map(Path, walk(out)):
        name = path.relative_to(out).as_posix()
        if path.suffix == ".jpg" and name not in listed:
            yield Problem(name, f"it is not listed in {FILES_NAME}: {NOT_FINISHED}")
