"""Cost of weights that depend on the image, beside encoding the same image as JPEG.

    python benchmarks/adaptive_weights.py [--rounds 7] [--side 224] [--bands 8]

One thread. Each round times in turn, after a warm-up: encoding a synthetic colour image of
side×side pixels with libjpeg-turbo (quality 75, 4:2:0, optimised), and finding the
weights of the same image by ``AdaptiveBands.weights_of`` from the coefficients of its luma blocks,
alone and in batches of 32. Printed are medians and ranges over rounds, and operations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from bandwise import jpeg
from bandwise.bands import radial_bands
from bandwise.compressors import AdaptiveBands
from bandwise.dct import BLOCK
from bandwise.results import machine, versions
from bandwise.tables import TableSet
from bandwise.transform import pixels_to_blocks

BATCH = 32
REPEATS = 50


def milliseconds(work: Callable[[], object]) -> float:
    """Mean processor time of one call."""
    started = time.process_time()
    for _ in range(REPEATS):
        work()
    return 1000 * (time.process_time() - started) / REPEATS


def picture(side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Smooth colours with noise, about as many bytes a pixel as a photograph."""
    generator = np.random.default_rng(0)
    down, across = np.mgrid[: 6 : side * 1j, : 6 : side * 1j]
    waves = np.stack([np.sin(down + k) * np.cos(across * (1 + k / 3)) for k in range(3)], -1)
    noisy = 128 + 70 * waves + generator.normal(0, 8, (side, side, 3))
    return np.asarray(noisy.clip(0, 255).astype(np.uint8))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--bands", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    image, tables = picture(options.side), TableSet.ijg(75)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    luma = pixels_to_blocks(pixels, "4:2:0")[0]
    several = luma.expand(BATCH, *luma.shape[1:]).contiguous()
    compressor = AdaptiveBands(radial_bands(BLOCK, BLOCK, options.bands)).eval()
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "encode": (lambda: jpeg.encode(image, tables, progressive=False), 1),
        "weights, one image": (lambda: compressor.weights_of(luma), 1),
        f"weights, batches of {BATCH}": (lambda: compressor.weights_of(several), BATCH),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for work, _ in ways.values():
        milliseconds(work)
    for _ in range(options.rounds):
        for name, (work, images) in ways.items():
            taken[name].append(milliseconds(work) / images)
    print(f"{machine()['processor']}, one thread, PyTorch {versions()['torch']}")
    size = len(jpeg.encode(image, tables, progressive=False))
    print(f"{options.side}×{options.side} pixels, {size:,} bytes, {options.bands} bands")
    print(f"floating-point operations an image: {compressor.flops(luma[0, ..., 0, 0].numel()):,}")
    for name, values in taken.items():
        shares = [a / b for a, b in zip(values, taken["encode"], strict=True)]
        print(
            f"{name:<24}{statistics.median(values):7.3f} ms an image ({min(values):.3f} .. "
            f"{max(values):.3f}), {statistics.median(shares):6.1%} of encode"
        )


if __name__ == "__main__":
    main()
