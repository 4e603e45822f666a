"""Train a network on JPEG files: on their coefficients, or, as its twin, on their pixels.

files → frequencies that are kept → network → train_network → Model
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bandwise.data.files import FileDataset
from bandwise.errors import ConfigurationError
from bandwise.frequency.dct_domain import FrequencyStatistics, frequency_statistics
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import BLOCK
from bandwise.learning.networks import default_training
from bandwise.learning.sensitivity import frequency_importance
from bandwise.models.classification import Reads, logits_of_batches
from bandwise.models.model import Model
from bandwise.models.networks.layers import FrequencySelection
from bandwise.models.networks.registry import build_coefficient_network, build_network
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.results import digest
from bandwise.system import versions
from bandwise.training.networks import (
    Examples,
    NetworkConfig,
    coefficient_examples,
    pixel_examples,
    train_network,
)
from bandwise.training.processes import Processes
from bandwise.training.state import EpochRecord

BATCH = 64

RULES = ("importance", "energy", "zigzag")
"""Ways to choose frequencies: by what a trained network loses without them, by their mean square,
and by their place in the zigzag order, which takes no data."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What is trained.

    Attributes
    ----------
    network
        Name in the registry of what it reads.
    reads
        ``"coefficients"`` or ``"pixels"``.
    frequencies
        What is kept of each image; all for None, and for pixels.
    band_dropout
        Share of an image's frequencies that are zeroed at random while it is trained, from 0 to
        below 1; 0 for pixels.
    training
        How it is trained; by the kind of images if not given.
    """

    network: str = "resnet"
    reads: Reads = "coefficients"
    frequencies: Frequencies | None = None
    band_dropout: float = 0.0
    training: NetworkConfig | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.reads == "pixels" and self.frequencies is not None:
            raise ConfigurationError("frequencies are kept of coefficients, not of pixels")
        if self.reads == "pixels" and self.band_dropout:
            raise ConfigurationError("frequencies are dropped of coefficients, not of pixels")
        if not 0 <= self.band_dropout < 1:
            raise ConfigurationError(
                f"a share from 0 to below 1 of the frequencies is dropped, not {self.band_dropout}"
            )


def train_on_files(
    config: TrainConfig,
    data: FileDataset,
    *,
    processes: Processes | None = None,
    checkpoint: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> tuple[Model, tuple[EpochRecord, ...]]:
    """Train a network, or go on from a checkpoint of the same training; also says how it went.

    Raises `ConfigurationError` for a network that is not there, or frequencies that the images do
    not have; `CheckpointError` and `DivergenceError` as `train_network`.

    Parameters
    ----------
    processes
        Those that train the network together; all call this with the same configuration.
    progress
        Called after every epoch, with an `EpochRecord` as ``detail``.
    """
    training = config.training or training_for(data)
    frequencies = config.frequencies
    if config.reads == "coefficients" and frequencies is None:
        frequencies = Frequencies.whole(data.channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        module = _network(config, data, frequencies)
    history = train_network(
        module,
        examples(data, config.reads, "train", band_dropout=config.band_dropout),
        validation=examples(data, config.reads, "validation"),
        num_classes=data.num_classes,
        config=training,
        device=config.device,
        processes=processes or Processes(),
        checkpoint=checkpoint,
        fingerprint=digest(
            [config.network, config.reads, _kept(frequencies), data.sha256, config.band_dropout]
        ),
        stage=f"training {config.network} on {config.reads}",
        progress=progress,
    )
    model = Model(
        network=config.network,
        reads=config.reads,
        classes=data.classes,
        channels=data.channels,
        grid=data.grid,
        frequencies=frequencies,
        provenance={
            "data_sha256": data.sha256,
            "training": asdict(training),
            "band_dropout": config.band_dropout,
            "validation_accuracy": history[-1].validation_accuracy,
            "versions": versions(),
        },
        module=module,
    )
    return model, history


def training_for(data: FileDataset, *, epochs: int | None = None, seed: int = 0) -> NetworkConfig:
    """`default_training` of these images."""
    return default_training(
        channels=data.channels,
        side=BLOCK * min(data.grid),
        images=len(data.splits["train"]),
        epochs=epochs,
        seed=seed,
    )


def examples(
    data: FileDataset, reads: Reads, split: str, *, band_dropout: float = 0.0
) -> Examples[Any]:
    """Images of a split in the form in which a network reads them."""
    files = data.splits[split]
    if reads == "pixels":
        return pixel_examples(files)
    return coefficient_examples(files, band_dropout=band_dropout)


def correct_on_test(model: Model, data: FileDataset, *, device: str = "cpu") -> torch.Tensor:
    """(N,) bool: which test images the model classifies as they are labelled."""
    shown = examples(data, model.reads, "test")
    logits = logits_of_batches(model.module, shown.batches(BATCH), device=device)
    return logits.argmax(1) == shown.labels


def choose_frequencies(
    rule: str, count: int, data: FileDataset, *, model: Model | None = None
) -> Frequencies:
    """Keep ``count`` frequencies by one of ``RULES``.

    Raises `ConfigurationError` for another rule or count, or importance without such a model.

    Parameters
    ----------
    model
        For ``"importance"``: a model that was trained on every frequency.
    """
    if rule == "zigzag":
        return Frequencies.zigzag(count, channels=data.channels)
    statistics = statistics_of(data)
    if rule == "energy":
        return Frequencies.top(statistics.energy.numpy(), count)
    if rule != "importance":
        raise ConfigurationError(f"frequencies are kept by {', '.join(RULES)}, not {rule!r}")
    if model is None or model.frequencies != Frequencies.whole(data.channels):
        raise ConfigurationError(
            "importance is measured with a model that reads every frequency; train one first"
        )
    batches = examples(data, "coefficients", "train").batches(BATCH)
    importance = frequency_importance(model.module, batches, statistics)
    return Frequencies.top(importance.numpy(), count)


def statistics_of(data: FileDataset) -> FrequencyStatistics:
    """Mean and deviation of each frequency over the training images."""
    return frequency_statistics(examples(data, "coefficients", "train").batches(BATCH))


def _network(config: TrainConfig, data: FileDataset, frequencies: Frequencies | None) -> nn.Module:
    if frequencies is None:
        return build_network(config.network, num_classes=data.num_classes, channels=data.channels)
    module = build_coefficient_network(
        config.network, num_classes=data.num_classes, frequencies=frequencies
    )
    for part in module.modules():
        if isinstance(part, FrequencySelection):
            part.standardise(statistics_of(data))
    return module


def _kept(frequencies: Frequencies | None) -> list[int] | None:
    return None if frequencies is None else list(frequencies.kept)
