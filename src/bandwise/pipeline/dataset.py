"""A data set to shards: planned, done in tasks by an executor, summed up.

    source ──→ OUT/.bandwise/plan.jsonl ──a task a line──→ executor ──→ OUT/shard-*.tar and .json
                                                              └──→ OUT/manifest.json, at the end

What is in memory are a few tasks and a line for each shard, whatever the number of images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from bandwise import jpeg
from bandwise.errors import ConfigurationError, DataNotFoundError, OutputError
from bandwise.executors import Executor, InProcess
from bandwise.files import remove_temporaries, write_json
from bandwise.pipeline.manifest import (
    PLAN_NAME,
    RECORD_FOLDER,
    Run,
    check_plan,
    read_plan,
    write_plan,
)
from bandwise.pipeline.quarantine import (
    MAX_ERROR_RATE,
    QuarantineList,
    Skipped,
    check_error_rate,
    check_limit,
)
from bandwise.pipeline.shards import EncodeShard, Finished, ShardTask, shard_path
from bandwise.pipeline.sources import SHARD_IMAGES, Source, open_source
from bandwise.pipeline.sources.locations import is_url
from bandwise.pipeline.transcoding import DEFAULT_OPTIONS, Chooser, EncodeOptions
from bandwise.profile import Profile

MANIFEST_NAME = "manifest.json"
FORMAT, SCHEMA = "bandwise-manifest", 1
SKIPPED_TOLD = 5


@dataclass(kw_only=True)
class Totals:
    """How far a run is. Bytes are those of images; `total` is an estimate where it has to be.

    What was there when the run began counts in all but `encoded`.
    """

    shards: int
    shards_done: int = 0
    planned: int | None = 0
    encoded: int = 0
    kept: int = 0
    requantised: int = 0
    quarantined: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    first_skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Images that are dealt with."""
        return self.encoded + self.kept + self.quarantined

    @property
    def total(self) -> int:
        """Images that there are; of archives, an estimate from those that are done."""
        if self.planned is not None:
            return self.planned
        return round(self.done * self.shards / max(self.shards_done, 1))

    @property
    def images_per_second(self) -> float:
        """Images encoded in this run a second, reading and writing included."""
        return self.encoded / self.seconds if self.seconds else 0.0

    def add(self, finished: Finished) -> None:
        """Count a shard."""
        shard = finished.shard
        self.shards_done += 1
        self.encoded += 0 if finished.kept else shard.images
        self.kept += shard.images if finished.kept else 0
        self.requantised += shard.requantised
        self.quarantined += len(shard.quarantined)
        self.bytes_in += shard.bytes_in
        self.bytes_out += shard.bytes_out
        room = SKIPPED_TOLD - len(self.first_skipped)
        self.first_skipped += shard.quarantined[:room]


Progress = Callable[[Totals], None]
"""Hears of the totals after every shard."""


def encode_shards(
    source: str,
    out: Path,
    profile: Profile | Chooser,
    *,
    options: EncodeOptions = DEFAULT_OPTIONS,
    settings: Mapping[str, Any] | None = None,
    shard_images: int = SHARD_IMAGES,
    image_column: str | None = None,
    resume: bool = False,
    executor: Executor | None = None,
    max_error_rate: float = MAX_ERROR_RATE,
    progress: Progress | None = None,
) -> Totals:
    """Encode a data set into tar shards that WebDataset reads, each with an entry beside it.

    `source` is what `open_source` takes. The bytes in `out` are the same whatever the executor and
    however often the run was interrupted; one that goes on skips what is finished. A chooser has to
    be picklable where the executor has other processes, and `settings` are JSON values of what it
    decides by.

    Raises
    ------
    OutputError
        When `out` holds something and `resume` is not given, when it was begun with another
        profile, options or settings, or when it cannot be written.
    SourceChangedError
        When the source, or a file of it, is not what it was when the run began.
    ErrorRateError
        When more images than `max_error_rate`, and more than ten, cannot be encoded.
    DataError
        In its other kinds when the source is missing or cannot be read.
    ConfigurationError
        When `out` lies in the source, or a setting cannot work.
    WorkerError
        When a process of the executor dies.
    """
    check_limit(max_error_rate)
    out = out.absolute()
    found = open_source(source, shard_images=shard_images, image_column=image_column)
    _refuse_place(source, out, resume=resume)
    if next(found.parts(), None) is None:
        raise DataNotFoundError(f"{source} holds no files; name an image or a folder of images")
    started = time.monotonic()
    asked = {**found.settings, **(settings or {}), **_versions()}
    Run.of("shards", profile, options, asked).record(out)
    totals = _planned(found, out)
    work = EncodeShard(source=found, out=out, profile=profile, options=options)
    tasks = (ShardTask(index=index, part=part) for index, part in enumerate(read_plan(out)))
    rows = []
    with (
        QuarantineList(out) as quarantine,
        closing((executor or InProcess()).map(work, tasks)) as results,
    ):
        for finished in results:
            shard = finished.shard
            totals.add(finished)
            totals.seconds = time.monotonic() - started
            quarantine.add(shard.quarantined)
            rows.append({name: getattr(shard, name) for name in ("count", "size_bytes", "sha256")})
            if progress is not None:
                progress(totals)
            check_error_rate(totals.quarantined, totals.done, totals.planned, max_error_rate)
    write_json(out / MANIFEST_NAME, _manifest(totals, found, rows))
    return totals


def _refuse_place(source: str, out: Path, *, resume: bool) -> None:
    if not is_url(source) and out.resolve().is_relative_to(Path(source).resolve()):
        raise ConfigurationError(
            f"the output folder {out} lies in the input folder {source}; choose one outside"
        )
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; name a folder for the shards")
    if out.exists() and any(out.iterdir()):
        if not resume:
            raise OutputError(
                f"{out} is not empty; go on from there with --resume, or choose another folder"
            )
        if not (out / RECORD_FOLDER).is_dir():
            raise OutputError(f"{out} holds no run to go on with; choose another folder")


def _planned(source: Source, out: Path) -> Totals:
    """Plan the run, or compare the plan that is there; count what there is to do."""
    remove_temporaries(out)
    remove_temporaries(out / RECORD_FOLDER)
    if (out / PLAN_NAME).exists():
        check_plan(out, source)
    else:
        write_plan(out, source)
    totals = Totals(shards=0)
    for part in read_plan(out):
        totals.shards += 1
        known = None not in (part.images, totals.planned)
        totals.planned = (totals.planned or 0) + (part.images or 0) if known else None
    return totals


def _versions() -> dict[str, str]:
    """Versions of what decides on the bytes."""
    packages = {name: metadata.version(name) for name in ("bandwise", "numpy", "pillow")}
    return {**packages, "codec": jpeg.library_version()}


def _manifest(totals: Totals, source: Source, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the run has made: the same however often it was interrupted."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "images": totals.encoded + totals.kept,
        "requantised": totals.requantised,
        "quarantined": totals.quarantined,
        "bytes_in": totals.bytes_in,
        "bytes_out": totals.bytes_out,
        "classes": source.settings.get("classes", []),
        "shards": [{"shard": shard_path(Path(), n).name, **row} for n, row in enumerate(rows)],
    }
