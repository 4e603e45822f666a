"""Kinds of rows that experiments write, with types.

experiment   what was run: data set, settings, versions, machine
point        a setting of a codec on one split, judged by a network, image by image
profile      tables that were learned
learning     what learning them took
example      a file of one image
epoch, run   an epoch, and a finished run, of the paper's experiment
trained      a network that was trained on JPEG files
"""

from __future__ import annotations

import base64
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

import numpy as np
from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator

from bandwise.frequency.bands import Bands, make_bands
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import BLOCK, TableSet
from bandwise.results.rows import (
    SCHEMA,
    Bool,
    Count,
    Float,
    Floats,
    Int,
    Ints,
    Record,
    Row,
    Share,
    checked,
    require,
    require_length,
)

Split = Literal["validation", "test"]
Protocol = Literal["frozen", "retrained"]

SPLITS: tuple[Split, ...] = get_args(Split)
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

ORIGINAL = "original"
"""Codec of the uncompressed reference."""

LEARNED, LIBJPEG = "bandwise", "libjpeg"
"""Codecs that write all images with one setting: learned profiles, and libjpeg's own tables."""

GUIDED, GUIDED_LIBJPEG = "bandwise guided", "libjpeg guided"
"""Codecs that write each image with the profile that a network chooses among several."""

SIDE_MAX = 4096
"""Rows and columns of the planes that bands are drawn on."""

_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


def _read_bands(value: Any) -> Bands:
    kind, count, height, width = (value[name] for name in ("kind", "count", "height", "width"))
    if not all(type(each) is int and 0 < each <= SIDE_MAX for each in (height, width)):
        raise ValueError(f"expected 1 to {SIDE_MAX} rows and columns")
    bands = make_bands(kind, height, width, count=count)
    if bands.count != count:
        raise ValueError(f"expected {bands.count} {kind} bands")
    return bands


def _write_bands(bands: Bands) -> Row:
    height, width = bands.shape
    return {"kind": bands.kind, "count": bands.count, "height": height, "width": width}


def _read_decisions(value: Any) -> Floats:
    if not isinstance(value, str) or set(value) - {"0", "1"}:
        raise ValueError("expected a str of 0 and 1")
    return np.frombuffer(value.encode(), np.uint8).astype(np.float64) - ord("0")


def _write_decisions(correct: Floats) -> str:
    return "".join("1" if right else "0" for right in correct)


def _read_frequencies(value: Any) -> Frequencies:
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise ValueError("expected list of int")
    return Frequencies(tuple(value))


def _read_base64(value: Any) -> bytes:
    data = base64.b64decode(value, validate=True)
    if not data.startswith(tuple(_SIGNATURES)):
        raise ValueError("expected a JPEG or PNG file in base64")
    return data


def _check_plane(plane: Floats) -> Floats:
    if plane.shape != (BLOCK, BLOCK):
        raise ValueError(f"expected 8×8 numbers, got {plane.shape}")
    return plane


Plane = Annotated[Floats, AfterValidator(_check_plane)]
StoredBands = Annotated[Bands, PlainValidator(checked(_read_bands)), PlainSerializer(_write_bands)]
StoredFrequencies = Annotated[
    Frequencies,
    PlainValidator(checked(_read_frequencies)),
    PlainSerializer(lambda frequencies: list(frequencies.kept)),
]
StoredTables = Annotated[
    TableSet, PlainValidator(checked(TableSet.from_json)), PlainSerializer(TableSet.to_json)
]
Decisions = Annotated[
    Floats, PlainValidator(checked(_read_decisions)), PlainSerializer(_write_decisions)
]
"""(N,) shares of right decisions, written as a text of 0 and 1."""

