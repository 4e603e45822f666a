"""Data sets to trees of JPEG files or to tar shards: planned, done in tasks, summed up.

    source ──→ parts ──a task each──→ executor ──→ OUT/....jpg, or OUT/shard-*.tar and .json
                                         └──→ OUT/quarantine.jsonl; OUT/manifest.json at the end

What is in memory are a few tasks and a line for each shard, or each file of a tree, whatever the
number of images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from bandwise import jpeg
from bandwise.dataset.parts import EncodePart, Outcome, Task
from bandwise.dataset.record import (
    MAX_ERROR_RATE,
    PLAN_NAME,
    RECORD_FOLDER,
    QuarantineList,
    Run,
    Skipped,
    check_error_rate,
    check_limit,
    check_plan,
    read_plan,
    write_plan,
)
from bandwise.dataset.shards import Shards
from bandwise.dataset.sources import SHARD_IMAGES, ImageFiles, Source, open_source
from bandwise.dataset.sources.locations import is_url
from bandwise.dataset.transcoding import DEFAULT_OPTIONS, EncodeOptions
from bandwise.dataset.tree import Tree, list_files, plan_tree, read_files
from bandwise.encoding import ImageEncoder
from bandwise.errors import ConfigurationError, DataNotFoundError, OutputError
from bandwise.executors import Executor, InProcess, Threads
from bandwise.files import remove_temporaries, write_json
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.system import available_cores

MANIFEST_NAME = "manifest.json"
FORMAT, SCHEMA = "bandwise-manifest", 1
SKIPPED_TOLD = 5


@dataclass(kw_only=True)
class Totals:
    """How far a run is. Parts are shards, or files of a tree; bytes are those of images.

    `planned` is the number of images, None where that is not known before reading. Shards that were
    there when the run began count in all but `encoded`; of files of a tree no bytes are known.
    `sums` add up the numbers that the encoder says of the `recorded` files.
    """

    parts: int = 0
    parts_done: int = 0
    planned: int | None = 0
    encoded: int = 0
    kept: int = 0
    requantised: int = 0
    skipped: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    first_skipped: list[Skipped] = field(default_factory=list)
    recorded: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Images that are dealt with."""
        return self.encoded + self.kept + self.skipped

    @property
    def total(self) -> int:
        """Images that there are; of archives, an estimate from those that are done."""
        if self.planned is not None:
            return self.planned
        return round(self.done * self.parts / max(self.parts_done, 1))

    @property
    def images_per_second(self) -> float:
        """Images encoded in this run a second, reading and writing included."""
        return self.encoded / self.seconds if self.seconds else 0.0

    def add(self, outcome: Outcome) -> None:
        """Count a part."""
        self.parts_done += 1
        self.encoded += 0 if outcome.kept else outcome.images
        self.kept += outcome.images if outcome.kept else 0
        self.requantised += outcome.requantised
        self.skipped += len(outcome.skipped)
        self.bytes_in += outcome.bytes_in
        self.bytes_out += outcome.bytes_out
        self.recorded += len(outcome.records)
        for record in outcome.records:
            for name, value in record.items():
                if isinstance(value, int | float):
                    self.sums[name] = self.sums.get(name, 0) + value
        self.first_skipped += outcome.skipped[: SKIPPED_TOLD - len(self.first_skipped)]


def encode_tree(
    source: Path,
    out: Path,
    encoder: ImageEncoder,
    *,
    options: EncodeOptions = DEFAULT_OPTIONS,
    resume: bool = False,
    executor: Executor | None = None,
    max_error_rate: float = MAX_ERROR_RATE,
    progress: ProgressCallback = ignore_progress,
) -> Totals:
    """Encode an image, or every file of a folder and its sub-folders, into the folder `out`.

    Names are kept, with the suffix .jpg; hidden files are passed over. A file that cannot be
    encoded is named with its reason in `out`/quarantine.jsonl, and the rest goes on; so is each of
    several that would get one name, such as a.png and a.jpg: none of them is encoded. Files appear
    whole or not at all, and sources are never written to. With `resume`, files that are there
    already are kept if they are whole and have the tables of one of the encoder's profiles; without
    it they are an error. `executor`: threads, one a core, if not given; the result is the same for
    any. The `detail` of its progress is `Totals`.

    Raises
    ------
    DataNotFoundError
        When the source is missing, cannot be listed or holds no files.
    ConfigurationError
        When `out` lies in the source, or a setting cannot work.
    OutputError
        When `out` holds some of the files already, was begun with another profile, options or
        settings, or cannot be written.
    ErrorRateError
        When more files than `max_error_rate`, and more than ten, cannot be encoded.
    WorkerError
        When a process of the executor dies, or memory runs out.
    """
    check_limit(max_error_rate)
    if not source.exists():
        raise DataNotFoundError(f"{source} does not exist; name an image or a folder of images")
    _check_place(str(source), out)
    files = ImageFiles(path=source.absolute(), shard_images=1)
    names = [entry.location for entry in files.entries()]
    if not names:
        raise DataNotFoundError(f"{source} holds no files; name an image or a folder of images")
    clashes = plan_tree(out, names, resume=resume)
    Run.of("tree", encoder, options, {}).record(out)
    totals = Totals(parts=len(names), planned=len(names))
    work = EncodePart(
        source=files,
        sink=Tree(
            out=out.absolute(),
            profiles=tuple(encoder.profiles),
            clashes=clashes,
            listed=read_files(out),
        ),
        encoder=encoder,
        options=options,
    )
    tasks = (Task(index=index, part=part) for index, part in enumerate(files.parts()))
    executor = executor or Threads(available_cores())
    rows = _run(work, tasks, out, totals, executor, max_error_rate, progress)
    list_files(out, rows)
    return totals


