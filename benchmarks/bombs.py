"""What files that are made to do harm cost a run: memory, time, and what becomes of them.

    python benchmarks/bombs.py [--only NAME ...] [--members 1000000] [--work FOLDER]

Each is encoded by `bandwise encode --shards` in two processes, beside an image that is well, with a
quarter of an hour at most. The peak is that of the largest process. Huge ones are valid to the last
byte, all zeros, and written as a stream. Prints Markdown; fails where a run does, where the good
image is lost, or where memory is above --limit.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile

SIDE = 30_000
SECONDS = 900
COMMAND = "if __name__ == '__main__': from bandwise.cli.main import main; main()"
Chunks = Iterator[bytes]


def small(kind: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


def png(
    width: int, height: int, *, bits: int = 8, colour: int = 2, more: Iterable[bytes] = ()
) -> Chunks:
    """A PNG of zeros; `more` are chunks behind the header."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = bytes(1 + width * channels * bits // 8)
    yield b"\x89PNG\r\n\x1a\n"
    yield chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    for data in more:
        yield chunk(data[:4], data[4:])
    stream = zlib.compressobj(1)
    for _ in range(height):
        if data := stream.compress(row):
            yield chunk(b"IDAT", data)
    yield chunk(b"IDAT", stream.flush())
    yield chunk(b"IEND", b"")


