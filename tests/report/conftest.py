"""Synthetic results: the layout of a real results file, with invented numbers from a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bandwise.report import write_report
from bandwise.report.variants import VARIANTS

Row = dict[str, Any]

ACCURACY = {
    "static": 0.956,
    "adaptive": 0.968,
    "task-only": 0.967,
    "reconstruction-only": 0.9655,
    "mean-one": 0.9752,
    "none": 0.9755,
    "shuffled": 0.1,
    "edges": 0.9683,
    "input": 0.9676,
}


def synthetic_rows(
    *,
    variants: Sequence[str] = tuple(VARIANTS),
    seeds: Sequence[int] = (0, 1, 2),
    epochs: int = 12,
    classes: Sequence[str] = tuple("0123456789"),
    image_shape: tuple[int, int, int] = (1, 28, 28),
    band_count: int = 8,
    dataset: str = "mnist",
    unfinished: Sequence[tuple[str, int]] = (),
    seed: int = 0,
) -> list[Row]:
    """Rows as an experiment writes them; ``unfinished`` runs stop half-way without a run row."""
    generator = np.random.default_rng(seed)
    versions = {"bandwise": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"}
    machine = {
        "processor": "Example CPU",
        "cores": 2,
        "memory_bytes": 25_769_803_776,
        "platform": "Linux-x86_64",
    }
    settings = {
        "epochs": epochs,
        "batch_size": 128,
        "network_lr": 0.01,
        "momentum": 0.9,
        "band_lr": 0.001,
        "reconstruction_weight": 0.1,
        "validation_fraction": 0.2,
        "patience": 5,
    }
    rows: list[Row] = [
        {
            "record": "experiment",
            "schema": 1,
            "recipe": "reproduce",
            "created": "2026-01-02T03:04:05Z",
            "dataset": {
                "name": dataset,
                "source": "invented for the tests",
                "sha256": "ab" * 32,
                "classes": list(classes),
                "image_shape": list(image_shape),
                "train": 48_000,
                "validation": 12_000,
                "test": 10_000,
            },
            "bands": {
                "kind": "radial",
                "count": band_count,
                "height": image_shape[1],
                "width": image_shape[2],
            },
            "settings": settings,
            "versions": versions,
            "machine": machine,
        }
    ]
    rows += [
        {"record": "sample", "class": classes[label], "label": label, "pixels_u8": pixels.tolist()}
        for label, pixels in enumerate(_rings(image_shape, count=4))
    ]
    for variant in variants:
        for run_seed in seeds:
            luck = generator.normal(0, 0.0008)
            last = epochs // 2 if (variant, run_seed) in unfinished else epochs
            history = [
                _epoch(variant, run_seed, number, epochs, len(classes), band_count, luck, generator)
                for number in range(1, last + 1)
            ]
            rows += history
            if last == epochs:
                rows.append(
                    {
                        "record": "run",
                        "variant": variant,
                        "seed": run_seed,
                        "epochs": epochs,
                        "best_epoch": epochs - 1,
                        "stopped_early": False,
                        "test_accuracy": history[-1]["test_accuracy"],
                        "test_per_class": history[-1]["test_per_class"],
                        "validation_accuracy": history[-1]["validation_accuracy"],
                        "band_weights": history[-1]["band_weights"],
                        **_extensions_of_run(variant, history[-1], len(classes)),
                        "train_seconds": sum(row["train_seconds"] for row in history),
                        "images_per_second": 4700.0,
                        "provenance": {
                            "versions": versions,
                            "machine": machine,
                            "settings": settings,
                            "data_sha256": "ab" * 32,
                        },
                    }
                )
    return rows


def _rings(image_shape: tuple[int, int, int], *, count: int) -> list[Any]:
    channels, height, width = image_shape
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    images = []
    for number in range(count):
        ring = np.exp(-(((np.hypot(down, across * (1 + 0.3 * number)) - 0.55) / 0.18) ** 2))
        images.append(np.tile((255 * ring).astype(np.uint8), (channels, 1, 1)))
    return images


def _epoch(
    variant: str,
    seed: int,
    number: int,
    epochs: int,
    class_count: int,
    band_count: int,
    luck: float,
    generator: np.random.Generator,
) -> Row:
    progress = 1 - math.exp(-4 * number / epochs)
    final = ACCURACY[variant] + (0 if variant == "shuffled" else luck)
    accuracy = 0.1 + (final - 0.1) * (0.75 + 0.25 * progress) if final > 0.2 else final
    task_loss = 2.4 * (1 - accuracy) + 0.02 if final > 0.2 else 2.31
    per_class = np.clip(accuracy + generator.normal(0, 0.008, class_count), 0, 1)
    return {
        "record": "epoch",
        "variant": variant,
        "seed": seed,
        "epoch": number,
        "learning_rate": 0.005 * (1 + math.cos(math.pi * (number - 1) / epochs)),
        "train_loss": 0.93 * task_loss + 0.014,
        "train_task_loss": 0.93 * task_loss,
        "train_reconstruction_loss": 0.14,
        "validation_loss": task_loss * (1 + generator.normal(0, 0.02)) + 0.014,
        "validation_task_loss": task_loss,
        "validation_accuracy": accuracy,
        "test_accuracy": round(accuracy, 4),
        "test_per_class": per_class.tolist(),
        "band_weights": _weights(variant, band_count, progress, generator),
        "train_seconds": 12.6 if variant == "adaptive" else 12.0,
        "images": 48_000,
        **_extensions_of_epoch(variant, band_count, progress, luck),
    }


def _extensions_of_epoch(variant: str, band_count: int, progress: float, luck: float) -> Row:
    """What only rows of learned edges and of weights for each image hold; no other has the keys."""
    if variant == "edges":
        edges = (np.arange(1, band_count) / band_count) ** (1 + 0.4 * progress + 50 * luck)
        return {"band_edges": edges.tolist(), "band_exponent": 2 - 0.5 * progress}
    if variant == "input":
        return {"band_weights_std": [0.01 * progress] * band_count}
    return {}


def _extensions_of_run(variant: str, last: Row, class_count: int) -> Row:
    if variant == "edges":
        return {name: last[name] for name in ("band_edges", "band_exponent")}
    if variant == "input":
        weights = np.asarray(last["band_weights"])
        tilt = np.linspace(-0.1, 0.1, len(weights))
        leaning = np.linspace(-1, 1, class_count)[:, None]
        return {
            "band_weights_std": last["band_weights_std"],
            "band_weights_by_class": (weights * (1 + leaning * tilt)).tolist(),
        }
    return {}


def _weights(
    variant: str, band_count: int, progress: float, generator: np.random.Generator
) -> list[float]:
    scale = band_count if variant in ("mean-one", "none") else 1
    steepness = progress * 1.4 if VARIANTS[variant].learned else 0.0
    jitter = generator.normal(0, 0.02, band_count) if steepness else np.zeros(band_count)
    logits = -steepness * np.linspace(0, 1, band_count) + jitter
    weights = np.exp(logits) / np.exp(logits).sum()
    return [float(weight) for weight in scale * weights]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a report with every section; one run is unfinished."""
    out_dir = tmp_path_factory.mktemp("report")
    rows = synthetic_rows(
        variants=["static", "adaptive", "none", "shuffled"],
        seeds=[0, 2],
        epochs=4,
        unfinished=[("none", 2)],
    )
    write_report(rows, out_dir)
    return out_dir
