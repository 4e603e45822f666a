"""Synthetic results of training on JPEG files: the layout of real ones, with invented numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bandwise.frequencies import Frequencies

Row = dict[str, Any]

RULES = ("importance", "energy", "zigzag")
ACCURACY = {
    ("resnet", "coefficients"): 0.781,
    ("resnet", "pixels"): 0.786,
    ("resnet-small", "coefficients"): 0.752,
}
LOSS = {64: 0.004, 24: 0.015, 12: 0.05}
RULE_LOSS = {"importance": 0.0, "energy": 0.006, "zigzag": 0.002}
SECONDS = {"resnet": 9.0, "resnet-small": 4.0}
BYTES = {None: 3100, 64: 2500, 24: 1700, 12: 1250}


def straight_rows(
    *,
    seeds: Sequence[int] = (0, 1, 2),
    twins: Sequence[str] = ("resnet",),
    kept: Sequence[int] = (64, 24, 12),
    rules: Sequence[str] = RULES,
    channels: int = 3,
    epochs: int = 16,
    test: int = 372,
    seed: int = 0,
) -> list[Row]:
    """Rows as the recipe writes them, in its order."""
    generator = np.random.default_rng(seed)
    rows = [experiment_row(channels=channels, epochs=epochs, test=test)]
    for run_seed in seeds:
        for network, reads in (
            *((("resnet-small", "coefficients"),) if kept else ()),
            *((network, reads) for network in twins for reads in ("coefficients", "pixels")),
        ):
            mean = ACCURACY[network, reads] + generator.normal(0, 0.006)
            frequencies = Frequencies.whole(channels) if reads == "coefficients" else None
            rows.append(trained_row(network, reads, run_seed, mean, frequencies, epochs, test))
    for run_seed in seeds:
        for count in kept:
            for rule in rules:
                mean = ACCURACY["resnet-small", "coefficients"] - LOSS[count] - RULE_LOSS[rule]
                mean += generator.normal(0, 0.006)
                frequencies = _chosen(rule, count, channels, run_seed)
                row = trained_row(
                    "resnet-small", "coefficients", run_seed, mean, frequencies, epochs, test
                )
                row |= {"kept": count, "rule": rule}
                row["test_bytes"] = _sizes(count, test, RULE_LOSS[rule])
                rows.append(row)
    return rows


def experiment_row(*, channels: int = 3, epochs: int = 16, test: int = 372) -> Row:
    """The first row."""
    return {
        "record": "experiment",
        "schema": 1,
        "recipe": "straight-from-jpeg",
        "created": "2026-01-02T03:04:05Z",
        "dataset": {
            "name": "clothes",
            "sha256": "cd" * 32,
            "classes": ["hat", "shirt", "shoes"],
            "grid": [16, 16],
            "channels": channels,
            "train": 3068,
            "test": test,
            "validation": 341,
        },
        "settings": {
            "training": {
                "epochs": epochs,
                "batch_size": 64,
                "learning_rate": 0.1,
                "small_share": 0.75,
                "small_scale": 0.75,
                "augmentation": {"zoom": [0.7, 1.3], "flip": True},
                "seed": 0,
            },
            "device": "cpu",
        },
        "versions": {"bandwise": "0.1.0", "python": "3.11.7", "torch": "2.13.0"},
        "machine": {"processor": "Example CPU", "cores": 2, "memory_bytes": 25_769_803_776},
    }


def trained_row(
    network: str,
    reads: str,
    seed: int,
    accuracy: float,
    frequencies: Frequencies | None = None,
    epochs: int = 16,
    test: int = 372,
) -> Row:
    """A run on pixels or every frequency; its last quarter is on images of full size."""
    correct = [int(image < round(accuracy * test)) for image in range(test)]
    full = SECONDS.get(network, 5.0) * (1.5 if reads == "pixels" else 1.0)
    curve = [
        0.1 + (accuracy - 0.1) * (1 - math.exp(-5 * (epoch + 1) / epochs))
        for epoch in range(epochs)
    ]
    return {
        "record": "trained",
        "network": network,
        "reads": reads,
        "seed": seed,
        "kept": None,
        "rule": None,
        "frequencies": None if frequencies is None else list(frequencies.kept),
        "parameters": 1_584_466 if reads == "coefficients" else 1_550_358,
        "epochs": epochs,
        "train_loss": 0.7,
        "validation_accuracy": curve[-1],
        "validation_curve": curve,
        "train_seconds": [
            full * (0.6 if epoch < 0.75 * epochs else 1.0) * (1 + 0.01 * seed)
            for epoch in range(epochs)
        ],
        "images": 3068,
        "test_correct": correct,
        "test_accuracy": sum(correct) / test,
        "test_bytes": _sizes(None, test),
    }


def _sizes(kept: int | None, count: int, more: float = 0.0) -> list[int]:
    return [round(BYTES[kept] * (1 + 10 * more)) + 7 * (image % 5) for image in range(count)]


def _chosen(rule: str, count: int, channels: int, seed: int) -> Frequencies:
    if rule == "zigzag":
        return Frequencies.zigzag(count, channels=channels)
    v, u = np.mgrid[:8, :8]
    fall = np.hypot(v, u) if rule == "energy" else np.maximum(v, 0.8 * u)
    chance = np.random.default_rng(seed if rule == "importance" else 9)
    planes = [
        2.0 ** -(fall + (2.5 if component else 0)).ravel() * chance.uniform(0.6, 1.4, 64)
        for component in range(channels)
    ]
    return Frequencies.top(np.concatenate(planes).tolist(), count)
