"""Training images/s of the paper's experiment: bandwise against the plain PyTorch version.

    python benchmarks/train_speed.py [--rounds 5] [--images 12800] [--cores 2]

Plain is the network and loop as one writes them down: ``nn.Conv1d`` on (N, 1, 784), the DCT and the
band masks in every step, PyTorch's own threads on all cores. bandwise trains one run a core, each
in a process with one thread. Both see the same synthetic images, settings and number of steps.

Each round times, one after the other, after a warm-up: an epoch of plain adaptive on all cores; an
epoch of adaptive in all of bandwise's workers; and in the same workers steps of static and adaptive
in turn, whose median times give the overhead. Printed are the median and range over rounds.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.data.batches import TensorBatches, to_coefficients
from bandwise.executors import prepare_torch_worker
from bandwise.frequency.bands import radial_bands
from bandwise.frequency.compressors import Compressor, LearnedBands, StaticBands
from bandwise.models.classification import Classification
from bandwise.models.networks.sequence_cnn import SequenceCNN
from bandwise.system import available_cores, machine, versions
from bandwise.training.config import TrainingConfig
from bandwise.training.paper import joint_loss, train

BATCH = 128
SIDE = 28
CLASSES = 10


def images(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 1, SIDE, SIDE), generator=generator).to(torch.uint8)
    return pixels, torch.randint(0, CLASSES, (count,), generator=generator)


def plain_rate(count: int, threads: int) -> float:
    """Images/s of the plain version; an epoch of warm-up, then one timed."""
    torch.set_num_threads(threads)
    pixels_u8, labels = images(count)
    pixels = pixels_u8[:, 0].float() / 255 - 0.5
    frequency, sample = torch.arange(SIDE)[:, None], torch.arange(SIDE)[None]
    dct = torch.cos(math.pi * (2 * sample + 1) * frequency / (2 * SIDE)) * math.sqrt(2 / SIDE)
    dct[0] /= math.sqrt(2)
    masks = radial_bands(SIDE, SIDE, 8).masks().float()
    network = nn.Sequential(
        nn.Conv1d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(32 * SIDE * SIDE // 4, 128),
        nn.ReLU(),
        nn.Linear(128, CLASSES),
    )
    logits = nn.Parameter(torch.zeros(8))
    sgd = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    adam = torch.optim.Adam([logits], lr=0.001)
    for _ in range(2):
        started = time.perf_counter()
        for part in torch.randperm(count).split(BATCH):
            coefficients = dct @ pixels[part] @ dct.T
            weights = torch.softmax(logits, 0)
            weighted = coefficients * (weights[:, None, None] * masks).sum(0)
            outputs = network(weighted.reshape(len(part), 1, SIDE * SIDE))
            loss = F.cross_entropy(outputs, labels[part])
            loss = loss + 0.1 * F.mse_loss(weighted, coefficients)
            sgd.zero_grad()
            adam.zero_grad()
            loss.backward()
            sgd.step()
            adam.step()
        seconds = time.perf_counter() - started
    return count / seconds


def bandwise_seconds(compressor: Compressor, batches: TensorBatches) -> float:
    """Seconds of the second of two epochs."""
    config = TrainingConfig(epochs=2, batch_size=BATCH, patience=None)
    few = TensorBatches(batches.coefficients[:BATCH], batches.labels[:BATCH], batch_size=BATCH)
    task = Classification(SequenceCNN(SIDE * SIDE, CLASSES))
    result = train(task, compressor, batches, validation=few, config=config)
    return result.history[-1].train_seconds


def overhead_ratio(batches: TensorBatches) -> float:
    """Median time of an adaptive step over that of a static one, taken in turn."""
    bands = radial_bands(SIDE, SIDE, 8)
    config = TrainingConfig()
    runs: list[tuple[Classification, Compressor, list[torch.optim.Optimizer]]] = []
    arms: list[Compressor] = [StaticBands(bands, normalisation="softmax"), LearnedBands(bands)]
    for compressor in arms:
        task = Classification(SequenceCNN(SIDE * SIDE, CLASSES))
        sgd = torch.optim.SGD(task.parameters(), lr=config.network_lr, momentum=0.9, fused=True)
        weights = list(compressor.parameters())
        adam = [torch.optim.Adam(weights, lr=config.band_lr, fused=True)] if weights else []
        runs.append((task, compressor, [sgd, *adam]))
    seconds: tuple[list[float], list[float]] = ([], [])
    for coefficients, labels in batches.epoch(0):
        for (task, compressor, optimisers), taken in zip(runs, seconds, strict=True):
            started = time.perf_counter()
            for optimiser in optimisers:
                optimiser.zero_grad()
            joint_loss(task, compressor, coefficients, labels, config).loss.backward()
            for optimiser in optimisers:
                optimiser.step()
            taken.append(time.perf_counter() - started)
    static, adaptive = (statistics.median(taken[5:]) for taken in seconds)
    return adaptive / static


def work(count: int, barrier: Barrier, results: Queue[tuple[float, float]]) -> None:
    prepare_torch_worker()
    pixels, labels = images(count)
    batches = TensorBatches(to_coefficients(pixels), labels, batch_size=BATCH, shuffle_seed=0)
    bands = radial_bands(SIDE, SIDE, 8)
    barrier.wait()
    adaptive = bandwise_seconds(LearnedBands(bands, normalisation="softmax"), batches)
    results.put((adaptive, overhead_ratio(batches)))


def plain_work(count: int, threads: int, results: Queue[Any]) -> None:
    results.put(plain_rate(count, threads))


def workers_round(count: int, cores: int) -> list[tuple[float, float]]:
    context = get_context("spawn")
    barrier, results = context.Barrier(cores), context.Queue()
    processes = [context.Process(target=work, args=(count, barrier, results)) for _ in range(cores)]
    for process in processes:
        process.start()
    measured = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return measured


def plain_round(count: int, cores: int) -> float:
    context = get_context("spawn")
    results: Queue[Any] = context.Queue()
    process = context.Process(target=plain_work, args=(count, cores, results))
    process.start()
    rate = float(results.get())
    process.join()
    return rate


def line(title: str, values: Sequence[float], form: str) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{title:<44}{middle:{form}}  ({low:{form}} .. {high:{form}})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=12_800)
    parser.add_argument("--cores", type=int, default=available_cores())
    options = parser.parse_args()
    print(f"{machine()['processor']}, {options.cores} cores, PyTorch {versions()['torch']}")
    plain, fast, speedup, overhead = [], [], [], []
    for number in range(options.rounds):
        plain.append(plain_round(options.images, options.cores))
        measured = workers_round(options.images, options.cores)
        fast.append(sum(options.images / seconds for seconds, _ in measured))
        speedup.append(fast[-1] / plain[-1])
        overhead.append(statistics.fmean(ratio for _, ratio in measured))
        print(
            f"round {number + 1}: plain {plain[-1]:,.0f}, bandwise {fast[-1]:,.0f} images/s, "
            f"{speedup[-1]:.2f}×, adaptive/static {overhead[-1]:.3f}",
            flush=True,
        )
    print(line("plain, adaptive, all cores, images/s", plain, ",.0f"))
    print(line("bandwise, adaptive, one run a core, images/s", fast, ",.0f"))
    print(line("speed-up", speedup, ".2f"))
    print(line("training time adaptive/static", overhead, ".3f"))


if __name__ == "__main__":
    main()
