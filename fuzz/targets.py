"""Parsers of bytes from outside, and what must hold of each whatever the bytes.

Nothing but the errors that a parser documents comes out of it; where it parses, what it gives is
written and read again as the same, or is the same the second time.
"""

from __future__ import annotations

import functools
import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from bandwise import jpeg
from bandwise.data.catalog import parse_idx
from bandwise.dataset import (
    EncodeOptions,
    check_file,
    encode_shards,
    encode_tree,
    open_source,
    read_picture,
    transcode,
    verify,
)
from bandwise.dataset.sources import Source
from bandwise.dataset.sources.locations import is_url
from bandwise.dataset.tarfiles import TarWriter, read_members
from bandwise.dataset.transcoding import IMAGE_ERRORS
from bandwise.encoding import ProfileEncoder
from bandwise.errors import (
    BandwiseError,
    CheckpointError,
    CoefficientError,
    ConfigurationError,
    CorruptDataError,
    DataError,
    JpegError,
    ProfileError,
    ResultsError,
    UnreadableImageError,
)
from bandwise.executors import InProcess
from bandwise.jpeg.markers import metadata, segments
from bandwise.profile import Profile
from bandwise.results import Record, Results, read_rows, write_rows
from fuzz import changes, seeds
from fuzz.changes import Change

MAX_PIXELS = 2**18
LIMITS = jpeg.Limits(max_pixels=MAX_PIXELS, max_scans=30, max_memory_bytes=2**24)
MAX_MEMBER_BYTES = 2**16


