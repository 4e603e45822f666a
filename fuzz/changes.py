"""Changes of files that keep what would have a parser look no further: sums, lengths, syntax."""

from __future__ import annotations

import copy
import json
import random
import struct
import tarfile
import zlib
from collections.abc import Callable
from typing import Any

Change = Callable[[bytes, random.Random], bytes]

PNG_START = b"\x89PNG\r\n\x1a\n"

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, 10**400, 0.5, 1e308, -1e308),
    *("", "a", "\0", "\ud800", "\x85", "../../a", "memory://a", "shards", "tree", "4:4:4", "run"),
    *([], {}, [[]], [0], [None], {"a": 0}, [[1] * 8] * 8, [0, 1], ["a", 1, 2, 3]),
)


def some_bytes(data: bytes, random: random.Random) -> bytes:
    """Overwrite, flip, insert, delete, repeat or cut bytes at a few places."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        place = random.randrange(len(changed) + 1)
        length = random.choice((1, 1, 2, 4, 8, 32))
        match random.randrange(8):
            case 0:
                changed[place : place + 1] = bytes([random.randrange(256)])
            case 1 if place < len(changed):
                changed[place] ^= 1 << random.randrange(8)
            case 2:
                del changed[place : place + length]
            case 3:
                changed[place:place] = random.randbytes(length)
            case 4:
                source = random.randrange(len(changed) + 1)
                changed[place:place] = changed[source : source + 16 * length]
            case 5:
                width = random.choice("BHIQ")
                number = random.choice(_NUMBERS) % 256 ** struct.calcsize(width)
                packed = struct.pack(random.choice("<>") + width, number)
                changed[place : place + len(packed)] = packed
            case 6:
                changed[place : place + length] = bytes(length)
            case 7 if random.randrange(4) == 0:
                del changed[place:]
    return bytes(changed)


def json_values(data: bytes, random: random.Random) -> bytes:
    """Put other values into a line of JSON, remove or repeat entries, or nest them deeply."""
    lines = data.splitlines(keepends=True)
    number = random.randrange(len(lines)) if lines else 0
    try:
        value = [json.loads(lines[number])]
    except (ValueError, IndexError, RecursionError):
        return some_bytes(data, random)
    for _ in range(random.choice((1, 1, 2, 3))):
        _change_value(value, random)
    text = json.dumps(value[0])
    if random.randrange(50) == 0:
        text = text.replace("0", "[" * 100_000 + "]" * 100_000, 1)
    lines[number] = text.encode() + b"\n"
    return b"".join(lines)


def _change_value(value: Any, random: random.Random) -> None:
    """Change something below a list or an object, in place."""
    while True:
        keys = list(range(len(value))) if isinstance(value, list) else list(value)
        key = random.choice(keys)
        below = value[key]
        if not isinstance(below, list | dict) or not below or random.randrange(6) == 0:
            break
        value = below
    match random.randrange(6):
        case 0 if isinstance(value, dict):
            value[random.choice(("a", "", "size_bytes", "chroma"))] = value.pop(key)
        case 1 if len(value) > 1:
            del value[key]
        case 2 if isinstance(value, list):
            value.insert(key, below)
        case 3 if isinstance(below, int | float) and not isinstance(below, bool):
            value[key] = random.choice((below + 1, below - 1, -below, -below, str(below)))
        case _:
            value[key] = copy.deepcopy(random.choice(_VALUES))


def behind_header(data: bytes, random: random.Random) -> bytes:
    """Change the JSON at the beginning of a safetensors file, or any bytes of it."""
    length = int.from_bytes(data[:8], "little")
    if not 0 < length <= len(data) - 8 or random.randrange(3) == 0:
        return some_bytes(data, random)
    header = data[8 : 8 + length]
    try:
        entries = json.loads(header)
        told = json.loads(entries["__metadata__"]["bandwise"])
    except (ValueError, KeyError, TypeError, RecursionError):
        told = None
    if told is None or random.randrange(2):
        header = json_values(header, random)
    else:
        text = json_values(json.dumps(told).encode(), random).decode("utf-8", "replace")
        entries["__metadata__"]["bandwise"] = text
        header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def image_bytes(data: bytes, random: random.Random) -> bytes:
    """Change bytes; of a PNG, put the sums right again."""
    changed = some_bytes(data, random)
    return _with_png_sums(changed) if changed.startswith(PNG_START) else changed


def _with_png_sums(data: bytes) -> bytes:
    repaired, position = bytearray(data), len(PNG_START)
    while position + 12 <= len(repaired):
        end = position + 8 + int.from_bytes(repaired[position : position + 4], "big")
        if end + 4 > len(repaired):
            break
        repaired[end : end + 4] = struct.pack(">I", zlib.crc32(repaired[position + 4 : end]))
        position = end + 4
    return bytes(repaired)


def tar_bytes(data: bytes, random: random.Random) -> bytes:
    """Change bytes of a tar file, mostly of its headers, and put their sums right again."""
    block = tarfile.BLOCKSIZE
    headers = [at for at in range(0, len(data), block) if data[at + 257 : at + 262] == b"ustar"]
    if not headers or random.randrange(4) == 0:
        return some_bytes(data, random)
    changed = bytearray(data)
    start = random.choice(headers)
    field, length = random.choice(((0, 100), (124, 12), (124, 12), (156, 1), (257, 8), (345, 155)))
    part = some_bytes(bytes(changed[start + field : start + field + length]), random)
    changed[start + field : start + field + length] = part[:length].ljust(length, b"\0")
    if random.randrange(3) == 0:
        changed[start + field : start + field] = changed[start : start + block]
    for at in headers:
        header = changed[at : at + block]
        header[148:156] = b" " * 8
        changed[at + 148 : at + 156] = b"%06o\0 " % sum(header)
    return bytes(changed)