def jpeg(width: int, height: int, *, components: int = 1, scans: int = 0) -> Chunks:
    """A JPEG of zeros, whose codes are one bit long; `scans`: progressive, of so many."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, 2 + len(data)) + data

    named = range(1, components + 1)
    yield b"\xff\xd8" + segment(0xDB, bytes([0]) + bytes([1] * 64))
    frame = struct.pack(">BHHB", 8, height, width, components)
    frame += b"".join(bytes([name, 0x11, 0]) for name in named)
    yield segment(0xC2 if scans else 0xC0, frame)
    codes = bytes([1, *[0] * 15, 0])
    yield segment(0xC4, bytes([0x00]) + codes) + segment(0xC4, bytes([0x10]) + codes)
    blocks = -(-width // 8) * -(-height // 8)

    def scan(names: range, spectrum: bytes, bits: int) -> Chunks:
        yield segment(0xDA, bytes([len(names)]) + b"".join(bytes([n, 0]) for n in names) + spectrum)
        yield from pieces(bits // 8)
        if bits % 8:
            yield bytes([0xFF >> bits % 8])

    if not scans:
        yield from scan(named, bytes([0, 63, 0]), 2 * components * blocks)
    else:
        yield from scan(named, bytes([0, 0, 0]), components * blocks)
        for number in range(scans):
            name = 1 + number % components
            yield from scan(range(name, name + 1), bytes([1, 63, 0]), blocks)
    yield b"\xff\xd9"


def pieces(size: int) -> Chunks:
    for start in range(0, size, 2**20):
        yield bytes(min(2**20, size - start))


def packed(name: bytes, mebibytes: int) -> Chunks:
    """A chunk of a PNG that holds so much more than it is long."""
    yield name + zlib.compress(bytes(mebibytes * 2**20), 9)


def tar(members: Iterator[tuple[tarfile.TarInfo, Chunks]]) -> Chunks:
    for info, data in members:
        yield info.tobuf(tarfile.GNU_FORMAT)
        yield from data
        yield bytes(-info.size % 512)
    yield bytes(1024)


def member(
    name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, **more: object
) -> tuple[tarfile.TarInfo, Chunks]:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, iter([data])


def hostile_archive() -> Chunks:
    """Paths that lead out, names that are there twice, links, devices, a sparse file."""
    good = small()
    return tar(
        iter(
            [
                *(member(name, good) for name in ("../../up.png", "/abs.png", "a/../../b.png")),
                *(member("twice.png", good) for _ in range(2)),
                *(member(f"again{n}.png", good) for n in (1, 2, 1)),
                member("link.png", kind=tarfile.SYMTYPE, linkname="/etc/passwd"),
                member("hard.png", kind=tarfile.LNKTYPE, linkname="../x"),
                member("null.png", kind=tarfile.CHRTYPE),
                member("sparse.png", kind=tarfile.GNUTYPE_SPARSE),
                member("good.png", good),
            ]
        )
    )


def promising_archive() -> Chunks:
    """A member that is said to be of a tebibyte, and is not there."""
    info, _ = member("huge.png")
    info.size = 2**40
    members = (member(name, small()) for name in ("good.png", "then.png"))
    good = [*tar(members)][:-1]  # less the end of the archive
    return iter([*good, info.tobuf(tarfile.GNU_FORMAT), bytes(2**20)])


def crowded_archive(members: int, *, one_sample: bool) -> Chunks:
    """Empty members, each a sample, or all of one."""
    name = "a.{}" if one_sample else "{}.png"
    empty = (member(name.format(number)) for number in range(members))
    return tar(each for some in ([member("0good.png", small())], empty) for each in some)


def table(path: Path, mebibytes: int) -> None:
    """A Parquet file of one value of zeros and one image."""
    import pyarrow
    from pyarrow import parquet

    with parquet.ParquetWriter(
        path,
        pyarrow.schema([("image", pyarrow.binary())]),
        compression="zstd",
        use_dictionary=False,
    ) as writer:
        for value in (small(), bytes(mebibytes * 2**20)):
            writer.write_table(pyarrow.table({"image": pyarrow.array([value], pyarrow.binary())}))


def bombs(members: int) -> dict[str, tuple[str, Callable[[], Chunks]]]:
    """Suffix and contents by name."""
    whole = 8000
    return {
        "PNG of 30,000×30,000": (".png", lambda: png(SIDE, SIDE)),
        "PNG of 30,000×30,000, 16 bits": (".png", lambda: png(SIDE, SIDE, bits=16, colour=0)),
        "JPEG of 30,000×30,000": (".jpg", lambda: jpeg(SIDE, SIDE)),
        "JPEG of 30,000×30,000, three components": (".jpg", lambda: jpeg(SIDE, SIDE, components=3)),
        "JPEG of 30,000×30,000, CMYK": (".jpg", lambda: jpeg(SIDE, SIDE, components=4)),
        "PNG of 8,192×8,192 (allowed)": (".png", lambda: png(8192, 8192)),
        "PNG of 8,192×8,192, 16 bits, with transparency (allowed)": (
            ".png",
            lambda: png(8192, 8192, bits=16, colour=6),
        ),
        "JPEG of 8,000×8,000, three components (allowed)": (
            ".jpg",
            lambda: jpeg(whole, whole, components=3),
        ),
        "JPEG of 8,000×8,000, CMYK (allowed)": (".jpg", lambda: jpeg(whole, whole, components=4)),
        "JPEG of 8,000×8,000, 90 scans (allowed)": (
            ".jpg",
            lambda: jpeg(whole, whole, components=3, scans=89),
        ),
        "JPEG of 5,001 scans": (".jpg", lambda: jpeg(64, 64, scans=5000)),
        "JPEG of 8,000×8,000, 101 scans": (".jpg", lambda: jpeg(whole, whole, scans=100)),
        "PNG with a text of 1 GiB": (
            ".png",
            lambda: png(8, 8, more=packed(b"zTXtk\0\0", 1024)),
        ),
        "PNG with a colour profile of 1 GiB": (
            ".png",
            lambda: png(8, 8, more=packed(b"iCCPk\0\0", 1024)),
        ),
        "PNG with 64 texts of 64 MiB": (
            ".png",
            lambda: png(8, 8, more=(each for _ in range(64) for each in packed(b"zTXtk\0\0", 64))),
        ),
        "16 bits": (".png", lambda: iter([small(mode="I;16")])),
        "CMYK": (".jpg", lambda: iter([small("JPEG", "CMYK")])),
        "archive of paths, links and doubles": (".tar", hostile_archive),
        "archive that promises a tebibyte": (".tar", promising_archive),
        f"archive of {members:,} empty samples": (
            ".tar",
            lambda: crowded_archive(members, one_sample=False),
        ),
        f"archive of {members:,} empty members of a sample": (
            ".tar",
            lambda: crowded_archive(members, one_sample=True),
        ),
        "Parquet with a value of 1,900 MiB": (".parquet", lambda: iter(())),
    }


def encode(source: Path, out: Path, profile: Path) -> tuple[int, dict[str, int], int, float]:
    """Exit code, summary, peak memory in KiB of the largest process, and seconds."""
    started = time.monotonic()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", COMMAND, "encode", source, out, "--profile", profile),
            *("--shards", "--workers", "2", "--max-error-rate", "1", "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    peak = 0
    while process.poll() is None and time.monotonic() - started < SECONDS:
        peak = max(peak, *map(peak_of, [process.pid, *children(process.pid)]))
        time.sleep(0.01)
    process.kill()
    told, _ = process.communicate()
    summary = json.loads(told) if told.strip() else {}
    return process.returncode, summary, peak, time.monotonic() - started


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def peak_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM")), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", help="those whose name has one of these words in it")
    parser.add_argument("--members", type=int, default=1_000_000, help="of crowded archives")
    parser.add_argument("--limit", type=int, default=2048, help="MiB a process may take")
    parser.add_argument("--work", type=Path, help="folder for files; a temporary one if not given")
    asked = parser.parse_args()
    harmed = []
    print("| file | KiB | encoded | quarantined | peak MiB | seconds |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (suffix, contents) in bombs(asked.members).items():
        if asked.only and not any(word in name for word in asked.only):
            continue
        with tempfile.TemporaryDirectory(dir=asked.work) as temporary:
            folder = Path(temporary)
            Profile(name="bombs", tables=TableSet.ijg(50)).save(folder / "profile.json")
            source = folder / "in"
            source.mkdir()
            path = source / f"bomb{suffix}"
            if suffix == ".parquet":
                table(path, 1900)
            with path.open("ab") as stream:
                for piece in contents():
                    stream.write(piece)
            size = path.stat().st_size
            if suffix not in (".tar", ".parquet"):
                (source / "good.png").write_bytes(small())
            code, found, kib, seconds = encode(source, folder / "out", folder / "profile.json")
            strangers = {each.name for each in folder.iterdir()} - {"in", "out", "profile.json"}
        encoded, left_out = found.get("encoded", 0), found.get("skipped", 0)
        print(
            f"| {name} | {size / 1024:,.0f} | {encoded} | {left_out:,} | {kib / 1024:,.0f} | "
            f"{seconds:.1f} |",
            flush=True,
        )
        refused = "allowed" in name and left_out
        if code not in (0, 3) or not encoded or refused or strangers or kib > 1024 * asked.limit:
            harmed.append(f"{name}: exit code {code}, {strangers or 'no file elsewhere'}")
    if harmed:
        raise SystemExit("\n".join(harmed))


if __name__ == "__main__":
    main()
