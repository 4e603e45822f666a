"""Segments of a JPEG file: what is header, what is entropy-coded, and the metadata in it.

Only markers and lengths are looked at (ITU-T T.81, B.1.1); nothing is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bandwise.errors import JpegError

_SOI, _EOI, _SOS, _APP1, _APP2 = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2
_STANDALONE = frozenset({0x01, _SOI, *range(0xD0, 0xD8)})
# A 0xFF that is neither stuffed (00), a restart marker (D0..D7) nor a fill byte (FF).
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

EXIF_PREFIX = b"Exif\0\0"
ICC_PREFIX = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker and its payload `data[start:stop]`; a scan's entropy-coded data is `stop..end`."""

    marker: int
    start: int
    stop: int
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """Segments of a file in order, up to the end-of-image marker; raises `JpegError`."""
    if data[:2] != b"\xff\xd8":
        raise JpegError("not a JPEG: it does not start with the bytes FF D8")
    position = 2
    while True:
        if data[position : position + 1] != b"\xff":
            raise JpegError(f"damaged JPEG: no marker at byte {position} of {len(data)}")
        while data[position : position + 1] == b"\xff":
            position += 1
        if position >= len(data):
            raise JpegError(f"truncated JPEG: {len(data)} bytes and no end-of-image marker")
        marker = data[position]
        position += 1
        if marker == _EOI:
            return
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        stop = position + length
        if length < 2 or stop > len(data):
            raise JpegError(f"damaged JPEG: segment FF {marker:02X} at byte {position} is cut off")
        end = stop
        if marker == _SOS:
            found = _END_OF_SCAN.search(data, stop)
            if found is None:
                raise JpegError(f"truncated JPEG: {len(data)} bytes and no end-of-image marker")
            end = found.start()
        yield Segment(marker, position + 2, stop, end)
        position = end


def payload_bytes(data: bytes) -> int:
    """Bytes of entropy-coded data in all scans of a file, without headers and tables.

    Byte stuffing and restart markers count. Raises `JpegError` for a truncated file.
    """
    return sum(segment.end - segment.stop for segment in segments(data))


def metadata(data: bytes) -> tuple[bytes | None, bytes | None]:
    """ICC profile and EXIF block of a file's header, each None where absent.

    The profile is put together from its APP2 chunks (ICC.1:2022, Annex B.4); the EXIF block has its
    six-byte prefix. Raises `JpegError` where a chunk of the profile is missing or doubled.
    """
    exif = None
    chunks: dict[int, bytes] = {}
    counts = set()
    for segment in segments(data):
        if segment.marker == _SOS:
            break
        payload = data[segment.start : segment.stop]
        if segment.marker == _APP1 and payload.startswith(EXIF_PREFIX) and exif is None:
            exif = payload
        elif segment.marker == _APP2 and payload.startswith(ICC_PREFIX) and len(payload) >= 14:
            number, count = payload[12], payload[13]
            if number in chunks:
                raise JpegError(f"damaged JPEG: chunk {number} of the ICC profile is there twice")
            chunks[number] = payload[14:]
            counts.add(count)
    if chunks and (counts != {len(chunks)} or sorted(chunks) != list(range(1, len(chunks) + 1))):
        raise JpegError(
            f"damaged JPEG: the ICC profile has chunks {sorted(chunks)} of {sorted(counts)}"
        )
    icc = b"".join(chunks[number] for number in sorted(chunks)) or None
    return icc, exif
