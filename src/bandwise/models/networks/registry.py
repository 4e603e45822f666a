"""From a name to a network: the built-in ones, and the user's own."""

from __future__ import annotations

import hashlib
import importlib
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor, nn

from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks.convolutional import CoefficientResNet, PlainCNN, ResNet, SmallCNN
from bandwise.models.networks.vit import CoefficientViT, ViT

Builder = Callable[..., nn.Module]

BUILT_IN: dict[str, Builder] = {
    "small-cnn": SmallCNN,
    "plain-cnn": PlainCNN,
    "resnet": ResNet,
    "resnet-small": partial(ResNet, width=16),
    "vit": ViT,
}
"""Networks that read pixels in [0, 1]; each is called with (num_classes, channels=...)."""

COEFFICIENT_NETWORKS: dict[str, Builder] = {
    "resnet": CoefficientResNet,
    "resnet-small": partial(CoefficientResNet, width=32),
    "vit": CoefficientViT,
}
"""Networks that read a `CoefficientBatch`, each called with (num_classes, frequencies=...); the
pixel network of the same name is its twin."""


def build_network(name: str, *, num_classes: int, channels: int) -> nn.Module:
    """Build a network that maps pixels (N, C, H, W) in [0, 1] to logits (N, num_classes).

    Raises `ConfigurationError` when there is no such network, or what was built is not an
    ``nn.Module``.

    Parameters
    ----------
    name
        A name of ``BUILT_IN``, or ``package.module:function`` for one of your own: a function that
        is called with the keywords ``num_classes`` and ``channels`` and returns an ``nn.Module``.
        Scaling that the network expects, such as ImageNet's mean and deviation, belongs into it.
    """
    return _built(BUILT_IN, name, num_classes=num_classes, channels=channels)


def build_coefficient_network(
    name: str, *, num_classes: int, frequencies: Frequencies
) -> nn.Module:
    """Build a network that maps a `CoefficientBatch` to logits (N, num_classes).

    As `build_network`, with a name of ``COEFFICIENT_NETWORKS`` or a function that is called with
    ``num_classes`` and ``frequencies``: what the network reads of each image.
    """
    return _built(COEFFICIENT_NETWORKS, name, num_classes=num_classes, frequencies=frequencies)


def find_builder(name: str, built_in: Mapping[str, Builder] = BUILT_IN) -> Builder:
    """Find what builds the network of a name; `ConfigurationError` where there is none."""
    if name in built_in:
        return built_in[name]
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(
            f"unknown network {name!r}; built in are {', '.join(built_in)}, and "
            "package.module:function names one of your own"
        )
    try:
        builder: Builder = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"the network {name!r} cannot be imported: {error}; is its folder on PYTHONPATH?"
        ) from error
    if not callable(builder):
        raise ConfigurationError(f"{name} is not a function or class that builds a network")
    return builder


def load_network(name: str, weights: Path, *, num_classes: int, channels: int) -> nn.Module:
    """Build a network and load its weights from a safetensors file, ready for evaluation.

    Raises `ConfigurationError` as :func:`build_network`; `CheckpointError` when the file is missing
    or damaged, or holds the weights of another network.
    """
    network = build_network(name, num_classes=num_classes, channels=channels)
    described = f"{name} for num_classes={num_classes}, channels={channels}"
    set_weights(
        network, read_weights(weights), f"{weights} does not hold the weights of {described}"
    )
    return network


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a network's weights by name from a safetensors file.

    Raises `CheckpointError` where it is missing or damaged.
    """
    try:
        return safetensors.torch.load_file(path)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read as safetensors weights: {error}") from error


def set_weights(network: nn.Module, weights: Mapping[str, Tensor], misfit: str) -> None:
    """Give a network its weights and put it into evaluation mode.

    Raises `CheckpointError`, which begins with ``misfit``, where they are those of another network.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        differences = textwrap.shorten(str(error).partition("\n")[2], 300)
        raise CheckpointError(
            f"{misfit}: {differences} Name the network that they are of, or give weights of this "
            "one"
        ) from error
    network.eval()


def network_sha256(network: nn.Module) -> str:
    """Hash over names, types, shapes and values of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _built(built_in: Mapping[str, Builder], name: str, **settings: Any) -> nn.Module:
    builder = find_builder(name, built_in)
    try:
        network = builder(**settings)
    except TypeError as error:
        shown = ", ".join(f"{setting}={value}" for setting, value in settings.items())
        shown = textwrap.shorten(shown, 60)
        raise ConfigurationError(f"{name} cannot be called with {shown}: {error}") from error
    if not isinstance(network, nn.Module):
        raise ConfigurationError(
            f"{name} returned a {type(network).__name__}; it has to return a torch.nn.Module"
        )
    return network
