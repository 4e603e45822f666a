"""Images a second of reading coefficients, beside full decodes by simplejpeg and Pillow.

    python benchmarks/read_jpeg.py FOLDER [--rounds 7] [--quality 75] [--cpu]

FOLDER holds photographs in any format and at any depth; they are resized to each measured size, so
the content is photograph-like at every size. Contenders take turns within a round, after a warm-up;
what is compared are ratios within a round: median (min..max). With --cpu rates count processor time
instead of elapsed time, for a machine that others use too; then threads cannot be compared.
"""

from __future__ import annotations

import argparse
import io
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

from bandwise import jpeg
from bandwise.tables import TableSet

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
CASES = (  # name, width, height, mode, files
    ("32x32 grey", 32, 32, "L", 4096),
    ("224x224 4:2:0", 224, 224, "RGB", 384),
    ("1024x768 4:2:0", 1024, 768, "RGB", 32),
)

Run = Callable[[Sequence[bytes], int], object]


def sources(folder: Path, size: tuple[int, int], mode: str, count: int) -> list[Image.Image]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    chosen = paths[:: max(len(paths) // count, 1)][:count]
    images = [
        Image.open(path).convert(mode).resize(size, Image.Resampling.BICUBIC) for path in chosen
    ]
    return list(itertools.islice(itertools.cycle(images), count))


def pooled(one: Callable[[bytes], object]) -> Run:
    def run(files: Sequence[bytes], threads: int) -> object:
        if threads == 1:
            return [one(data) for data in files]
        size = max(len(files) // (4 * threads), 1)
        chunks = [files[start : start + size] for start in range(0, len(files), size)]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda chunk: [one(data) for data in chunk], chunks))

    return run


def read_into(files: Sequence[bytes], threads: int) -> object:
    first = jpeg.read_coefficients(files[0])
    planes = [np.empty((len(files), *p.blocks.shape), np.int16) for p in first.planes]
    return planes, jpeg.read_into(files, planes, threads=threads)


def pillow_decode(data: bytes) -> object:
    return np.asarray(Image.open(io.BytesIO(data)))


def simplejpeg_decode(data: bytes) -> object:
    return simplejpeg.decode_jpeg(data)


def simplejpeg_decode_grey(data: bytes) -> object:
    return simplejpeg.decode_jpeg(data, colorspace="GRAY")


def contenders(mode: str) -> dict[str, Run]:
    return {
        "simplejpeg": pooled(simplejpeg_decode_grey if mode == "L" else simplejpeg_decode),
        "Pillow": pooled(pillow_decode),
        "decode": lambda files, threads: jpeg.decode_batch(files, threads=threads),
        "read_coefficients": lambda f, threads: jpeg.read_coefficients_batch(f, threads=threads),
        "read_into": read_into,
    }


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def measure(
    files: Sequence[bytes], runs: dict[str, Run], rounds: int, clock: Callable[[], float]
) -> None:
    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(-1, rounds):  # round -1 warms up
        for (name, run), threads in itertools.product(runs.items(), (1, 2)):
            start = clock()
            run(files, threads)
            if number >= 0:
                rate = len(files) / (clock() - start)
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
            files = jpeg.encode_batch(pixels, tables, progressive=progressive, optimise=progressive)
            kind = "progressive" if progressive else "baseline"
            print(f"\n{name}, {kind}, {np.mean([len(data) for data in files]):,.0f} bytes a file")
            print("  contender  threads  images/s   / simplejpeg   / Pillow   / own one thread")
            measure(files, contenders(mode), options.rounds, clock)


if __name__ == "__main__":
    main()