def encode_shards(
    source: str,
    out: Path,
    encoder: ImageEncoder,
    *,
    options: EncodeOptions = DEFAULT_OPTIONS,
    shard_images: int = SHARD_IMAGES,
    image_column: str | None = None,
    resume: bool = False,
    executor: Executor | None = None,
    max_error_rate: float = MAX_ERROR_RATE,
    progress: ProgressCallback = ignore_progress,
) -> Totals:
    """Encode a data set into tar shards that WebDataset reads, each with an entry beside it.

    `source` is what `open_source` takes. The bytes in `out` are the same whatever the executor and
    however often the run was interrupted; one that goes on skips what is finished. The encoder has
    to be picklable where the executor has other processes. The `detail` of its progress is
    `Totals`.

    Raises
    ------
    OutputError
        As `encode_tree` does, and when `out` holds anything and `resume` is not given.
    SourceChangedError
        When the source, or a file of it, is not what it was when the run began.
    BandwiseError
        In other kinds as `encode_tree` does.
    """
    check_limit(max_error_rate)
    out = out.absolute()
    found = open_source(source, shard_images=shard_images, image_column=image_column)
    _check_place(source, out)
    if out.exists() and any(out.iterdir()):
        if not resume:
            raise OutputError(
                f"{out} is not empty; go on from there with --resume, or choose another folder"
            )
        if not (out / RECORD_FOLDER).is_dir():
            raise OutputError(f"{out} holds no run to go on with; choose another folder")
    if next(found.parts(), None) is None:
        raise DataNotFoundError(f"{source} holds no files; name an image or a folder of images")
    Run.of("shards", encoder, options, {**found.settings, **_versions()}).record(out)
    totals = _planned(found, out)
    work = EncodePart(source=found, sink=Shards(out=out), encoder=encoder, options=options)
    tasks = (Task(index=index, part=part) for index, part in enumerate(read_plan(out)))
    rows = _run(work, tasks, out, totals, executor or InProcess(), max_error_rate, progress)
    write_json(
        out / MANIFEST_NAME,
        {
            "format": FORMAT,
            "schema": SCHEMA,
            "images": totals.encoded + totals.kept,
            "requantised": totals.requantised,
            "quarantined": totals.skipped,
            "bytes_in": totals.bytes_in,
            "bytes_out": totals.bytes_out,
            "classes": found.settings.get("classes", []),
            "shards": rows,
        },
    )
    return totals


def _run(
    work: Callable[[Task], Outcome],
    tasks: Iterable[Task],
    out: Path,
    totals: Totals,
    executor: Executor,
    max_error_rate: float,
    progress: ProgressCallback,
) -> list[Mapping[str, Any]]:
    """Do all tasks and count them in `totals`; what the record lists, in order."""
    rows: list[Mapping[str, Any]] = []
    started = time.monotonic()
    with (
        closing(QuarantineList(out)) as quarantine,
        closing(executor.map(work, tasks)) as outcomes,
    ):
        for outcome in outcomes:
            totals.add(outcome)
            totals.seconds = time.monotonic() - started
            rows += outcome.rows
            if outcome.skipped:
                quarantine.add(outcome.skipped)
            progress(
                Progress(stage="encoding", done=totals.done, total=totals.total, detail=totals)
            )
            check_error_rate(totals.skipped, totals.done, totals.planned, max_error_rate)
    return rows


def _check_place(source: str, out: Path) -> None:
    if not is_url(source) and out.resolve().is_relative_to(Path(source).resolve()):
        raise ConfigurationError(
            f"the output folder {out} lies in the input folder {source}; choose one outside"
        )
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; name a folder for the output")


def _planned(source: Source, out: Path) -> Totals:
    """Plan the run, or compare the plan that is there; count what there is to do."""
    remove_temporaries(out)
    remove_temporaries(out / RECORD_FOLDER)
    if (out / PLAN_NAME).exists():
        check_plan(out, source)
    else:
        write_plan(out, source)
    totals = Totals()
    for part in read_plan(out):
        totals.parts += 1
        known = None not in (part.images, totals.planned)
        totals.planned = (totals.planned or 0) + (part.images or 0) if known else None
    return totals


def _versions() -> dict[str, str]:
    """Versions of what decides on the bytes."""
    packages = {name: metadata.version(name) for name in ("bandwise", "numpy", "pillow")}
    return {**packages, "codec": jpeg.library_version()}
