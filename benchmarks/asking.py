"""Bytes of files that keep a model's answer, by looks, beside libjpeg's qualities.

    python benchmarks/asking.py examples/photos --model examples/lite0.py:build

Three rows for a tolerance: the search at several budgets of looks; libjpeg at the quality, one for
all images, that has the same mean divergence as the search with 12 looks; and libjpeg asked image
by image, every quality looked at. All files are in the smallest container, and all divergences are
those of libjpeg's accurate decoding.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.dataset.reading import read_picture
from bandwise.dataset.sources import walk
from bandwise.encoding import encode_pixels
from bandwise.frequency.tables import TableSet
from bandwise.models.adapters import Model
from bandwise.models.loading import ModelSource
from bandwise.profile import Profile
from bandwise.search.answers import Keep
from bandwise.search.search import Search
from bandwise.system import keep_freed_memory

QUALITIES = (5, 8, 10, 12, 15, 18, 22, 26, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95)
LOOKS = (3, 6, 12, 24, 48)
BUDGET = 12

Pixels = NDArray[np.uint8]


def libjpeg(
    images: Sequence[Pixels], model: Model
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bytes and nats (images, 2 · qualities) at 4:2:0 and at 4:4:4."""
    profiles = [
        Profile(name="libjpeg", tables=TableSet.ijg(quality), subsampling=subsampling)
        for subsampling in ("4:2:0", "4:4:4")
        for quality in QUALITIES
    ]
    sizes, nats = [], []
    for pixels_u8 in images:
        files = [encode_pixels(pixels_u8, profile) for profile in profiles]
        scores = model([pixels_u8, *map(jpeg.decode, files)])
        sizes.append([len(data) for data in files])
        nats.append(Keep().distances(scores[0], scores[1:]))
    return np.array(sizes), np.array(nats)


def one_for_all(
    sizes: NDArray[np.int64], nats: NDArray[np.float64], mean_nats: float
) -> tuple[float, str]:
    """Least mean bytes at a mean divergence, interpolated between qualities, and the sampling."""
    count = len(QUALITIES)
    best = []
    for number, subsampling in enumerate(("4:2:0", "4:4:4")):
        part = slice(number * count, (number + 1) * count)
        curve = np.minimum.accumulate(nats[:, part].mean(0))
        log_bytes = np.interp(-mean_nats, -curve, np.log(sizes[:, part].mean(0)))
        best.append((float(np.exp(log_bytes)), subsampling))
    return min(best)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tolerances", type=float, nargs="+", default=[0.2])
    parser.add_argument("--looks", type=int, nargs="+", default=LOOKS, help="12 among them")
    options = parser.parse_args()
    model = ModelSource(name=options.model).load()
    keep_freed_memory()
    torch.set_num_threads(1)  # looks are small, and threads cost more than they give
    images = [read_picture(Path(path).read_bytes()).pixels_u8 for path in walk(options.images)]
    sizes, nats = libjpeg(images, model)
    for tolerance in options.tolerances:
        for looks in options.looks:
            search = Search([model], keep=Keep(tolerance=tolerance), looks=looks)
            found = [search.compress(pixels_u8) for pixels_u8 in images]
            size_bytes = float(np.mean([one.record.size_bytes for one in found]))
            asked = np.mean([one.record.looks for one in found])
            missed = sum(not one.record.kept for one in found)
            print(
                f"at most {tolerance:g} nats, {looks:2} looks: {size_bytes:8,.0f} B "
                f"({asked:.1f} looks taken, {missed} of {len(found)} missed)",
                flush=True,
            )
            if looks == BUDGET:
                ours, chosen = size_bytes, found
        seen = [
            Keep().distances(model([image])[0], model([jpeg.decode(one.data)]))[0]
            for image, one in zip(images, chosen, strict=True)
        ]
        mean = float(np.mean(seen))
        one_size, sampling = one_for_all(sizes, nats, mean)
        asked_size = float(np.where(nats <= tolerance, sizes, sizes.max(1)[:, None]).min(1).mean())
        for name, theirs in (
            (f"one quality for all at {mean:.3f} nats, {sampling}", one_size),
            (f"asked, all {nats.shape[1]} settings looked at", asked_size),
        ):
            print(f"libjpeg, {name}: {theirs:,.0f} B; {BUDGET} looks: {ours / theirs - 1:+.0%}")


if __name__ == "__main__":
    main()
