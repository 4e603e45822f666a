"""Images a second of reading coefficients, beside full decodes by simplejpeg and Pillow.

    python benchmarks/read_jpeg.py FOLDER [--rounds 7] [--quality 75] [--cpu]

FOLDER holds photographs in any format and at any depth; they are scaled down to each measured size,
or set side by side where they are smaller, so the content is photograph-like at every size.
`read_into` fills arrays, and simplejpeg buffers, that were made before. Contenders take turns
within a round, after a warm-up; what is compared are ratios within a round: median (min..max). With
--cpu rates count processor time instead of elapsed time, for a machine that others use too; then
threads cannot be compared.
"""

from __future__ import annotations

import argparse
import io
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from bandwise import jpeg
from bandwise.frequency.tables import TableSet

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
CASES = (  # name, width, height, mode, files
    ("32x32 grey", 32, 32, "L", 4096),
    ("224x224 4:2:0", 224, 224, "RGB", 384),
    ("1024x768 4:2:0", 1024, 768, "RGB", 32),
)

Item = TypeVar("Item")
Run = Callable[[int], object]
"""Reads all files with so many threads."""


def sources(folder: Path, size: tuple[int, int], mode: str, count: int) -> list[Image.Image]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    chosen = paths[:: max(len(paths) // count, 1)][:count]
    photographs = itertools.cycle([Image.open(path).convert(mode) for path in chosen])
    return [picture(photographs, size, mode) for _ in range(count)]


def picture(photographs: Iterator[Image.Image], size: tuple[int, int], mode: str) -> Image.Image:
    """The next photograph at a size; several side by side where it is smaller, never enlarged."""
    first = next(photographs)
    if first.width >= size[0] and first.height >= size[1]:
        return first.resize(size, Image.Resampling.BICUBIC)
    whole = Image.new(mode, size)
    for top in range(0, size[1], first.height):
        for left in range(0, size[0], first.width):
            whole.paste(next(photographs), (left, top))
    return whole


def pooled(one: Callable[[Item], object], items: Sequence[Item], threads: int) -> object:
    if threads == 1:
        return [one(item) for item in items]
    size = max(len(items) // (4 * threads), 1)
    chunks = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda chunk: [one(item) for item in chunk], chunks))


def pillow_decode(data: bytes) -> object:
    return np.asarray(Image.open(io.BytesIO(data)))


def contenders(pixels: Sequence[NDArray[np.uint8]], files: Sequence[bytes]) -> dict[str, Run]:
    """Readers of these files, with the arrays that they fill."""
    space = "GRAY" if pixels[0].ndim == 2 else "RGB"
    buffers = [np.empty_like(image) for image in pixels]
    first = jpeg.read_coefficients(files[0])
    planes = [np.zeros((len(files), *plane.blocks.shape), np.int16) for plane in first.planes]

    def simplejpeg_decode(index: int) -> object:
        return simplejpeg.decode_jpeg(files[index], colorspace=space, buffer=buffers[index])

    return {
        "simplejpeg": lambda threads: pooled(simplejpeg_decode, range(len(files)), threads),
        "Pillow": lambda threads: pooled(pillow_decode, files, threads),
        "decode": lambda threads: jpeg.decode_batch(files, threads=threads),
        "read_coefficients": lambda threads: jpeg.read_coefficients_batch(files, threads=threads),
        "read_into": lambda threads: jpeg.read_into(files, planes, threads=threads),
    }


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def measure(count: int, runs: dict[str, Run], rounds: int, clock: Callable[[], float]) -> None:
    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(-1, rounds):  # round -1 warms up
        for (name, run), threads in itertools.product(runs.items(), (1, 2)):
            start = clock()
            run(threads)
            if number >= 0:
                rate = count / (clock() - start)
                rates.setdefault((name, threads), []).append(rate)
    for (name, threads), values in rates.items():
        ratios = [
            spread([a / b for a, b in zip(values, rates[other], strict=True)])
            for other in (("simplejpeg", threads), ("Pillow", threads), (name, 1))
        ]
        print(f"  {name:18} {threads} {statistics.median(values):9,.0f}   " + "   ".join(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quality", type=int, default=75)
    parser.add_argument("--cpu", action="store_true", help="processor time instead of elapsed")
    options = parser.parse_args()
    print(
        f"{jpeg.library_version()}, simplejpeg {simplejpeg.__version__}, quality {options.quality}"
    )
    tables = TableSet.ijg(options.quality)
    clock = time.process_time if options.cpu else time.perf_counter
    for name, width, height, mode, count in CASES:
        images = sources(options.folder, (width, height), mode, count)
        pixels = [np.asarray(image) for image in images]
        for progressive in (False, True):
            files = [
                jpeg.encode(each, tables, progressive=progressive, optimise=progressive)
                for each in pixels
            ]
            kind = "progressive" if progressive else "baseline"
            print(f"\n{name}, {kind}, {np.mean([len(data) for data in files]):,.0f} bytes a file")
            print("  contender  threads  images/s   / simplejpeg   / Pillow   / own one thread")
            measure(count, contenders(pixels, files), options.rounds, clock)


if __name__ == "__main__":
    main()
