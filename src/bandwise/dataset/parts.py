"""The unit of work on data sets: a part of a source, encoded into a sink.

    part ──source.read──→ samples ──transcode──→ sink: a file of a tree, or a tar shard ──→ outcome

A task is a pure function of its part and the encoder, and can be done twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bandwise.dataset.record import Skipped
from bandwise.dataset.sources import Part, Sample, Source
from bandwise.dataset.transcoding import IMAGE_ERRORS, EncodeOptions, Transcoded, transcode
from bandwise.encoding import ImageEncoder
from bandwise.errors import UnreadableImageError, WorkerError
from bandwise.images import check_memory


@dataclass(frozen=True, kw_only=True)
class Task:
    """A part of a source, by its number."""

    index: int
    part: Part


@dataclass(kw_only=True)
class Outcome:
    """What became of a part; `kept` if it was there already. Bytes are those of its images.

    `rows` are what the record of the run lists: a shard, or a file of a tree. `records` are what
    the encoder says of each file.
    """

    kept: bool = False
    images: int = 0
    requantised: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    records: list[Mapping[str, Any]] = field(default_factory=list)


Encoded = tuple[Sample, dict[str, Transcoded]]
"""A sample, and the files of its images by extension."""


class Sink(Protocol):
    """Where encoded parts go; a value that other processes can be sent."""

    def kept(self, task: Task) -> Outcome | None:
        """Outcome of a part that is there already; None where it has to be written."""
        ...

    def write(self, task: Task, samples: Iterable[Encoded], outcome: Outcome) -> None:
        """Write a part whole or not at all, and add its rows to `outcome`.

        The outcome counts the samples as they are taken. Raises `OutputError`.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class EncodePart:
    """Encodes parts; a value that other processes can be sent, with all that a task needs."""

    source: Source
    sink: Sink
    encoder: ImageEncoder
    options: EncodeOptions

    def __call__(self, task: Task) -> Outcome:
        """Write a part, or keep the one that is there.

        Raises `SourceChangedError` where a file is not what it was when the run was planned,
        `OutputError` where the folder cannot be written, `WorkerError` where memory runs out.
        """
        if (kept := self.sink.kept(task)) is not None:
            return kept
        outcome, name = Outcome(), task.part.files[0].location

        def encoded() -> Iterator[Encoded]:
            nonlocal name
            for sample in self.source.read(task.part):
                name = sample.name
                try:
                    yield sample, self._encoded(sample, outcome)
                except IMAGE_ERRORS as error:
                    check_memory()
                    outcome.skipped.append(Skipped(name, str(error)))

        try:
            self.sink.write(task, encoded(), outcome)
        except MemoryError as error:  # of the machine, not of an image
            raise WorkerError(f"out of memory at {name}; resume with fewer workers") from error
        return outcome

    def _encoded(self, sample: Sample, outcome: Outcome) -> dict[str, Transcoded]:
        if sample.problem is not None:
            raise UnreadableImageError(sample.problem)
        files = {
            extension: transcode(data, self.encoder, self.options)
            for extension, data in sample.images.items()
        }
        outcome.images += len(files)
        outcome.requantised += sum(file.requantised for file in files.values())
        outcome.bytes_in += sum(map(len, sample.images.values()))
        outcome.bytes_out += sum(len(file.data) for file in files.values())
        outcome.records += [file.record for file in files.values() if file.record]
        return files
