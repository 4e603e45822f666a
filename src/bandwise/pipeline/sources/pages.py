"""How large the pages of a Parquet file are when unpacked, by their headers alone.

Apache Parquet, "Data Pages", and Apache Thrift, "Thrift Compact protocol encoding". Thousands of
bytes can be packed into one, and whoever reads a page has all of it in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_UNPACKED, _PACKED = 2, 3
"""Fields of a page's header."""

_HEADER_MAX = 2**16
_DEPTH_MAX = 4
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 12


def page_sizes(stream: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Bytes of each page, unpacked, in the `size` bytes of a column from `start`.

    Raises `ValueError` where a header is damaged.
    """
    position, end = start, start + size
    while position < end:
        stream.seek(position)
        header = _Header(stream.read(min(_HEADER_MAX, end - position)))
        fields = header.structure()
        unpacked, packed = fields.get(_UNPACKED, -1), fields.get(_PACKED, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError(f"the page at byte {position} has no size")
        yield unpacked
        position += header.position + packed


class _Header:
    """Numbers at the top of a structure; what lies deeper is passed over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def structure(self, depth: int = 0) -> dict[int, int]:
        if depth > _DEPTH_MAX:
            raise ValueError("the header of a page is nested too deeply")
        numbers: dict[int, int] = {}
        field = 0
        while head := self._byte():
            step, kind = divmod(head, 16)
            field = field + step if step else self._number()
            if kind in (_I16, _I32, _I64):
                numbers[field] = self._number()
            elif kind == _STRUCT:
                self.structure(depth + 1)
            elif kind == _BINARY:
                length = self._unsigned()
                self.position += length
            elif kind in (_BYTE, _DOUBLE):
                self.position += 1 if kind == _BYTE else 8
            elif kind not in (_TRUE, _FALSE):
                raise ValueError(f"the header of a page has a field of kind {kind}")
        return numbers

    def _byte(self) -> int:
        if self.position >= len(self._data):
            raise ValueError("the header of a page is cut off")
        self.position += 1
        return self._data[self.position - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("the header of a page has a number of more than 64 bits")

    def _number(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
