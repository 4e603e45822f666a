"""What the paper reports, for MNIST: the numbers that the page sets beside its own."""

from __future__ import annotations

CITATION = "Adaptive frequency band learning for task-specific neural network compression"
DATASET = "mnist"

ACCURACY = {"static": (0.9558, 0.0012), "adaptive": (0.9679, 0.0008)}
"""Test accuracy as (mean, standard deviation) over three seeds, fractions."""

GAIN = 0.0121
TRAIN_SECONDS = {"static": 827.0, "adaptive": 2395.0}
TIME_RATIO = 2.9

SETTINGS = {
    "epochs": 30,
    "batch_size": 128,
    "network_lr": 0.01,
    "momentum": 0.9,
    "band_lr": 0.001,
    "reconstruction_weight": 0.1,
    "validation_fraction": 0.2,
}
BANDS = ("radial", 8)
SEEDS = 3


def applies_to(dataset: str) -> bool:
    """Whether the paper's numbers are for this data set."""
    return dataset == DATASET
