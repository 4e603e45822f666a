"""Rows of a rate-accuracy experiment, checked and typed."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise.coefficients import COMPONENTS
from bandwise.errors import TableError
from bandwise.measures import LEARNED, ORIGINAL
from bandwise.report.facts import Facts, facts_of
from bandwise.report.fields import Fields, fields_of, only_experiment
from bandwise.tables import BLOCK, TableSet

SPLITS = ("validation", "test")
PROTOCOLS = ("frozen", "retrained")

_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One setting of one codec on one split, with one network.

    ``size_bytes`` counts whole files and is None for originals, as are the other sizes where they
    were not measured. ``divergence`` is the mean KL(original || compressed) in nats an image.
    ``image_bytes`` and ``image_correct`` hold one entry an image, where they were kept; ``row`` is
    the row itself.
    """

    codec: str
    family: str
    label: str
    setting: Mapping[str, Any]
    split: str
    protocol: str
    network: str
    seed: int
    images: int
    pixels: int
    size_bytes: int | None
    payload_bytes: int | None
    estimated_payload_bytes: int | None
    accuracy: float
    divergence: float | None
    image_bytes: Floats | None
    image_correct: Floats | None
    row: Mapping[str, Any]

    @property
    def mean_bytes(self) -> float:
        """Bytes an image; not a number for originals."""
        return float("nan") if self.size_bytes is None else self.size_bytes / self.images

    @property
    def bits_per_pixel(self) -> float:
        """Bits per source pixel; not a number for originals."""
        return 8 * self.mean_bytes * self.images / self.pixels


@dataclass(frozen=True, kw_only=True)
class LearnedTables:
    """Tables that were learned for ``network``; ``importance`` is (8, 8) by component."""

    family: str
    label: str
    network: str
    tables: TableSet
    subsampling: str
    importance: Mapping[str, Floats] | None


@dataclass(frozen=True, kw_only=True)
class Example:
    """A file of one image; ``data`` are its bytes, ``setting_label`` says how it was written."""

    index: int
    class_name: str
    codec: str
    family: str
    setting_label: str
    size_bytes: int
    correct: bool
    data: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Learning:
    """What learning tables took."""

    family: str
    network: str
    seconds: float
    images: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RateRecords:
    """Everything that a rate-accuracy results file says."""

    facts: Facts
    points: tuple[Point, ...]
    profiles: tuple[LearnedTables, ...]
    examples: tuple[Example, ...]
    learning: tuple[Learning, ...]

    def untested(self) -> Counter[tuple[str, str]]:
        """Settings that are measured on validation alone, by network and protocol."""
        keys = [
            (p.network, p.protocol, p.seed, p.codec, p.family, p.label, p.split)
            for p in self.points
        ]
        tested = {key[:-1] for key in keys if key[-1] == "test"}
        return Counter(key[:2] for key in keys if key[-1] != "test" and key[:-1] not in tested)


def parse_rate_records(rows: Sequence[Mapping[str, Any]]) -> RateRecords:
    """Check rows and give them types; rows of other kinds are left alone.

    Raises
    ------
    ResultsError
        If there is not exactly one experiment, a field is missing or of another kind, or a point
        is there twice. The message names the line and the field.
    """
    fields = fields_of(rows)
    points: dict[tuple[Any, ...], Point] = {}
    for row in fields:
        if row.record == "point":
            point = _point(row)
            key = (
                *(point.codec, point.family, point.label),
                *(point.split, point.protocol, point.network, point.seed),
            )
            if key in points:
                raise row.error("label", f"{' / '.join(map(str, key))} is there twice")
            points[key] = point
    return RateRecords(
        facts=facts_of(only_experiment(fields)),
        points=tuple(points.values()),
        profiles=tuple(_profile(row) for row in fields if row.record == "profile"),
        examples=tuple(_example(row) for row in fields if row.record == "example"),
        learning=tuple(_learning(row) for row in fields if row.record == "learning"),
    )


def main_network(records: RateRecords) -> str:
    """Network that most tables were learned for; without tables, the one with most points.

    Empty where there is neither.
    """
    learned = Counter(profile.network for profile in records.profiles)
    learned = learned or Counter(
        point.network for point in records.points if point.codec == LEARNED
    )
    counts = learned or Counter(point.network for point in records.points)
    return next((name for name, _ in counts.most_common(1)), "")


