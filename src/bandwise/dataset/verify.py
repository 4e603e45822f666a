"""Whether an output folder still holds what was written into it, all of it, and nothing else."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bandwise import jpeg
from bandwise.dataset.dataset import MANIFEST_NAME
from bandwise.dataset.parts import Task
from bandwise.dataset.record import Run, count_listed, read_plan
from bandwise.dataset.shards import Shard, StoredSample, entry_path, shard_path
from bandwise.dataset.sources import walk
from bandwise.dataset.sources.locations import MAX_FILE_BYTES, read_path
from bandwise.dataset.tarfiles import END, read_members
from bandwise.dataset.transcoding import IMAGE_ERRORS, check_file
from bandwise.dataset.tree import FILES_NAME, is_source, read_files
from bandwise.errors import BandwiseError, CorruptDataError, DataNotFoundError
from bandwise.executors import Executor, InProcess
from bandwise.files import TEMPORARY_SUFFIX, parse_json
from bandwise.profile import Profile
from bandwise.progress import Progress, ProgressCallback, ignore_progress

NOT_FINISHED = "the run is not finished; resume it"


@dataclass(frozen=True)
class Problem:
    """A file of the folder and what is wrong with it."""

    path: str
    what: str


@dataclass(kw_only=True)
class Verified:
    """What was found in a folder, or in a part of it."""

    shards: int = 0
    images: int = 0
    quarantined: int = 0
    problems: list[Problem] = field(default_factory=list)


_Checked = tuple[Verified, Mapping[str, Any] | None]
"""What a task found, and of a shard the row that the manifest should have, if it can be read."""


def verify(
    out: Path, *, executor: Executor | None = None, progress: ProgressCallback = ignore_progress
) -> Verified:
    """Check every hash, every entry, the tables of every image, and that it decodes.

    Progress is in shards, or in files of a tree. Raises `DataNotFoundError` where the folder holds
    no run, and `CorruptDataError` where the record of the run cannot be read; all else that is
    wrong is a problem that is returned.
    """
    run = Run.load(out)
    if run is None:
        raise DataNotFoundError(f"{out} holds no run of `bandwise encode`; name its output folder")
    found = Verified()
    if run.layout == "shards":
        total = found.shards = sum(1 for _ in read_plan(out))
        plan = enumerate(read_plan(out))
        tasks: Iterator[Any] = (Task(index=index, part=part) for index, part in plan)
        work: Callable[[Any], _Checked] = partial(_check_shard, out=out, profiles=run.profiles)
    else:
        listed = read_files(out)
        total, tasks = len(listed), iter(listed.values())
        work = partial(_check_file, out=out, profiles=run.profiles)
        found.quarantined = count_listed(out)
    rows: list[Mapping[str, Any] | None] = []
    with closing((executor or InProcess()).map(work, tasks)) as results:
        for done, (checked, row) in enumerate(results, start=1):
            found.images += checked.images
            found.quarantined += checked.quarantined
            found.problems += checked.problems
            rows.append(row)
            progress(Progress(stage="verifying", done=done, total=total, unit="files"))
    if run.layout == "shards":
        found.problems += [*_manifest_problems(out, rows), *_strangers(out, total)]
    else:
        found.problems += _unlisted(out, listed)
    return found


def _check_shard(task: Task, *, out: Path, profiles: tuple[Profile, ...]) -> _Checked:
    path, entry = shard_path(out, task.index), entry_path(out, task.index)
    if not entry.exists():
        return Verified(problems=[Problem(entry.name, NOT_FINISHED)]), None
    try:
        shard = Shard.load(out, task.index)
    except CorruptDataError as error:
        return Verified(problems=[Problem(entry.name, str(error))]), None
    try:
        problems = [Problem(path.name, what) for what in _tar_problems(path, shard, profiles)]
    except OSError as error:
        problems = [Problem(path.name, f"it cannot be read: {error.strerror or error}")]
    accounted = shard.count + len(shard.quarantined)
    if task.part.images is not None and accounted != task.part.images:
        what = f"it accounts for {accounted} of {task.part.images} images"
        problems.append(Problem(entry.name, what))
    skipped = len(shard.quarantined)
    return Verified(images=shard.images, quarantined=skipped, problems=problems), shard.row


def _tar_problems(path: Path, shard: Shard, profiles: tuple[Profile, ...]) -> Iterator[str]:
    """What is wrong with a shard, read once, a sample at a time."""
    whole, position, images = hashlib.sha256(), 0, 0
    if len({sample.key for sample in shard.samples}) < shard.count:
        yield "two of its samples have the same key"
    with path.open("rb") as stream:
        for sample in shard.samples:
            if sample.offset != position or not 0 <= sample.size <= shard.size_bytes:
                yield f"sample {sample.key}: its entry does not follow on the one before"
                return
            data = stream.read(sample.size)
            whole.update(data)
            position += sample.size
            try:
                if hashlib.sha256(data).hexdigest() != sample.sha256:
                    raise CorruptDataError("its bytes are not those that were written")
                images += _check_sample(sample, data, profiles)
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


def _check_sample(sample: StoredSample, data: bytes, profiles: tuple[Profile, ...]) -> int:
    """Images of a sample, each with a profile's tables and decoded."""
    images = 0
    for member in read_members(io.BytesIO(data + END), max_bytes=MAX_FILE_BYTES):
        if not member.name.startswith(f"{sample.key}."):
            raise CorruptDataError(f"it holds {member.name}, which is another's")
        if member.name.endswith(".jpg"):
            extension = member.name.removeprefix(f"{sample.key}.")
            if not is_source(sample.records.get(extension, {})):
                check_file(member.data, profiles)
            jpeg.decode(member.data)
            images += 1
    return images


def _check_file(row: Mapping[str, Any], *, out: Path, profiles: tuple[Profile, ...]) -> _Checked:
    try:
        data = read_path(out / row["path"])
        found = len(data), hashlib.sha256(data).hexdigest()
        if found != (row["size_bytes"], row["sha256"]):
            raise CorruptDataError("its bytes are not those that were written")
        if not is_source(row["record"]):
            check_file(data, profiles)
        jpeg.decode(data)
    except (CorruptDataError, *IMAGE_ERRORS) as error:
        return Verified(problems=[Problem(row["path"], str(error))]), None
    return Verified(images=1), None


def _manifest_problems(out: Path, rows: list[Mapping[str, Any] | None]) -> Iterator[Problem]:
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
    known = {path(out, index).name for index in range(shards) for path in (shard_path, entry_path)}
    for name in sorted(path.name for path in out.iterdir()):
        if name.startswith("shard-") and name not in known:
            yield Problem(name, "it does not belong to the run")
        elif name.startswith(".") and name.endswith(TEMPORARY_SUFFIX):
            yield Problem(name, "it was left by a process that was killed; resume the run")


def _unlisted(out: Path, listed: Mapping[str, object]) -> Iterator[Problem]:
    if not (out / FILES_NAME).exists():
        yield Problem(FILES_NAME, NOT_FINISHED)
        return
    for path in map(Path, walk(out)):
        name = path.relative_to(out).as_posix()
        if path.suffix == ".jpg" and name not in listed:
            yield Problem(name, f"it is not listed in {FILES_NAME}: {NOT_FINISHED}")
