"""Samples of WebDataset archives: tar files whose consecutive members share a key."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from bandwise.dataset.sources.locations import (
    MAX_FILE_BYTES,
    check_unchanged,
    described,
    opened,
)
from bandwise.dataset.sources.samples import Part, Sample
from bandwise.dataset.tarfiles import Member, read_members
from bandwise.errors import CorruptDataError
from bandwise.images import image_suffixes

MAX_MEMBERS, MAX_SAMPLE_BYTES = 1000, MAX_FILE_BYTES
"""Of one sample."""


@dataclass(frozen=True, kw_only=True)
class Archives:
    """Tar files without compression, each of which becomes one shard.

    Members of a sample that are images by their suffix are encoded, the others copied. Folders
    in the archives and hidden files are passed over.
    """

    above: Path
    names: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The kind of source."""
        return {"kind": "tar"}

    def parts(self) -> Iterator[Part]:
        """One part an archive; how many images it holds is not known before it is read."""
        for name in self.names:
            yield Part(files=(described(name, above=self.above),))

    def read(self, part: Part) -> Iterator[Sample]:
        """Samples in the order of their members; where an archive is damaged, a problem ends it."""
        (file,) = part.files
        check_unchanged(file, above=self.above)
        with opened(file.location, above=self.above) as stream:
            yield from _samples(stream, file.location)
        check_unchanged(file, above=self.above)


def _samples(stream: BinaryIO, archive: str) -> Iterator[Sample]:
    try:
        members = (
            member
            for member in read_members(stream, max_bytes=MAX_FILE_BYTES)
            if not PurePosixPath(member.name).name.startswith(".")
        )
        for key, group in groupby(members, key=lambda member: _split(member.name)[0]):
            yield _sample(archive, key, group)
    except CorruptDataError as error:
        yield Sample(
            name=archive, key="", problem=f"{error}; the sample there and what follows are left out"
        )


def _sample(archive: str, key: str, group: Iterator[Member]) -> Sample:
    name = f"{archive}/{key}"
    images: dict[str, bytes] = {}
    others: dict[str, bytes] = {}
    problem = _key_problem(key)
    size_bytes = 0
    for number, member in enumerate(group, start=1):
        size_bytes += len(member.data)
        if number > MAX_MEMBERS or size_bytes > MAX_SAMPLE_BYTES:
            problem = (
                f"its members are over the limits of {MAX_MEMBERS} and of {MAX_SAMPLE_BYTES} B"
            )
            images, others = {}, {}
            continue
        extension = _split(member.name)[1]
        before, _, suffix = extension.lower().rpartition(".")
        is_image = f".{suffix}" in image_suffixes()
        if is_image:
            extension = f"{before}.jpg" if before else "jpg"
        if member.problem is not None:
            problem = problem or f"{member.name}: {member.problem}"
        elif extension in images or extension in others:
            problem = problem or f"the archive holds {key}.{extension} twice"
        else:
            (images if is_image else others)[extension] = member.data
    if not images:
        named = textwrap.shorten(", ".join(others), 200) or "its members"
        problem = problem or f"there is no image among {named}"
    if problem is not None:
        return Sample(name=name, key=key, problem=problem)
    return Sample(name=name, key=key, images=images, others=others)


def _split(name: str) -> tuple[str, str]:
    """Key and extension, which is what follows the first dot of the last part of a name."""
    folder, slash, last = name.rpartition("/")
    stem, _, extension = last.partition(".")
    return folder + slash + stem, extension


def _key_problem(key: str) -> str | None:
    parts = key.split("/")
    if "\0" in key or ".." in parts or not all(part for part in parts if part != "."):
        return f"its name {key!r} leads out of the archive, or is none"
    return None
