"""Tar files whose bytes depend on names and contents alone, and a reader that trusts none.

The reader knows what shards of images are made of: ordinary files, with long names as POSIX or GNU
have them (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). Nothing is ever extracted.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from bandwise.errors import CorruptDataError

BLOCK_BYTES = tarfile.BLOCKSIZE
MAX_HEADER_BYTES = 2**20
"""Of a long name; a header that says it is longer is damaged."""

_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_PASSED_OVER = (tarfile.DIRTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)
END = bytes(2 * BLOCK_BYTES)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Where a sample lies in a tar file, headers included, and the hash of those bytes."""

    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of a tar file with its contents, or the problem with it."""

    name: str
    data: bytes = b""
    problem: str | None = None


class TarWriter:
    """Writes samples into a stream, the members of each in the order of their names."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._whole = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Hash of all that has been written."""
        return self._whole.hexdigest()

    def add(self, key: str, contents: Mapping[str, bytes]) -> Extent:
        """Write the members `key`.`extension`; where they lie."""
        offset, sample = self.size, hashlib.sha256()
        for extension, data in sorted(contents.items()):
            header = tarfile.TarInfo(f"{key}.{extension}")
            header.size = len(data)
            for piece in (
                header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"),
                data,
                bytes(-len(data) % BLOCK_BYTES),
            ):
                sample.update(piece)
                self._write(piece)
        return Extent(offset=offset, size=self.size - offset, sha256=sample.hexdigest())

    def close(self) -> None:
        """Write the end of the archive; the stream stays open."""
        self._write(END)

    def _write(self, piece: bytes) -> None:
        self._stream.write(piece)
        self._whole.update(piece)
        self.size += len(piece)


def read_members(stream: BinaryIO, *, max_bytes: int) -> Iterator[Member]:
    """Files of a tar file in order, of which those over `max_bytes` are passed over with a problem.

    So are links and devices; folders are passed over without one. Raises `CorruptDataError` where
    the archive is damaged or lacks its end.
    """
    position, long_name, long_size = 0, None, None

    def read(size: int) -> bytes:
        nonlocal position
        data = stream.read(size)
        if len(data) < size:
            raise CorruptDataError(f"the archive is cut off behind byte {position + len(data)}")
        position += size
        return data

    def payload(size: int) -> bytes:
        return read(size + -size % BLOCK_BYTES)[:size]

    while True:
        start = position
        block = read(BLOCK_BYTES)
        if not any(block):
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise CorruptDataError(f"the header at byte {start} is damaged ({error})") from error
        special = header.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME)
        if header.size < 0 or (special and header.size > MAX_HEADER_BYTES):
            raise CorruptDataError(f"the header at byte {start} is damaged (size {header.size})")
        if header.type == tarfile.GNUTYPE_LONGNAME:
            long_name = payload(header.size).rstrip(b"\0").decode("utf-8", "surrogateescape")
            continue
        if header.type == tarfile.XHDTYPE:
            records = _pax_records(payload(header.size), start)
            long_name = records.get("path", long_name)
            long_size = records.get("size")
            continue
        name = header.name if long_name is None else long_name
        size = _number(long_size, start) if long_size is not None else header.size
        long_name = long_size = None
        if header.type in _FILES and size <= max_bytes:
            yield Member(name=name, data=payload(size))
            continue
        for left in range(size + -size % BLOCK_BYTES, 0, -MAX_HEADER_BYTES):
            read(min(left, MAX_HEADER_BYTES))
        if header.type in _FILES:
            yield Member(name=name, problem=f"it is larger than the limit of {max_bytes} B")
        elif header.type not in _PASSED_OVER:
            yield Member(name=name, problem="it is a link or device in the archive, no file")


def _pax_records(data: bytes, start: int) -> dict[str, str]:
    """Records "LENGTH KEY=VALUE", each with a line's end, of an extended header."""
    records, position = {}, 0
    while position < len(data):
        digits, space, _ = data[position : position + 20].partition(b" ")
        length = int(digits) if digits.isdigit() and space else 0
        record = data[position + len(digits) + 1 : position + length]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or position + length > len(data):
            raise CorruptDataError(f"the extended header at byte {start} is damaged")
        records[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
        position += length
    return records


def _number(digits: str, start: int) -> int:
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        raise CorruptDataError(f"the extended header at byte {start} has the size {digits!r}")
    return int(digits)
