"""What choosing tables for each image costs, beside encoding it.

    python benchmarks/adaptive.py PROFILE FOLDER [--images 60] [--rounds 9] [--size 224]

PROFILE is of `bandwise learn --adaptive`, FOLDER holds photographs in any format and at any depth,
which are scaled to SIZE×SIZE. One thread; choosing and encoding take turns within a round, after a
warm-up. Printed are microseconds an image, median (range) over rounds, and the ratios within a
round: choosing over encoding with the profile's tables, as `bandwise encode` does it (the smallest
of its containers) and as one baseline file.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from bandwise.adaptive import AdaptiveProfile, load_profile
from numpy.typing import NDArray
from PIL import Image

from bandwise.encoding import encode_pixels
from bandwise.images import FORMATS

Pixels = NDArray[np.uint8]


def photographs(folder: Path, side: int, count: int) -> list[Pixels]:
    """Images of a folder, evenly spaced by name, side×side RGB."""
    endings = tuple(Image.registered_extensions())
    paths = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in endings]
    found = []
    for path in paths[:: max(len(paths) // count, 1)][:count]:
        with Image.open(path, formats=FORMATS) as image:
            found.append(np.asarray(image.convert("RGB").resize((side, side))))
    return found


def microseconds(work: Callable[[Pixels], object], images: Sequence[Pixels]) -> float:
    """Time an image takes."""
    started = time.perf_counter()
    for pixels in images:
        work(pixels)
    return 1e6 * (time.perf_counter() - started) / len(images)


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Median and range."""
    middle = statistics.median(values)
    return f"{middle:{form}} ({min(values):{form}}..{max(values):{form}})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("profile", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--size", type=int, default=224)
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    if not isinstance(profile, AdaptiveProfile):
        parser.error(f"{arguments.profile} holds one set of tables, and nothing is chosen")
    images = photographs(arguments.folder, arguments.size, arguments.images)
    if not images:
        parser.error(f"{arguments.folder} holds no images")
    middle = profile.rung(0, profile.policy.rungs // 2)
    work: dict[str, Callable[[Pixels], object]] = {
        "choosing": profile.choice,
        "encoding": lambda pixels: encode_pixels(pixels, middle),
        "encoding, baseline": lambda pixels: encode_pixels(pixels, middle, container="baseline"),
    }
    for each in work.values():
        microseconds(each, images)
    rounds = [
        {name: microseconds(each, images) for name, each in work.items()}
        for _ in range(arguments.rounds)
    ]
    print(f"{len(images)} images of {arguments.size}×{arguments.size}, one thread")
    print(f"{profile.policy.multiplications:,} multiplications a choice")
    for name in work:
        print(f"{name:20} {spread([each[name] for each in rounds])} µs an image")
    for name in ("encoding", "encoding, baseline"):
        ratios = [each["choosing"] / each[name] for each in rounds]
        print(f"choosing / {name:18} {spread(ratios, '.3f')}")


if __name__ == "__main__":
    main()
