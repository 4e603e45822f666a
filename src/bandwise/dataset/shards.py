"""Tar shards, each with an entry beside it that lists its samples.

    OUT/shard-000042.tar ──→ OUT/shard-000042.json, last

An entry appears when all else is on the disk, so that a shard whose entry is there is done.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bandwise.dataset.parts import Encoded, Outcome, Task
from bandwise.dataset.record import Skipped
from bandwise.dataset.tarfiles import TarWriter
from bandwise.errors import CorruptDataError
from bandwise.files import checked_entries, parse_json, write_atomically, writing_atomically

FORMAT, SCHEMA = "bandwise-shard", 1

_COUNTS = ("images", "requantised", "bytes_in", "bytes_out")
_KINDS: dict[str, type] = {
    **dict.fromkeys(("format", "sha256"), str),
    **dict.fromkeys(("schema", "index", "count", *_COUNTS, "size_bytes"), int),
    **dict.fromkeys(("quarantined", "samples"), list),
}
_SAMPLE_KINDS: dict[str, type] = {
    **{"key": str, "source": str, "offset": int, "size": int, "sha256": str},
    "records": dict,
}
_SKIPPED_KINDS = {"name": str, "reason": str}


def shard_path(out: Path, index: int) -> Path:
    """Path of a shard."""
    return out / f"shard-{index:06d}.tar"


def entry_path(out: Path, index: int) -> Path:
    """Path of a shard's entry."""
    return out / f"shard-{index:06d}.json"


@dataclass(frozen=True, kw_only=True)
class StoredSample:
    """A sample of a shard: its key, its name in the source, where it lies, and its hash.

    `records` are what the encoder says of its images, by extension.
    """

    key: str
    source: str
    offset: int
    size: int
    sha256: str
    records: Mapping[str, Any] = field(default_factory=dict)


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
    samples: tuple[StoredSample, ...]

    @classmethod
    def load(cls, out: Path, index: int) -> Shard:
        """Read a shard's entry; `CorruptDataError` where it is damaged."""
        path = entry_path(out, index)
        try:
            entry = checked_entries(parse_json(path.read_bytes()), _KINDS)
            if (entry.pop("format"), entry.pop("schema")) != (FORMAT, SCHEMA):
                raise ValueError("it is of another layout")
            skipped = (checked_entries(one, _SKIPPED_KINDS) for one in entry.pop("quarantined"))
            samples = (
                checked_entries({"records": {}, **one}, _SAMPLE_KINDS)
                for one in entry.pop("samples")
            )
            shard = cls(
                **entry,
                quarantined=tuple(Skipped(**one) for one in skipped),
                samples=tuple(StoredSample(**one) for one in samples),
            )
            if (shard.index, shard.count) != (index, len(shard.samples)):
                raise ValueError("its number or count is not that of what it lists")
        except (OSError, ValueError, TypeError) as error:
            raise CorruptDataError(
                f"the entry {path} is missing or damaged ({error}); remove it, and resume the run"
            ) from error
        return shard

    def save(self, out: Path) -> None:
        """Write the shard's entry."""
        entry = {"format": FORMAT, "schema": SCHEMA, **asdict(self)}
        for sample in entry["samples"]:
            if not sample["records"]:
                del sample["records"]
        text = json.dumps(entry, separators=(",", ":"))
        write_atomically(entry_path(out, self.index), text.encode() + b"\n")

    @property
    def row(self) -> dict[str, Any]:
        """Row of the manifest."""
        name = shard_path(Path(), self.index).name
        facts = {"count": self.count, "size_bytes": self.size_bytes, "sha256": self.sha256}
        return {"shard": name, **facts}


@dataclass(frozen=True, kw_only=True)
class Shards:
    """A `Sink` of one tar file for each part."""

    out: Path

    def kept(self, task: Task) -> Outcome | None:
        """Keep a shard whose entry is there and whose size is right."""
        path = shard_path(self.out, task.index)
        if not entry_path(self.out, task.index).exists():
            return None
        shard = Shard.load(self.out, task.index)
        if not path.is_file() or path.stat().st_size != shard.size_bytes:
            return None
        return Outcome(
            kept=True,
            **{name: getattr(shard, name) for name in _COUNTS},
            skipped=list(shard.quarantined),
            rows=[shard.row],
            records=[record for sample in shard.samples for record in sample.records.values()],
        )

    def write(self, task: Task, samples: Iterable[Encoded], outcome: Outcome) -> None:
        """Write a shard, and then its entry."""
        stored: list[StoredSample] = []
        keys: set[str] = set()
        with writing_atomically(shard_path(self.out, task.index)) as stream:
            tar = TarWriter(stream)
            for sample, files in samples:
                key = _free_key(sample.key, keys)
                contents = {extension: file.data for extension, file in files.items()}
                extent = tar.add(key, {**sample.others, **contents})
                records = {name: dict(file.record) for name, file in files.items() if file.record}
                stored.append(
                    StoredSample(key=key, source=sample.name, records=records, **asdict(extent))
                )
            tar.close()
        shard = Shard(
            index=task.index,
            count=len(stored),
            **{name: getattr(outcome, name) for name in _COUNTS},
            size_bytes=tar.size,
            sha256=tar.sha256,
            quarantined=tuple(outcome.skipped),
            samples=tuple(stored),
        )
        shard.save(self.out)
        outcome.rows.append(shard.row)


def _free_key(wanted: str, keys: set[str]) -> str:
    """Key that no sample of the shard has: the second of a name gets _2 behind it."""
    key, number = wanted, 1
    while key in keys:
        number += 1
        key = f"{wanted}_{number}"
    keys.add(key)
    return key
