"""Image files one by one: of a folder tree, or of a list of paths and URLs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from bandwise.dataset.sources.locations import check_unchanged, described, read_file
from bandwise.dataset.sources.samples import Part, Sample, SourceFile, key_of
from bandwise.errors import CorruptDataError, DataNotFoundError, UnreadableImageError

SPLITS = frozenset({"train", "validation", "val", "test"})
MAX_LINE, MAX_LABEL_DIGITS = 2**16, 18
"""Characters of a line of a list, and digits of the number of a class."""


@dataclass(frozen=True, kw_only=True)
class ImageFiles:
    """Files one by one, so many in a part: of a folder tree, of a list of them, or a single one.

    A tree gives every file of a folder and its sub-folders in the order of names; hidden files are
    passed over. A sub-folder is a class: FOLDER/CLASS/..., or FOLDER/train/CLASS/... and the other
    splits. A list is a text file with a path or URL a line, behind a tab the number of its class if
    it has one; paths are relative to the list, and empty lines are passed over.

    Raises
    ------
    DataNotFoundError
        For a folder that cannot be listed.
    CorruptDataError
        For a label in a list that is no number of up to 18 digits, and a line of more than 64 Ki
        characters.
    """

    path: Path
    shard_images: int
    is_list: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The kind of source and, of a tree, its classes, whose numbers are the labels."""
        if self.is_list:
            return {"kind": "list", "shard_images": self.shard_images}
        return {"kind": "files", "shard_images": self.shard_images, "classes": self._classes()}

    @property
    def above(self) -> Path:
        """Folder that paths are relative to."""
        return self.path if self.path.is_dir() else self.path.parent

    def entries(self) -> Iterator[SourceFile]:
        """Files and labels; nothing is asked of the files."""
        if self.is_list:
            yield from _listed(self.path)
            return
        if not self.path.is_dir():
            yield SourceFile(location=self.path.name)
            return
        labels = {name: number for number, name in enumerate(self._classes())}
        has_splits = self._has_splits()
        for path in walk(self.path):
            name = Path(path).relative_to(self.path)
            folders = name.parts[:-1]
            if has_splits and folders and folders[0] in SPLITS:
                folders = folders[1:]
            label = labels[folders[0]] if folders else None
            yield SourceFile(location=name.as_posix(), label=label)

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
            name, data, problem = file.location, b"", None
            try:
                data = read_file(name, above=above)
            except UnreadableImageError as error:
                problem = str(error)
            check_unchanged(file, above=above)
            if problem is not None:
                yield Sample(name=name, key=key_of(name), problem=problem)
                continue
            others = {} if file.label is None else {"cls": str(file.label).encode()}
            yield Sample(name=name, key=key_of(name), images={"jpg": data}, others=others)

    def _has_splits(self) -> bool:
        return (self.path / "train").is_dir()

    def _classes(self) -> list[str]:
        if not self.path.is_dir():
            return []
        above = [self.path]
        if self._has_splits():
            above = [self.path / name for name in _folders(self.path) if name in SPLITS]
        return sorted({name for folder in above for name in _folders(folder)})


def _listed(path: Path) -> Iterator[SourceFile]:
    """Lines of a list."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE), ""), start=1):
            if len(line) == MAX_LINE:
                raise CorruptDataError(
                    f"{path}, line {number} has {MAX_LINE} characters or more; "
                    "give a text file with a path or URL a line"
                )
            location, _, label = line.rstrip("\r\n").partition("\t")
            is_number = label.isascii() and label.isdecimal()
            if label and not (is_number and len(label) <= MAX_LABEL_DIGITS):
                raise CorruptDataError(
                    f"{path}, line {number}: behind the tab stands {label[:40]!r}; "
                    "give the number of the image's class, or the path alone"
                )
            if location:
                yield SourceFile(location=location, label=int(label) if label else None)


def walk(folder: Path | str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Files under a folder by name, links followed; a link to a folder above it leads nowhere.

    Hidden files are passed over. The names of one folder at a time are in memory.
    """
    here = os.path.realpath(folder)
    if here in above:
        return
    for name, is_folder in _entries(folder):
        path = os.path.join(folder, name)  # noqa: PTH118 - a million of them
        if is_folder:
            yield from walk(path, (*above, here))
        else:
            yield path


def _folders(folder: Path) -> list[str]:
    return [name for name, is_folder in _entries(folder) if is_folder]


def _entries(folder: Path | str) -> list[tuple[str, bool]]:
    """Names in a folder in order, and which are folders."""
    try:
        with os.scandir(folder) as listing:
            return sorted(
                (entry.name, entry.is_dir()) for entry in listing if not entry.name.startswith(".")
            )
    except OSError as error:
        raise DataNotFoundError(f"{folder} cannot be listed: {error.strerror or error}") from error
