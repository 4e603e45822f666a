"""The unit of work on data sets: one shard, from the part of a source that it is made from.

    part ──read──→ samples ──transcode──→ shard-000042.tar ──→ shard-000042.json, last

A task is a pure function of its part, the profile and the options, and can be done twice. Its entry
appears when all else is on the disk, so that a task whose entry is there is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bandwise.errors import CorruptDataError, UnreadableImageError, WorkerError
from bandwise.files import checked_entries, parse_json, write_atomically, writing_atomically
from bandwise.images import check_memory
from bandwise.pipeline.quarantine import Skipped
from bandwise.pipeline.sources import Part, Sample, Source
from bandwise.pipeline.tarfiles import Extent, TarWriter
from bandwise.pipeline.transcoding import (
    IMAGE_ERRORS,
    Chooser,
    EncodeOptions,
    Transcoded,
    transcode,
)
from bandwise.profile import Profile

FORMAT, SCHEMA = "bandwise-shard", 1

_KINDS: dict[str, type] = {
    **dict.fromkeys(("format", "sha256"), str),
    **dict.fromkeys(("schema", "index", "count", "images", "requantised"), int),
    **dict.fromkeys(("bytes_in", "bytes_out", "size_bytes"), int),
    **dict.fromkeys(("quarantined", "samples"), list),
}
_SAMPLE_KINDS = {"key": str, "source": str, "offset": int, "size": int, "sha256": str}
_SKIPPED_KINDS = {"name": str, "reason": str}


def shard_path(out: Path, index: int) -> Path:
    """Path of a shard."""
    return out / f"shard-{index:06d}.tar"


def entry_path(out: Path, index: int) -> Path:
    """Path of a shard's entry."""
    return out / f"shard-{index:06d}.json"


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """A shard to be written, by its number."""

    index: int
    part: Part


@dataclass(frozen=True, kw_only=True)
class StoredSample:
    """A sample of a shard: its key, its name in the source, and where it lies."""

    key: str
    source: str
    extent: Extent


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What is known of a shard. Bytes in and out are those of its images, the size is the file's.

    `count` is that of its samples, `images` that of their images.
    """

    index: int
    count: int
    images: int
    requantised: int
    bytes_in: int
    bytes_out: int
    size_bytes: int
    sha256: str
    quarantined: tuple[Skipped, ...]

    def save(self, out: Path, samples: Sequence[StoredSample]) -> None:
        """Write the shard's entry, which lists its samples."""
        entry = {
            "format": FORMAT,
            "schema": SCHEMA,
            **asdict(self),
            "samples": [
                {"key": one.key, "source": one.source, **asdict(one.extent)} for one in samples
            ],
        }
        text = json.dumps(entry, separators=(",", ":"))
        write_atomically(entry_path(out, self.index), text.encode() + b"\n")


def load_entry(out: Path, index: int) -> tuple[Shard, list[StoredSample]]:
    """Read a shard's entry; `CorruptDataError` where it is damaged."""
    path = entry_path(out, index)
    try:
        entry = checked_entries(parse_json(path.read_bytes()), _KINDS)
        if (entry.pop("format"), entry.pop("schema")) != (FORMAT, SCHEMA):
            raise ValueError("it is of another layout")
        samples = [_stored(one) for one in entry.pop("samples")]
        entry["quarantined"] = tuple(
            Skipped(**checked_entries(one, _SKIPPED_KINDS)) for one in entry["quarantined"]
        )
        shard = Shard(**entry)
        if (shard.index, shard.count) != (index, len(samples)):
            raise ValueError("its number or count is not that of what it lists")
    except (OSError, ValueError) as error:
        raise CorruptDataError(
            f"the entry {path} is missing or damaged ({error}); remove it, and resume the run"
        ) from error
    return shard, samples


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What is heard of a task; `kept` if the shard was there already."""

    shard: Shard
    kept: bool


@dataclass(frozen=True, kw_only=True)
class EncodeShard:
    """Writes shards; a value that other processes can be sent, with all that a task needs."""

    source: Source
    out: Path
    profile: Profile | Chooser
    options: EncodeOptions

    def __call__(self, task: ShardTask) -> Finished:
        """Write a shard and its entry, or hear of the entry that is there.

        Raises `SourceChangedError` where a file is not what it was when the run was planned,
        `OutputError` where the folder cannot be written, `CorruptDataError` for a damaged entry.
        """
        path = shard_path(self.out, task.index)
        if entry_path(self.out, task.index).exists():
            shard, _ = load_entry(self.out, task.index)
            if path.is_file() and path.stat().st_size == shard.size_bytes:
                return Finished(shard=shard, kept=True)
        name = path.name
        try:
            with writing_atomically(path) as stream:
                writer = _Writer(index=task.index, tar=TarWriter(stream))
                for sample in self.source.read(task.part):
                    name = sample.name
                    try:
                        files = self._encoded(sample)
                    except IMAGE_ERRORS as error:
                        check_memory()
                        writer.quarantined.append(Skipped(sample.name, str(error)))
                    else:
                        writer.add(sample, files)
                shard = writer.close()
            shard.save(self.out, writer.samples)
        except MemoryError as error:  # of the machine, not of an image
            raise WorkerError(f"out of memory at {name}; resume with fewer workers") from error
        return Finished(shard=shard, kept=False)

    def _encoded(self, sample: Sample) -> dict[str, Transcoded]:
        if sample.problem is not None:
            raise UnreadableImageError(sample.problem)
        return {
            extension: transcode(data, self.profile, self.options)
            for extension, data in sample.images.items()
        }


class _Writer:
    """A shard in the making."""

    def __init__(self, *, index: int, tar: TarWriter) -> None:
        self.samples: list[StoredSample] = []
        self.quarantined: list[Skipped] = []
        self._index = index
        self._tar = tar
        self._keys = set[str]()
        self._totals = dict.fromkeys(("images", "requantised", "bytes_in", "bytes_out"), 0)

    def add(self, sample: Sample, files: Mapping[str, Transcoded]) -> None:
        key = self._free_key(sample.key)
        contents = {extension: file.data for extension, file in files.items()}
        extent = self._tar.add(key, {**sample.others, **contents})
        self.samples.append(StoredSample(key=key, source=sample.name, extent=extent))
        self._totals["images"] += len(files)
        self._totals["requantised"] += sum(file.requantised for file in files.values())
        self._totals["bytes_in"] += sum(map(len, sample.images.values()))
        self._totals["bytes_out"] += sum(map(len, contents.values()))

    def close(self) -> Shard:
        self._tar.close()
        return Shard(
            index=self._index,
            count=len(self.samples),
            size_bytes=self._tar.size,
            sha256=self._tar.sha256,
            quarantined=tuple(self.quarantined),
            **self._totals,
        )

    def _free_key(self, wanted: str) -> str:
        """Key that no sample of the shard has: the second of a name gets _2 behind it."""
        key, number = wanted, 1
        while key in self._keys:
            number += 1
            key = f"{wanted}_{number}"
        self._keys.add(key)
        return key


def _stored(value: object) -> StoredSample:
    entry = checked_entries(value, _SAMPLE_KINDS)
    extent = Extent(offset=entry["offset"], size=entry["size"], sha256=entry["sha256"])
    return StoredSample(key=entry["key"], source=entry["source"], extent=extent)
