"""Samples of Parquet files with a column of images, as Hugging Face's data sets have them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bandwise.dataset.sources.locations import (
    MAX_FILE_BYTES,
    check_unchanged,
    described,
    is_url,
    opened,
)
from bandwise.dataset.sources.parquet_pages import column_chunks, page_sizes
from bandwise.dataset.sources.samples import Part, Sample
from bandwise.errors import BandwiseError, ConfigurationError, CorruptDataError

ROWS_AT_ONCE = 16
MAX_PAGE_BYTES = 2**29
"""Of one page of each column together, unpacked; memory is about three times that."""

LARGE_PAGE_BYTES = MAX_PAGE_BYTES // ROWS_AT_ONCE
LABELS = ("label", "cls")
USUAL_NAMES = ("image", "img")


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Parquet files, whose row groups go whole into shards of at least `shard_images` if they can.

    The column of images is binary, or a struct with the field "bytes"; None: the only one there
    is, or the one that is called "image" or "img". Other columns travel as JSON, and a whole
    number in a column "label" or "cls" as the label, too.
    """

    above: Path
    names: tuple[str, ...]
    shard_images: int
    column: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The kind of source."""
        return {"kind": "parquet", "shard_images": self.shard_images, "column": self.column}

    def parts(self) -> Iterator[Part]:
        """Row groups in parts; `CorruptDataError` for a file that is no Parquet."""
        for name in self.names:
            file = described(name, above=self.above)
            first = images = 0
            with _table(name, above=self.above) as table:
                self._column(table, name)
                counts = _row_counts(table)
            for group, rows in enumerate(counts):
                images += rows
                if images >= self.shard_images or group == len(counts) - 1:
                    yield Part(files=(file,), images=images, row_groups=(first, group + 1))
                    first, images = group + 1, 0

    def read(self, part: Part) -> Iterator[Sample]:
        """One sample a row; where a file is damaged, a problem ends it."""
        (file,), row_groups = part.files, part.row_groups
        assert row_groups is not None
        check_unchanged(file, above=self.above)
        number = 0
        try:
            with _table(file.location, above=self.above) as table:
                column = self._column(table, file.location)
                number = sum(_row_counts(table)[: row_groups[0]])
                for group in range(*row_groups):
                    largest = self._largest_pages(file.location, group)
                    if largest > MAX_PAGE_BYTES:
                        raise CorruptDataError(
                            f"{file.location} has pages of {largest} B, more than the limit of "
                            f"{MAX_PAGE_BYTES}"
                        )
                    at_once = ROWS_AT_ONCE if largest <= LARGE_PAGE_BYTES else 1
                    for row in _rows(table, group, at_once):
                        yield _sample(file.location, number, row, column)
                        number += 1
        except CorruptDataError as error:
            reason = f"{error}; behind row {number} nothing is read"
            yield Sample(name=file.location, key="", problem=reason)
        check_unchanged(file, above=self.above)

    def _largest_pages(self, name: str, group: int) -> int:
        """Bytes of the largest page of each column, added up; not asked of a URL, as it is slow."""
        if is_url(name):
            return 0
        with opened(name, above=self.above) as stream:
            chunks = column_chunks(stream)[group]
            return sum(max(page_sizes(stream, *chunk), default=0) for chunk in chunks)

    def _column(self, table: Any, name: str) -> str:
        found = [field.name for field in table.schema_arrow if _holds_images(field.type)]
        if self.column is not None:
            usual = [self.column]
        else:
            usual = found if len(found) == 1 else [each for each in USUAL_NAMES if each in found]
        if not usual or usual[0] not in found:
            raise ConfigurationError(
                f"the columns of {name} that can hold images are {', '.join(found) or 'none'}, "
                f"asked for was {self.column or 'the one that does'}; name one of them"
            )
        return usual[0]


@contextmanager
def _table(name: str, *, above: Path) -> Iterator[Any]:
    """Open a Parquet file; whatever pyarrow raises until the end becomes a `CorruptDataError`."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ConfigurationError(
            f"{name}: reading Parquet needs pyarrow; install bandwise[parquet]"
        ) from error
    with opened(name, above=above) as stream:
        try:
            yield ParquetFile(stream)
        except (BandwiseError, MemoryError):
            raise
        except Exception as error:  # of a damaged file nearly any type
            raise CorruptDataError(f"{name} is no Parquet file, or damaged ({error})") from error


def _row_counts(table: Any) -> list[int]:
    return [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]


def _holds_images(kind: Any) -> bool:
    import pyarrow.types as of

    if of.is_struct(kind):
        index = kind.get_field_index("bytes")
        kind = kind.field(index).type if index >= 0 else kind
    return bool(of.is_binary(kind) or of.is_large_binary(kind))


def _rows(table: Any, group: int, at_once: int) -> Iterator[dict[str, Any]]:
    for batch in table.iter_batches(at_once, row_groups=[group], use_threads=False):
        yield from batch.to_pylist()


def _sample(table: str, number: int, row: dict[str, Any], column: str) -> Sample:
    value = row.pop(column)
    if isinstance(value, Mapping):
        row |= {f"{column}_path": value["path"]} if value.get("path") is not None else {}
        value = value["bytes"]
    name, key = f"{table}/{number}", f"{PurePosixPath(table).stem.replace('.', '_')}/{number:08d}"
    if value is None:
        return Sample(name=name, key=key, problem="the row holds no image's bytes")
    if len(value) > MAX_FILE_BYTES:
        reason = f"the image is larger than the limit of {MAX_FILE_BYTES} B"
        return Sample(name=name, key=key, problem=reason)
    others = {}
    if row:
        others["json"] = json.dumps(_plain(row), sort_keys=True, ensure_ascii=False).encode()
    labels = [row[each] for each in LABELS if type(row.get(each)) is int]
    if labels:
        others["cls"] = str(labels[0]).encode()
    return Sample(name=name, key=key, images={"jpg": value}, others=others)


def _plain(value: Any) -> Any:
    """What JSON can hold: bytes as Base64, and as text what it has no name for, as infinity."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else str(value)