@dataclass(frozen=True, kw_only=True)
class Target:
    """A parser. `read` raises any of `errors` for bytes that it refuses, and nothing else.

    `limit` is how long files grow, in bytes.
    """

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]
    change: Change = changes.some_bytes
    limit: int = 4096

    def __call__(self, data: bytes) -> bool:
        """Whether the bytes were read rather than refused; raises what never should be."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of oddities in metadata
            try:
                self.read(data)
            except self.errors:
                return False
            return True


@contextmanager
def small_images() -> Iterator[None]:
    """Refuse images above 256 Ki pixels, so that none takes long."""
    with patch("bandwise.images.MAX_PIXELS", MAX_PIXELS):
        yield


def read_coefficients(data: bytes) -> None:
    image = jpeg.read_coefficients(data, limits=LIMITS)
    try:
        written = jpeg.write_coefficients(image)
    except CoefficientError:  # files can hold integers that no encoder of 8 bits makes
        return
    again = jpeg.read_coefficients(written, limits=LIMITS)
    assert (again.width, again.height, again.icc) == (image.width, image.height, image.icc)
    for left, right in zip(image.planes, again.planes, strict=True):
        assert left.table == right.table
        np.testing.assert_array_equal(left.blocks, right.blocks)


def decode(data: bytes) -> None:
    assert jpeg.decode(data, limits=LIMITS).size > 0


def read_markers(data: bytes) -> None:
    position = 2
    try:
        metadata(data)
    finally:
        for segment in segments(data):
            assert position <= segment.start <= segment.stop <= segment.end <= len(data)
            position = segment.end


def read_batch(data: bytes) -> None:
    from bandwise.data.files import read_batch

    batch = read_batch([data, seeds.jpegs()[0]], channels=3, grid=(2, 2), limits=LIMITS)
    assert batch.luma.shape == (2, 64, 2, 2)


def picture(data: bytes) -> None:
    with small_images():
        first = read_picture(data)
        assert first.pixels_u8.size > 0
        np.testing.assert_array_equal(first.pixels_u8, read_picture(data).pixels_u8)


def training_image(data: bytes) -> None:
    from bandwise.images import decode_file

    with small_images():
        assert decode_file(_file(data, "image"), height=8, width=8, colour="rgb").shape == (3, 8, 8)


def transcoded(data: bytes) -> None:
    requantise = bool(data) and data[-1] % 2 == 0
    encoder = ProfileEncoder(seeds.PROFILE, "smallest" if requantise else "baseline")
    with small_images():
        result = transcode(data, encoder, EncodeOptions(requantise=requantise))
    check_file(result.data, encoder.profiles)
    assert jpeg.decode(result.data).size > 0


def profile(data: bytes) -> None:
    found = Profile.load(_file(data, "profile.json"))
    again = _folder() / "again.json"
    found.save(again)
    assert Profile.load(again).sha256 == found.sha256


def tar(data: bytes) -> None:
    found = [
        member
        for member in read_members(io.BytesIO(data), max_bytes=MAX_MEMBER_BYTES)
        if member.problem is None
    ]
    assert sum(len(member.data) for member in found) <= len(data)
    stream = io.BytesIO()
    writer = TarWriter(stream)
    for member in found:
        writer.add(member.name, {"x": member.data})
    writer.close()
    again = read_members(io.BytesIO(stream.getvalue()), max_bytes=MAX_MEMBER_BYTES)
    for before, after in zip(found, again, strict=True):
        assert after.data == before.data


def archive(data: bytes) -> None:
    _samples(open_source(str(_file(data, "source.tar"))))


def table(data: bytes) -> None:
    _samples(open_source(str(_file(data, "source.parquet")), shard_images=2))


def path_list(data: bytes) -> None:
    source = open_source(str(_file(data, "source.txt")), shard_images=2)
    for part in source.parts():
        if not any(is_url(file.location) for file in part.files):
            list(source.read(part))


def _samples(source: Source) -> None:
    for part in source.parts():
        for sample in source.read(part):
            assert sample.problem or sample.key
            assert ".." not in sample.key.split("/")
            assert all(isinstance(data, bytes) for data in sample.images.values())


def idx(data: bytes) -> None:
    array = parse_idx(data, name="x")
    assert data.endswith(array.tobytes())


def results(data: bytes) -> None:
    rows = read_rows(_file(data, "results.jsonl"))
    again = _folder() / "again.jsonl"
    write_rows(again, rows)
    assert repr(read_rows(again)) == repr(rows)


def store(data: bytes) -> None:
    experiment = Results.load(_file(seeds.results()[0], "seed.jsonl")).experiment
    folder = _folder() / "store"
    folder.mkdir(exist_ok=True)
    (folder / "results.jsonl").write_bytes(data)
    opened = Results.open(folder, experiment)
    again = Results.load(folder)
    assert [each.to_row() for each in opened.of(Record)] == [
        each.to_row() for each in again.of(Record)
    ]


def report(data: bytes) -> None:
    from bandwise.report import summary, unfinished
    from bandwise.results import Results

    results = Results.load(_file(data, "results.jsonl"))
    unfinished(results)
    summary(results)


def checkpoint(data: bytes) -> None:
    from bandwise.checkpoint import load_tensors
    from bandwise.models.model import Model

    path = _file(data, "model.safetensors")
    load_tensors(path)
    Model.load(path)


def weights(data: bytes) -> None:
    from bandwise.models.networks.registry import load_network

    load_network("small-cnn", _file(data, "w.safetensors"), num_classes=2, channels=1)


class Output:
    """A folder that a run left, one of whose files is replaced; all are put back at the end."""

    def __init__(self, number: int) -> None:
        self._number = number

    def seeds(self) -> list[bytes]:
        """Each file behind its number."""
        return seeds.records(self._contents)

    def verified(self, data: bytes) -> None:
        """Check the folder with a file replaced."""
        with self._with_file(data) as out:
            verify(out)

    def resumed(self, data: bytes) -> None:
        """Go on in the folder with a file replaced."""
        _, source = seeds.folders()
        with self._with_file(data) as out:
            if self._number:
                encode_tree(source, out, seeds.ENCODER, resume=True, executor=InProcess())
            else:
                encode_shards(str(source), out, seeds.ENCODER, shard_images=2, resume=True)

    @functools.cached_property
    def _contents(self) -> dict[str, bytes]:
        return seeds.folders()[0][self._number]

    @contextmanager
    def _with_file(self, data: bytes) -> Iterator[Path]:
        names = list(self._contents)
        out = _folder() / f"output{self._number}"
        shutil.rmtree(out, ignore_errors=True)
        for name, content in self._contents.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        if data:
            (out / names[data[0] % len(names)]).write_bytes(data[1:])
        yield out


@functools.cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)


def _folder() -> Path:
    return Path(_temporary().name)


def _file(data: bytes, name: str) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


def _numbered_json(data: bytes, random: Any) -> bytes:
    return data[:1] + changes.json_values(data[1:], random)


SHARDS, TREE = Output(0), Output(1)

TARGETS: dict[str, Target] = {
    "jpeg-markers": Target(read=read_markers, errors=(JpegError,), seeds=seeds.jpegs),
    "jpeg-coefficients": Target(read=read_coefficients, errors=(JpegError,), seeds=seeds.jpegs),
    "jpeg-pixels": Target(read=decode, errors=(JpegError,), seeds=seeds.jpegs),
    "jpeg-batch": Target(read=read_batch, errors=(JpegError, DataError), seeds=seeds.jpegs),
    "picture": Target(
        read=picture,
        errors=(UnreadableImageError,),
        seeds=seeds.pictures,
        change=changes.image_bytes,
    ),
    "training-image": Target(
        read=training_image,
        errors=(UnreadableImageError,),
        seeds=seeds.pictures,
        change=changes.image_bytes,
    ),
    "transcode": Target(
        read=transcoded, errors=IMAGE_ERRORS, seeds=seeds.pictures, change=changes.image_bytes
    ),
    "profile": Target(
        read=profile,
        errors=(ProfileError,),
        seeds=seeds.profiles,
        change=changes.json_values,
        limit=2**16,
    ),
    "tar": Target(
        read=tar,
        errors=(CorruptDataError,),
        seeds=seeds.tars,
        change=changes.tar_bytes,
        limit=2**15,
    ),
    "archive": Target(
        read=archive, errors=(), seeds=seeds.tars, change=changes.tar_bytes, limit=2**15
    ),
    "parquet": Target(
        read=table, errors=(CorruptDataError, ConfigurationError), seeds=seeds.tables
    ),
    "list": Target(read=path_list, errors=(DataError, ConfigurationError), seeds=seeds.lists),
    "idx": Target(read=idx, errors=(CorruptDataError,), seeds=seeds.idx_files),
    "results": Target(
        read=results, errors=(ResultsError,), seeds=seeds.results, change=changes.json_values
    ),
    "store": Target(
        read=store,
        errors=(ResultsError, ConfigurationError),
        seeds=seeds.results,
        change=changes.json_values,
    ),
    "report": Target(
        read=report,
        errors=(ResultsError,),
        seeds=seeds.reported,
        change=changes.json_values,
        limit=2**16,
    ),
    "model": Target(
        read=checkpoint,
        errors=(CheckpointError,),
        seeds=seeds.models,
        change=changes.behind_header,
        limit=2**18,
    ),
    "weights": Target(
        read=weights,
        errors=(CheckpointError,),
        seeds=seeds.models,
        change=changes.behind_header,
        limit=2**18,
    ),
    "verify-shards": Target(
        read=SHARDS.verified,
        errors=(DataError,),
        seeds=SHARDS.seeds,
        change=_numbered_json,
        limit=2**14,
    ),
    "verify-tree": Target(
        read=TREE.verified, errors=(DataError,), seeds=TREE.seeds, change=_numbered_json
    ),
    "resume-shards": Target(
        read=SHARDS.resumed,
        errors=(BandwiseError,),
        seeds=SHARDS.seeds,
        change=_numbered_json,
        limit=2**14,
    ),
    "resume-tree": Target(
        read=TREE.resumed, errors=(BandwiseError,), seeds=TREE.seeds, change=_numbered_json
    ),
}