def _point(row: Fields) -> Point:
    codec, images, pixels = row.text("codec"), row.integer("images"), row.integer("pixels")
    for name, value in (("images", images), ("pixels", pixels)):
        if value < 1:
            raise row.error(name, f"expected 1 or more, got {value}")
    size_bytes = _optional_count(row, "bytes")
    if size_bytes is None and codec != ORIGINAL:
        raise row.error("bytes", f"null, but only {ORIGINAL!r} may lack a size")
    return Point(
        codec=codec,
        family=row.text("family"),
        label=row.text("label"),
        setting=row.mapping("setting"),
        split=_one_of(row, "split", SPLITS),
        protocol=_one_of(row, "protocol", PROTOCOLS),
        network=row.text("network"),
        seed=row.integer("seed"),
        images=images,
        pixels=pixels,
        size_bytes=size_bytes,
        payload_bytes=_optional_count(row, "payload_bytes"),
        estimated_payload_bytes=_optional_count(row, "estimated_payload_bytes"),
        accuracy=row.fraction("accuracy"),
        divergence=row.number("divergence") if row.has("divergence") else None,
        image_bytes=np.array(row.numbers("image_bytes", images))
        if row.has("image_bytes")
        else None,
        image_correct=_decisions(row, images) if row.has("image_correct") else None,
        row=row.row,
    )


def _optional_count(row: Fields, field: str) -> int | None:
    if not row.has(field):
        return None
    value = round(row.number(field))
    if value < 1:
        raise row.error(field, f"expected 1 or more, got {value}")
    return value


def _one_of(row: Fields, field: str, known: Sequence[str]) -> str:
    value = row.text(field)
    if value not in known:
        raise row.error(field, f"expected one of {', '.join(known)}, got {value!r}")
    return value


def _decisions(row: Fields, images: int) -> Floats:
    text = row.text("image_correct")
    if len(text) != images or set(text) - {"0", "1"}:
        raise row.error("image_correct", f"expected {images} characters 0 or 1, got {len(text)}")
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.float64) - ord("0")


def _profile(row: Fields) -> LearnedTables:
    try:
        tables = TableSet.from_json(row.value("tables"))
    except TableError as error:
        raise row.error("tables", str(error)) from error
    importance = row.child("importance") if row.has("importance") else None
    return LearnedTables(
        family=row.text("family"),
        label=row.text("label"),
        network=row.text("network"),
        tables=tables,
        subsampling=row.text("subsampling"),
        importance=None
        if importance is None
        else {name: _plane(importance, name) for name in COMPONENTS[3] if importance.has(name)},
    )


def _plane(row: Fields, name: str) -> Floats:
    try:
        plane = np.asarray(row.value(name), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise row.error(name, "expected 8 rows of 8 numbers") from error
    if plane.shape != (BLOCK, BLOCK) or not np.isfinite(plane).all():
        raise row.error(name, f"expected 8 rows of 8 finite numbers, got shape {plane.shape}")
    return plane


def _example(row: Fields) -> Example:
    field = "jpeg_base64" if row.has("jpeg_base64") else "png_base64"
    try:
        data = base64.b64decode(row.text(field), validate=True)
    except ValueError as error:
        raise row.error(field, f"not base64 ({error})") from error
    media_type = next((kind for mark, kind in _SIGNATURES.items() if data.startswith(mark)), None)
    if media_type is None:
        raise row.error(field, f"expected a JPEG or PNG file, got {data[:4]!r}...")
    return Example(
        index=row.integer("index"),
        class_name=row.text("label"),
        codec=row.text("codec"),
        family=row.text("family"),
        setting_label=row.text("setting_label"),
        size_bytes=row.integer("size_bytes"),
        correct=bool(row.value("correct")),
        data=data,
        media_type=media_type,
    )


def _learning(row: Fields) -> Learning:
    return Learning(
        family=row.text("family"),
        network=row.text("network"),
        seconds=row.number("seconds"),
        images=row.integer("images"),
        settings=row.mapping("settings"),
    )
