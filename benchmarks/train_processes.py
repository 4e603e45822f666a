"""Images a second of `bandwise train` on one process and on two, and what a checkpoint takes.

    python benchmarks/train_processes.py FOLDER [--network resnet] [--image-size N] [--images 640]
        [--processes 1 2] [--rounds 3]

FOLDER holds .jpg files by class, such as `bandwise encode` makes. Every process has one thread and
the one that reads ahead. A run is two epochs under `torchrun`, of which the first warms up; numbers
of processes take turns. Printed are medians and ranges over rounds, ratios to the first number of
processes within a round, and the time that a checkpoint takes to be written.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from bandwise.models.networks.registry import COEFFICIENT_NETWORKS
from bandwise.training.networks import NetworkConfig
from bandwise.training.state import EpochRecord, RunState

EPOCHS = 2


def subset(folder: Path, root: Path, images: int) -> None:
    """Link training images of every class in turn, and one of validation and test."""
    for split, count in (("train", images), ("validation", 10), ("test", 10)):
        classes = sorted(path for path in (folder / split).iterdir() if path.is_dir())
        for each in classes:
            files = sorted(each.glob("*.jpg"))[: -(-count // len(classes))]
            (root / split / each.name).mkdir(parents=True)
            for path in files:
                (root / split / each.name / path.name).symlink_to(path.resolve())


def rate(folder: Path, out: Path, processes: int, options: Sequence[str]) -> float:
    """Images a second of the last epoch."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = ["-m", "bandwise", "train", str(folder), "--out", str(out), "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, *launcher, *command, "--epochs", str(EPOCHS), *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = re.findall(rf"{EPOCHS}/{EPOCHS}: ([\d,]+) images/s", done.stdout)
    return float(found[-1].replace(",", ""))


def checkpoint_seconds(network: str, out: Path) -> list[float]:
    """Times of writing a checkpoint, with the momenta of the optimiser."""
    module = COEFFICIENT_NETWORKS[network](10)
    for value in module.parameters():
        value.grad = value.detach().clone()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    optimiser.step()
    run = RunState(module, {"network": module}, [optimiser], NetworkConfig(), EpochRecord, {})
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        run.save(out)
        seconds.append(time.perf_counter() - started)
    return seconds


def spread(values: Sequence[float], digits: int) -> str:
    """Median and range."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f}..{high:,.{digits}f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", default="resnet")
    parser.add_argument("--image-size")
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    options = ["--network", asked.network]
    if asked.image_size:
        options += ["--image-size", asked.image_size]
    rates: dict[int, list[float]] = {processes: [] for processes in asked.processes}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        subset(asked.folder, scratch / "images", asked.images)
        for number in range(asked.rounds):
            for processes, measured in rates.items():
                out = scratch / f"{processes}-{number}"
                measured.append(rate(scratch / "images", out, processes, options))
        written = checkpoint_seconds(asked.network, scratch / "checkpoint")
        size_bytes = (scratch / "checkpoint").stat().st_size
    load = os.getloadavg()[0]
    print(f"load {load:.1f}\n\n| processes | images/s | ratio |\n|---|---|---|")
    first = rates[asked.processes[0]]
    for processes, measured in rates.items():
        ratios = [have / base for have, base in zip(measured, first, strict=True)]
        print(f"| {processes} | {spread(measured, 0)} | {spread(ratios, 2)} |")
    print(f"\ncheckpoint of {size_bytes / 1e6:.1f} MB: {spread(written, 3)} s")


if __name__ == "__main__":
    main()
