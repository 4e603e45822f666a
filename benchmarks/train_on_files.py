"""Images a second from JPEG bytes to a trained epoch: coefficients against pixels.

    python benchmarks/train_on_files.py FOLDER [--networks resnet vit] [--rounds 5] [--images 640]
        [--threads 1] [--image-size N]

FOLDER holds .jpg files by class, such as `bandwise encode` makes. Both forms see the same files at
full size, the same kinds of random changes and the same number of steps, and take turns within a
round after a warm-up: *input* reads, changes and mixes batches and nothing else; *epoch* is the
training loop, in which the next batch is read on a thread of its own. Printed are medians and
ranges over rounds, and ratios within a round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from bandwise.data.augment import mix
from bandwise.data.batches import BatchRandom, draw_batches, epoch_generator
from bandwise.data.files import FileDataset, load_files
from bandwise.learning.jpeg_network import TrainConfig, examples, train_on_files
from bandwise.models.classification import Reads
from bandwise.training.networks import NetworkConfig

FORMS: tuple[Reads, ...] = ("pixels", "coefficients")
TRAINING = NetworkConfig(epochs=1, small_share=0.0, warm_up_epochs=0.0, learning_rate=1e-3)


def input_seconds(data: FileDataset, form: Reads) -> float:
    """Read, change and mix every training image once."""
    source = examples(data, form, "train")
    generator = epoch_generator(TRAINING.seed, 0)
    augmentation = TRAINING.augmentation
    started = time.perf_counter()
    for index in draw_batches(len(source), TRAINING.batch_size, generator):
        draws = BatchRandom(generator, len(index))
        inputs = source.augment(source.read(index), augmentation, draws, 1.0)
        targets = F.one_hot(source.labels[index], data.num_classes).float()
        mix(inputs, targets, augmentation.mix, draws)
    return time.perf_counter() - started


def epoch_seconds(data: FileDataset, form: Reads, network: str) -> float:
    """Train one epoch."""
    config = TrainConfig(network=network, reads=form, training=TRAINING)
    return train_on_files(config, data)[1][0].train_seconds


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median and range."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f}..{high:,.{digits}f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--networks", nargs="+", default=["resnet"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--image-size", type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    side = options.image_size
    data = load_files(options.folder, image_size=None if side is None else (side, side))
    few = range(min(options.images, len(data.splits["train"])))
    splits = {name: files.subset(range(1)) for name, files in data.splits.items()}
    data = replace(data, splits={**splits, "train": data.splits["train"].subset(few)})
    names = ["input", *options.networks]
    rates: dict[tuple[str, Reads], list[float]] = {}
    for number in range(-1, options.rounds):  # round -1 warms up
        for name in names:
            for form in FORMS:
                if name == "input":
                    seconds = input_seconds(data, form)
                else:
                    seconds = epoch_seconds(data, form, name)
                if number >= 0:
                    rates.setdefault((name, form), []).append(len(few) / seconds)
    rows, columns = data.grid
    print(f"{len(few)} images of {8 * columns}×{8 * rows}, torch {torch.__version__}, ", end="")
    print(f"{options.threads} thread(s)\n\n| | pixels | coefficients | ratio |\n| - | - | - | - |")
    for name in names:
        pixels, coefficients = (rates[name, form] for form in FORMS)
        ratio = spread([b / a for a, b in zip(pixels, coefficients, strict=True)])
        what = name if name == "input" else f"epoch, {name}"
        print(f"| {what} | {spread(pixels, 0)} | {spread(coefficients, 0)} | {ratio} |")


if __name__ == "__main__":
    main()
