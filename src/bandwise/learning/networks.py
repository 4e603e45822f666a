"""The network of an experiment: loaded, or trained first and kept."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from bandwise.data import Dataset
from bandwise.data.augment import GLYPHS
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.files import write_atomically
from bandwise.learning.profiles import LearnConfig
from bandwise.models.classification import logits_of
from bandwise.models.networks.registry import (
    build_network,
    find_builder,
    load_network,
    read_weights,
)
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.training.networks import NetworkConfig, train_network

PHOTOGRAPH_SIDE = 64
"""Colour images from this side on are trained on as photographs, others as glyphs."""

STEPS_FOR_GLYPHS = 3000


def default_training(
    *, channels: int, side: int, images: int, epochs: int | None = None, seed: int = 0
) -> NetworkConfig:
    """Settings to train a network with, by the kind of images; epochs as well if not given."""
    if channels == 3 and side >= PHOTOGRAPH_SIDE:
        training = NetworkConfig(seed=seed)
    else:
        batch_size = 64 if images > 5000 else 32
        training = NetworkConfig(
            epochs=max(4, min(40, round(STEPS_FOR_GLYPHS * batch_size / images))),
            batch_size=batch_size,
            warm_up_epochs=1.0,
            small_share=0.0,
            augmentation=GLYPHS,
            seed=seed,
        )
    return training if epochs is None else replace(training, epochs=epochs)


def prepare_network(
    config: LearnConfig,
    dataset: Dataset,
    out: Path,
    *,
    progress: ProgressCallback = ignore_progress,
) -> nn.Module:
    """Load the network's weights, or train it and keep them as ``out/NETWORK.safetensors``.

    ``dataset`` has a validation split (:func:`bandwise.data.with_validation`). Training writes a
    checkpoint after every epoch and goes on from it. Raises `ConfigurationError` for a network that
    cannot read the images, `CheckpointError` for weights or a checkpoint of another network.
    """
    channels, side, _ = dataset.image_shape
    classes = dataset.num_classes
    if config.weights is not None:
        network = load_network(
            config.network, config.weights, num_classes=classes, channels=channels
        )
        check_reads(network, config.network, dataset)
        return network
    path = weights_path(config, out)
    training = default_training(
        channels=channels,
        side=side,
        images=len(dataset.train),
        epochs=config.epochs,
        seed=config.seed,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = build_network(config.network, num_classes=classes, channels=channels)
    check_reads(network, config.network, dataset)
    try:
        train_network(
            network,
            dataset.train,
            validation=dataset.split("validation"),
            num_classes=classes,
            config=training,
            device=config.device,
            checkpoint=path.with_suffix(".checkpoint.safetensors"),
            fingerprint=f"{config.network} {dataset.sha256}",
            stage=f"training {config.network}",
            progress=progress,
        )
    except CheckpointError as error:
        raise CheckpointError(
            f"{error}; the folder is --work of `bandwise learn`, --out of experiments"
        ) from error
    state = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
    write_atomically(path, safetensors.torch.save(state))
    return network


def check_network(name: str, weights: Path | None) -> None:
    """Refuse an unknown network, or weights that cannot be read, before data are read.

    Raises `ConfigurationError` and `CheckpointError`.
    """
    find_builder(name)
    if weights is not None:
        read_weights(weights)


def check_reads(network: nn.Module, name: str, dataset: Dataset) -> None:
    """Show the network an image: `ConfigurationError` where it cannot read that size."""
    try:
        logits_of(network, dataset.train.pixels_u8[:1], num_classes=dataset.num_classes)
    except RuntimeError as error:
        height, width = dataset.image_shape[1:]
        raise ConfigurationError(
            f"the network {name} cannot read images of {width}×{height} "
            f"({textwrap.shorten(str(error), 200)}); choose another network or image size"
        ) from error


def weights_path(config: LearnConfig, folder: Path) -> Path:
    """File of a trained network's weights in a folder of networks."""
    return folder / f"{config.network.replace(':', '.')}.safetensors"