ImageFile = Annotated[
    bytes,
    PlainValidator(checked(_read_base64)),
    PlainSerializer(lambda data: base64.b64encode(data).decode()),
]


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Data set of an experiment; ``train``, ``validation`` and ``test`` count images.

    ``options`` are those with which it was read. JPEG files that networks are trained on have a
    ``grid`` of blocks (rows, columns) and ``channels`` instead of an ``image_shape`` (C, H, W).
    """

    name: str
    sha256: str
    classes: tuple[str, ...]
    source: str = ""
    image_shape: tuple[Int, Int, Int] | None = None
    grid: tuple[Int, Int] | None = None
    channels: Int | None = None
    train: Int | None = None
    validation: Int | None = None
    test: Int | None = None
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment(Record):
    """What was run, on what, with what; ``networks`` are hashes of weights by description."""

    kind = "experiment"

    recipe: str
    created: str
    dataset: DatasetInfo
    settings: Mapping[str, Any]
    versions: Mapping[str, Any]
    machine: Mapping[str, Any]
    networks: Mapping[str, str] = field(default_factory=dict)
    bands: StoredBands | None = None
    schema: Int = SCHEMA

    def __post_init__(self) -> None:
        if self.recipe == "reproduce":
            require(self.bands is not None, "bands", "missing; was the file cut or edited?")
            shape = self.dataset.image_shape
            require(shape is not None, "dataset.image_shape", "missing; was the file cut?")


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement(Record):
    """A setting of a codec on one split, image by image.

    Attributes
    ----------
    seed
        That of the network's training, or of its fine-tuning where ``protocol`` is ``retrained``.
    size_bytes, payload_bytes
        Of all images together: whole files, and their entropy-coded data. Originals have none.
    accuracy, agreement
        Shares of right decisions, and of decisions as on the originals.
    divergence
        Mean KL(original || compressed) of the network's output, in nats.
    image_bytes
        (N,) int64 bytes of each file, None for originals.
    image_correct
        (N,) 1 where the decision was right, 0 where not; merged over seeds, the share of them.
    seeds
        Those that are merged (`bandwise.statistics.merge_seeds`); ``seed`` alone in a file.
    """

    kind = "point"
    identity = ("codec", "family", "label", "split", "protocol", "network", "seed")

    codec: str
    family: str
    label: str
    setting: Mapping[str, Any] = field(default_factory=dict)
    split: Split
    protocol: Protocol
    network: str
    seed: Int
    images: Count
    pixels: Count
    size_bytes: Annotated[Count | None, Field(alias="bytes")] = None
    payload_bytes: Count | None = None
    accuracy: Share
    agreement: Share
    divergence: Float
    image_bytes: Ints | None = None
    image_correct: Decisions
    seeds: Annotated[tuple[Int, ...], Field(exclude=True)] = ()

    def __post_init__(self) -> None:
        if not self.seeds:
            object.__setattr__(self, "seeds", (self.seed,))
        require_length("image_correct", self.image_correct, self.images)
        if self.codec != ORIGINAL:
            require(self.size_bytes is not None, "bytes", f"only {ORIGINAL!r} may lack a size")
            require(self.image_bytes is not None, "image_bytes", f"only {ORIGINAL!r} may lack it")
        if self.image_bytes is not None:
            require_length("image_bytes", self.image_bytes, self.images)

    @property
    def setting_key(self) -> tuple[str, str, str]:
        """Identity of the setting: the same on every split."""
        return self.codec, self.family, self.label

    @property
    def mean_bytes(self) -> float:
        """Bytes an image; infinite for originals, which are not coded."""
        return math.inf if self.size_bytes is None else self.size_bytes / self.images

    @property
    def mean_payload(self) -> float | None:
        """Bytes of entropy-coded data an image; None where they are not counted."""
        return None if self.payload_bytes is None else self.payload_bytes / self.images

    @property
    def bits_per_pixel(self) -> float:
        """Bits per source pixel; infinite for originals."""
        return 8 * self.mean_bytes * self.images / self.pixels

    def named(self, names: str | Collection[str]) -> bool:
        """Whether a name is this measurement's codec or family."""
        chosen = {names} if isinstance(names, str) else names
        return self.codec in chosen or self.family in chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedTables(Record):
    """Tables that were learned for a network; ``importance`` is (8, 8) by component."""

    kind = "profile"
    identity = ("family", "label", "network")

    name: str = ""
    family: str
    label: str
    network: str
    tables: StoredTables
    subsampling: str
    importance: Mapping[str, Plane] | None = None
    frequencies: StoredFrequencies | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Learning(Record):
    """What learning tables took, with the settings that they were learned with."""

    kind = "learning"
    identity = ("family", "network")

    family: str
    network: str
    seconds: Float
    images: Int
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Example(Record):
    """A file of one test image: ``data`` is a JPEG, or a PNG of the original."""

    kind = "example"
    identity = ("index", "codec")

    index: Int
    class_name: Annotated[str, Field(alias="label")]
    codec: str
    family: str
    setting_label: str
    size_bytes: Int
    correct: Bool
    data: ImageFile

    @property
    def media_type(self) -> str:
        """``image/jpeg`` or ``image/png``."""
        return next(kind for mark, kind in _SIGNATURES.items() if self.data.startswith(mark))

    @classmethod
    def from_row(cls, row: Mapping[str, Any], where: str = "row") -> Self:
        """Read a row, whose file is in ``jpeg_base64`` or ``png_base64``."""
        found = [row[name] for name in ("jpeg_base64", "png_base64") if row.get(name)]
        return super().from_row({**row, "data": found[0]} if found else row, where)

    def to_row(self) -> Row:
        """Row that `from_row` reads back."""
        row = super().to_row()
        name = "jpeg_base64" if self.media_type == "image/jpeg" else "png_base64"
        row[name] = row.pop("data")
        return row


