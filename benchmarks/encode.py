"""How fast data sets are encoded, beside Pillow with the same tables and options.

    python benchmarks/encode.py [--images 2000] [--rounds 3] [--ray] [--data FOLDER]

Photographs of 224×224 and 1024×768, JPEG files at quality 92 cut from the photographs in FOLDER, or
from the two that scikit-learn ships. Both sides read a file, decode it, and write a baseline file
with the same two tables, chroma at 4:2:0 and optimised Huffman tables. Pillow writes one file an
image; bandwise writes shards, reads each file back, compares its tables and hashes it. One process
and two, in turn, after a warm-up. CPU time is that of all processes, starting them included. Ray
runs already when its turn comes, and its CPU time is not seen. Prints Markdown.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from bandwise.dataset import encode_shards
from bandwise.encoding import ProfileEncoder
from bandwise.executors import Executor, InProcess, Processes, Ray
from bandwise.frequency.tables import TableSet
from bandwise.images import image_suffixes
from bandwise.profile import Profile
from bandwise.system import machine

SIZES = {(224, 224): 1, (1024, 768): 8}
"""Sizes in pixels, and by how much fewer images there are of each."""

TABLES = TableSet.ijg(60)
ENCODER = ProfileEncoder(Profile(name="benchmark", tables=TABLES), "baseline")


def photographs(folder: Path | None) -> Iterator[Image.Image]:
    if folder is None:
        # Slow to import, and every worker process imports this file.
        from sklearn.datasets import load_sample_images

        yield from map(Image.fromarray, load_sample_images().images)
        return
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in image_suffixes())
    for path in sorted(paths)[:64]:
        with Image.open(path) as image:
            yield image.convert("RGB")


def write_source(folder: Path, data: Path | None, size: tuple[int, int], count: int) -> None:
    """`count` crops of photographs, each at another place."""
    random = np.random.default_rng(0)
    images = list(photographs(data))
    for number, image in enumerate(islice(cycle(images), count)):
        scale = random.uniform(1.02, 1.4) * max(size[0] / image.width, size[1] / image.height)
        width, height = (round(scale * side) for side in image.size)
        left = int(random.integers(0, width - size[0] + 1))
        top = int(random.integers(0, height - size[1] + 1))
        crop = image.resize((width, height)).crop((left, top, left + size[0], top + size[1]))
        path = folder / f"{number % 100:02d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        crop.save(path, quality=92)


def encode_with_pillow(path: Path, *, out: Path) -> int:
    assert TABLES.chroma is not None
    tables = [list(table.values) for table in (TABLES.luma, TABLES.chroma)]
    with Image.open(path) as image:
        file = io.BytesIO()
        image.convert("RGB").save(file, "JPEG", qtables=tables, subsampling=2, optimize=True)
    return (out / path.name).write_bytes(file.getvalue())


def pillow(source: Path, out: Path, *, processes: int) -> None:
    out.mkdir()
    work = partial(encode_with_pillow, out=out)
    paths = sorted(source.rglob("*.jpg"))
    if processes == 1:
        for path in paths:
            work(path)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(work, paths, chunksize=16):
            pass


def bandwise(source: Path, out: Path, *, executor: Executor, shard_images: int) -> None:
    encode_shards(str(source), out, ENCODER, executor=executor, shard_images=shard_images)


def cpu_seconds() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(run: Callable[[Path, Path], None], source: Path, folder: Path) -> tuple[float, float]:
    """Seconds of a run and of processors."""
    out = folder / "out"
    wall, cpu = time.perf_counter(), cpu_seconds()
    run(source, out)
    seconds = time.perf_counter() - wall, cpu_seconds() - cpu
    shutil.rmtree(out)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=2000, help="of 224×224, fewer of the other")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ray", action="store_true", help="measure Ray on this machine, too")
    parser.add_argument("--data", type=Path, help="folder of photographs")
    parser.add_argument("--work", type=Path, help="folder for files; a temporary one if not given")
    asked = parser.parse_args()
    if asked.ray:
        import ray

        ray.init(num_cpus=2, log_to_driver=False, logging_level="error", include_dashboard=False)
    print(f"{machine()['processor']}, {machine()['cores']} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| size | what | images/s | CPU ms an image | wall / Pillow, same processes |")
    print("| --- | --- | --- | --- | --- |")
    for (width, height), fewer in SIZES.items():
        count = asked.images // fewer
        shard = partial(bandwise, shard_images=max(count // 16, 1))
        runs: dict[str, Callable[[Path, Path], None]] = {
            "Pillow, a loop": partial(pillow, processes=1),
            "bandwise, one process": partial(shard, executor=InProcess()),
            "Pillow, two processes": partial(pillow, processes=2),
            "bandwise, two processes": partial(shard, executor=Processes(2)),
        }
        if asked.ray:
            runs["bandwise, Ray with two"] = partial(shard, executor=Ray(2))
        with tempfile.TemporaryDirectory(dir=asked.work) as name:
            folder = Path(name)
            write_source(folder / "warm", asked.data, (width, height), 40)
            write_source(folder / "in", asked.data, (width, height), count)
            for run in runs.values():
                measure(run, folder / "warm", folder)
            found: dict[str, list[tuple[float, float]]] = {what: [] for what in runs}
            for _ in range(asked.rounds):
                for what, run in runs.items():
                    found[what].append(measure(run, folder / "in", folder))
        for what, rounds in found.items():
            rate = statistics.median(count / wall for wall, _ in rounds)
            cpu = statistics.median(1000 * cpu / count for _, cpu in rounds)
            other = "Pillow, a loop" if "one" in what or "loop" in what else "Pillow, two processes"
            ratio = statistics.median(
                theirs / ours for (theirs, _), (ours, _) in zip(found[other], rounds, strict=True)
            )
            used = "" if "Ray" in what else f"{cpu:.2f}"
            print(f"| {width}×{height} | {what} | {rate:,.0f} | {used} | {ratio:.2f}× |")
        for what, one, two in (
            ("Pillow", "Pillow, a loop", "Pillow, two processes"),
            ("bandwise", "bandwise, one process", "bandwise, two processes"),
        ):
            gain = statistics.median(
                alone / both for (alone, _), (both, _) in zip(found[one], found[two], strict=True)
            )
            print(f"| {width}×{height} | {what}: two processes against one | | | {gain:.2f}× |")


if __name__ == "__main__":
    main()
