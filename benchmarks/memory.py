"""Peak memory of a run against the number of images.

    python benchmarks/memory.py [--images 1000 10000 100000] [--workers 2]

The images are links to a few small files, a thousand a folder. Each number is a run of its own; the
peak is that of the driver and of the largest worker, of all memory that a process had at once.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bandwise.dataset import encode_shards
from bandwise.encoding import ProfileEncoder
from bandwise.executors import executor_of
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile

FILES = 50
A_FOLDER = 1000


def write_source(folder: Path, count: int) -> None:
    noise = np.random.default_rng(0)
    files = [folder / f"files/{number}.png" for number in range(FILES)]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    for number in range(count):
        path = folder / f"in/{number // A_FOLDER:06d}/{number:09d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(files[number % FILES], path)


def run(source: Path, out: Path, workers: int) -> None:
    encoder = ProfileEncoder(Profile(name="memory", tables=TableSet.ijg(50)))
    encode_shards(str(source), out, encoder, executor=executor_of("local", workers))
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(*(each.ru_maxrss for each in used))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--run", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        source, out = asked.run
        run(source, out, asked.workers)
        return
    print("| images | driver, MiB | largest worker, MiB |")
    print("| --- | --- | --- |")
    for count in asked.images:
        with tempfile.TemporaryDirectory() as name:
            write_source(Path(name), count)
            command = [sys.executable, __file__, "--workers", str(asked.workers)]
            paths = [Path(name) / "in", Path(name) / "out"]
            ran = subprocess.run([*command, "--run", *paths], stdout=subprocess.PIPE, check=True)
        driver, worker = (int(kib) / 1024 for kib in ran.stdout.split())
        print(f"| {count:,} | {driver:.0f} | {worker:.0f} |", flush=True)


if __name__ == "__main__":
    main()