@dataclass(frozen=True, kw_only=True, eq=False)
class Epoch(Record):
    """One epoch of one run of the paper's experiment; accuracies are shares."""

    kind = "epoch"
    identity = ("variant", "seed", "epoch")

    variant: str
    seed: Int
    epoch: Int
    learning_rate: Float = 0.0
    train_loss: Float
    train_task_loss: Float
    train_reconstruction_loss: Float = 0.0
    validation_loss: Float
    validation_task_loss: Float
    validation_accuracy: Float = 0.0
    test_accuracy: Share | None = None
    test_per_class: tuple[Float, ...] | None = None
    band_weights: tuple[Float, ...]
    train_seconds: Float = 0.0
    images: Int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Run(Record):
    """A finished run of the paper's experiment, measured at its best epoch."""

    kind = "run"
    identity = ("variant", "seed")

    variant: str
    seed: Int
    epochs: Count
    best_epoch: Int
    stopped_early: Bool
    test_accuracy: Share
    test_per_class: tuple[Float, ...]
    validation_accuracy: Float = 0.0
    band_weights: tuple[Float, ...]
    train_seconds: Float
    images_per_second: Float
    provenance: Mapping[str, Any]


class TrainedSetting(NamedTuple):
    """A network and what it reads; ``kept`` and ``rule`` are None for everything."""

    network: str
    reads: str
    kept: int | None = None
    rule: str | None = None

    @property
    def name(self) -> str:
        """Such as ``resnet on pixels`` or ``resnet-small on 24 frequencies by energy``."""
        if self.kept is None:
            return f"{self.network} on {self.reads}"
        frequencies = "frequency" if self.kept == 1 else "frequencies"
        return f"{self.network} on {self.kept} {frequencies} by {self.rule}"

    @property
    def inputs(self) -> str:
        """What is read, in short: ``pixels`` or ``24 by energy``."""
        return self.reads if self.kept is None else f"{self.kept} by {self.rule}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained(Record):
    """A network that was trained on JPEG files: one curve value and time an epoch.

    ``test_bytes`` are the sizes of the test files with only what is read left in them.
    """

    kind = "trained"
    identity = ("network", "reads", "seed", "kept", "rule")

    network: str
    reads: Literal["coefficients", "pixels"]
    seed: Int
    kept: Int | None = None
    rule: str | None = None
    frequencies: StoredFrequencies | None = None
    parameters: Int
    epochs: Count
    train_loss: Float = 0.0
    validation_accuracy: Float = 0.0
    validation_curve: tuple[Float, ...]
    train_seconds: tuple[Annotated[Float, Field(gt=0)], ...]
    images: Int
    test_correct: Ints | None = None
    test_accuracy: Share
    test_bytes: Ints

    def __post_init__(self) -> None:
        require_length("validation_curve", self.validation_curve, self.epochs)
        require_length("train_seconds", self.train_seconds, self.epochs)
        require(
            self.test_bytes.ndim == 1 and self.test_bytes.size > 0 and self.test_bytes.min() >= 1,
            "test_bytes",
            "expected sizes of 1 byte or more",
        )

    @property
    def setting(self) -> TrainedSetting:
        """The network and what it reads."""
        return TrainedSetting(self.network, self.reads, self.kept, self.rule)

    @property
    def mean_file_bytes(self) -> float:
        """Mean size of the test files, in bytes."""
        return float(self.test_bytes.mean())


KINDS: Mapping[str, type[Record]] = {
    kind.kind: kind
    for kind in (
        *(Experiment, Measurement, LearnedTables, Learning, Example),
        *(Epoch, Run, Trained),
    )
}
"""Records by the word in their rows."""


def check_fits(record: Record, experiment: Experiment) -> None:
    """Raise `ResultsError` for a record whose arrays do not fit the experiment's data or bands."""
    bands, dataset = experiment.bands, experiment.dataset
    if isinstance(record, Epoch | Run) and bands is not None:
        require_length("band_weights", record.band_weights, bands.count)
    if isinstance(record, Run):
        require_length("test_per_class", record.test_per_class, len(dataset.classes))
