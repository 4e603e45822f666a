"""How large the pages of a Parquet file are when unpacked, by what the file says of itself.

Apache Parquet, "File Format", and Apache Thrift, "Thrift Compact protocol encoding". Thousands of
bytes can be packed into one, and whoever reads a page has all of it in memory. pyarrow tells where
columns lie, too, but ends the process where what it should tell is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

_FOOTER_END = 8
_ROW_GROUPS, _COLUMNS, _COLUMN = 4, 1, 3
_PACKED_BYTES, _DATA_PAGE, _DICTIONARY_PAGE = 7, 9, 11
_PAGE_UNPACKED, _PAGE_PACKED = 2, 3

_HEADER_MAX = 2**16
_DEPTH_MAX = 8
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = (
    *range(1, 11),
    12,
)


def column_chunks(stream: BinaryIO) -> list[list[tuple[int, int]]]:
    """Of each row group and column the first byte, and how many there are.

    Raises `ValueError` or `KeyError` where the footer is damaged.
    """
    end = stream.seek(-_FOOTER_END, 2)
    size = int.from_bytes(stream.read(4), "little")
    stream.seek(max(end - size, 0))
    footer = _Compact(stream.read(size)).structure()
    return [
        [_extent(column[_COLUMN]) for column in group[_COLUMNS]] for group in footer[_ROW_GROUPS]
    ]


def page_sizes(stream: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Bytes of each page, unpacked, in the `size` bytes of a column from `start`.

    Raises `ValueError` where a header is damaged.
    """
    position = start
    while position < start + size:
        stream.seek(position)
        header = _Compact(stream.read(_HEADER_MAX))
        fields = header.structure()
        unpacked, packed = fields.get(_PAGE_UNPACKED, -1), fields.get(_PAGE_PACKED, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError(f"the page at byte {position} has no size")
        yield unpacked
        position += header.position + packed


def _extent(column: dict[int, int]) -> tuple[int, int]:
    starts = (column.get(_DICTIONARY_PAGE, 0), column[_DATA_PAGE])
    return min(start for start in starts if start > 0), column[_PACKED_BYTES]


class _Compact:
    """Structures of numbers, structures and lists by their fields' numbers; all else is None."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        if depth > _DEPTH_MAX:
            raise ValueError("it is nested too deeply")
        fields: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            step, kind = divmod(head, 16)
            field = field + step if step else self._number()
            fields[field] = None if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return self._number()
        if kind == _STRUCT:
            return self.structure(depth + 1)
        if kind in (_LIST, _SET):
            size, of = divmod(self._byte(), 16)
            count = self._unsigned() if size == 15 else size
            return [self._value(of, depth + 1) for _ in range(count)]
        if kind == _BINARY:
            length = self._unsigned()
        elif kind in (_TRUE, _FALSE, _BYTE, _DOUBLE):
            length = 8 if kind == _DOUBLE else 1
        else:
            raise ValueError(f"it has a value of kind {kind}")
        self.position += length
        if self.position > len(self._data):
            raise ValueError("it is cut off")
        return None

    def _byte(self) -> int:
        if self.position >= len(self._data):
            raise ValueError("it is cut off")
        self.position += 1
        return self._data[self.position - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("it has a number of more than 64 bits")

    def _number(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
