"""What a source of images consists of, wherever it lies: files, parts of a run, samples."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol, Self

from bandwise.files import checked_entries
from bandwise.images import image_suffixes

_PART_KINDS = {"images": int | None, "row_groups": list | None, "files": list}
_FILE_KINDS = {
    "location": str,
    "size_bytes": int | None,
    "modified_ns": int | None,
    "label": int | None,
}


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file that is read, as it was when the run was planned.

    `size_bytes` and `modified_ns` are None for what is no ordinary file, and for a URL that is not
    asked for them. `label` is the number of an image's class.
    """

    location: str
    size_bytes: int | None = None
    modified_ns: int | None = None
    label: int | None = None

    def __str__(self) -> str:
        """The file in messages: its path, state and class."""
        state = "of no known size"
        if self.size_bytes is not None:
            state = f"{self.size_bytes} B, modified at {self.modified_ns} ns"
        label = "" if self.label is None else f", class {self.label}"
        return f"{self.location} ({state}{label})"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one shard is made from; `images` is None where that is not known before reading.

    `row_groups` are those of a Parquet file, from the first to before the last.
    """

    files: tuple[SourceFile, ...]
    images: int | None = None
    row_groups: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back."""
        return {
            "images": self.images,
            "row_groups": self.row_groups and list(self.row_groups),
            "files": [[f.location, f.size_bytes, f.modified_ns, f.label] for f in self.files],
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read an object of `to_json`; `ValueError` for what is none."""
        entry = checked_entries(value, _PART_KINDS)
        row_groups = None
        if entry["row_groups"] is not None:
            first, end = entry["row_groups"]
            row_groups = (operator.index(first), operator.index(end))
        files = (
            checked_entries(dict(zip(_FILE_KINDS, each, strict=True)), _FILE_KINDS)
            for each in entry["files"]
        )
        return cls(
            images=entry["images"],
            row_groups=row_groups,
            files=tuple(SourceFile(**each) for each in files),
        )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Images that belong together, with what travels along; or the problem that there is.

    `images` and `others` are contents by extension. The extension of an image is that of the file
    which it becomes. `key` is what the sample would be called in a shard.
    """

    name: str
    key: str
    images: Mapping[str, bytes] = field(default_factory=dict)
    others: Mapping[str, bytes] = field(default_factory=dict)
    problem: str | None = None


class Source(Protocol):
    """Images in an order that is always the same; a value that other processes can be sent."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """JSON values that say what kind of source this is, and what its labels mean."""
        ...

    def parts(self) -> Iterator[Part]:
        """Everything there is, in parts of one shard each, without reading any image."""
        ...

    def read(self, part: Part) -> Iterator[Sample]:
        """Samples of a part, one at a time; `SourceChangedError` where a file is another now."""
        ...


def key_of(name: str) -> str:
    """Key of a sample in a shard: a relative path without suffix, and with no other dot in it.

    Readers of shards take what stands before a name's first dot for the key.

    >>> key_of("/photos/cat/v1.2.png"), key_of("https://example.org/a/../b.jpg")
    ('photos/cat/v1_2', 'example.org/a/b')
    """
    path = PurePosixPath(name.partition("://")[2] or name)
    *folders, last = [part for part in path.parts if part not in ("/", "..")] or ["_"]
    stem, dot, suffix = last.rpartition(".")
    if not dot or not stem or f".{suffix.lower()}" not in image_suffixes():
        stem = last
    return "/".join([*folders, stem.replace(".", "_")])
