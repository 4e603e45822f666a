"""Image files one by one: of a folder tree, or of a list of paths and URLs."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from bandwise.errors import CorruptDataError, DataNotFoundError, UnreadableImageError
from bandwise.pipeline.sources.locations import check_unchanged, described, read_file
from bandwise.pipeline.sources.samples import Part, Sample, SourceFile, key_of

SPLITS = frozenset({"train", "validation", "val", "test"})
MAX_LINE, MAX_LABEL_DIGITS = 2**16, 18
"""Characters of a line of a list, and digits of the number of a class."""


@dataclass(frozen=True, kw_only=True)
class _Files(ABC):
    """Files one by one, so many in a part."""

    shard_images: int

    @abstractmethod
    def entries(self) -> Iterator[SourceFile]:
        """Files and labels; nothing is asked of the files."""

    @property
    @abstractmethod
    def above(self) -> Path:
        """Folder that paths are relative to."""

    def parts(self) -> Iterator[Part]:
        """Files in parts, with what each is like now."""
        entries, above = self.entries(), self.above
        while taken := tuple(islice(entries, self.shard_images)):
            files = tuple(
                replace(described(each.location, above=above), label=each.label) for each in taken
            )
            yield Part(files=files, images=len(files))

    def read(self, part: Part) -> Iterator[Sample]:
        """One sample a file."""
        above = self.above
        for file in part.files:
            yield _sample(file, above)


@dataclass(frozen=True, kw_only=True)
class ImageFiles(_Files):
    """Every file of a folder and its sub-folders, or one file, in the order of names.

    A sub-folder is a class: FOLDER/CLASS/..., or FOLDER/train/CLASS/... and the other splits.
    Hidden files are passed over. `DataNotFoundError` for a folder that cannot be listed.
    """

    root: Path

    @property
    def settings(self) -> dict[str, Any]:
        """The kind of source and its classes, whose numbers are the labels."""
        return {
            "kind": "files",
            "shard_images": self.shard_images,
            "classes": self._classes(),
        }

    def entries(self) -> Iterator[SourceFile]:
        """Files by name, labelled by folder."""
        if not self.root.is_dir():
            yield SourceFile(location=self.root.name)
            return
        labels = {name: number for number, name in enumerate(self._classes())}
        has_splits = self._has_splits()
        for path in walk(self.root):
            name = Path(path).relative_to(self.root)
            folders = name.parts[:-1]
            if has_splits and folders and folders[0] in SPLITS:
                folders = folders[1:]
            label = labels[folders[0]] if folders else None
            yield SourceFile(location=name.as_posix(), label=label)

    @property
    def above(self) -> Path:
        """The folder, or that of the one file."""
        return self.root if self.root.is_dir() else self.root.parent

    def _has_splits(self) -> bool:
        return (self.root / "train").is_dir()

    def _classes(self) -> list[str]:
        if not self.root.is_dir():
            return []
        above = [self.root]
        if self._has_splits():
            above = [self.root / name for name in _folders(self.root) if name in SPLITS]
        return sorted({name for folder in above for name in _folders(folder)})


@dataclass(frozen=True, kw_only=True)
class PathList(_Files):
    """A text file with a path or URL a line, behind a tab the number of its class if it has one.

    Paths are relative to the list. Empty lines are passed over. `CorruptDataError` for a label
    that is no number of up to 18 digits, and a line of more than 64 Ki characters.
    """

    path: Path

    @property
    def settings(self) -> dict[str, Any]:
        """The kind of source."""
        return {"kind": "list", "shard_images": self.shard_images}

    def entries(self) -> Iterator[SourceFile]:
        """Lines of the list."""
        with self.path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE), ""), start=1):
                if len(line) == MAX_LINE:
                    raise CorruptDataError(
                        f"{self.path}, line {number} has {MAX_LINE} characters or more; "
                        "give a text file with a path or URL a line"
                    )
                location, _, label = line.rstrip("\r\n").partition("\t")
                is_number = label.isascii() and label.isdecimal()
                if label and not (is_number and len(label) <= MAX_LABEL_DIGITS):
                    raise CorruptDataError(
                        f"{self.path}, line {number}: behind the tab stands {label[:40]!r}; "
                        "give the number of the image's class, or the path alone"
                    )
                if location:
                    yield SourceFile(location=location, label=int(label) if label else None)

    @property
    def above(self) -> Path:
        """Folder of the list."""
        return self.path.parent


def walk(folder: Path | str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Files under a folder by name, links followed; a link to a folder above it leads nowhere.

    Hidden files are passed over. The names of one folder at a time are in memory.
    """
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        with os.scandir(folder) as listing:
            entries = sorted(
                (entry.name, entry.is_dir()) for entry in listing if not entry.name.startswith(".")
            )
    except OSError as error:
        raise DataNotFoundError(f"{folder} cannot be listed: {error.strerror or error}") from error
    for name, is_folder in entries:
        path = os.path.join(folder, name)  # noqa: PTH118 - a million of them
        if is_folder:
            yield from walk(path, (*above, here))
        else:
            yield path


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as listing:
        return [each.name for each in listing if each.is_dir() and not each.name.startswith(".")]


def _sample(planned: SourceFile, above: Path) -> Sample:
    name = planned.location
    try:
        data, problem = read_file(name, above=above), None
    except UnreadableImageError as error:
        data, problem = b"", str(error)
    check_unchanged(planned, above=above)
    if problem is not None:
        return Sample(name=name, key=key_of(name), problem=problem)
    others = {} if planned.label is None else {"cls": str(planned.label).encode()}
    return Sample(name=name, key=key_of(name), images={"jpg": data}, others=others)
