"""From a name to a network: the built-in ones, and the user's own."""

from __future__ import annotations

import hashlib
import importlib
import textwrap
from collections.abc import Callable
from pathlib import Path

import safetensors
import safetensors.torch
from torch import nn

from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.tasks.networks.plain import PlainCNN, SmallCNN
from bandwise.tasks.networks.resnet import ResNet

Builder = Callable[..., nn.Module]

BUILT_IN: dict[str, Builder] = {"small-cnn": SmallCNN, "plain-cnn": PlainCNN, "resnet": ResNet}
"""Networks that read pixels in [0, 1]; each is called with (num_classes, channels=...)."""


def build_network(name: str, *, num_classes: int, channels: int) -> nn.Module:
    """Build a network that maps pixels (N, C, H, W) in [0, 1] to logits (N, num_classes).

    Parameters
    ----------
    name
        A built-in name, or ``package.module:function`` for one of your own: a function that is
        called with the keywords ``num_classes`` and ``channels`` and returns an ``nn.Module``.
        Scaling that the network expects, such as ImageNet's mean and deviation, belongs into it.

    Raises
    ------
    ConfigurationError
        When there is no such network, or what was built is not an ``nn.Module``.
    """
    builder = BUILT_IN.get(name) or _imported(name)
    try:
        network = builder(num_classes=num_classes, channels=channels)
    except TypeError as error:
        raise ConfigurationError(
            f"{name} cannot be called with num_classes={num_classes}, channels={channels}: {error}"
        ) from error
    if not isinstance(network, nn.Module):
        raise ConfigurationError(
            f"{name} returned a {type(network).__name__}; it has to return a torch.nn.Module"
        )
    return network


def load_network(name: str, weights: Path, *, num_classes: int, channels: int) -> nn.Module:
    """Build a network and load its weights from a safetensors file, ready for evaluation.

    Raises
    ------
    ConfigurationError
        As :func:`build_network`.
    CheckpointError
        When the file is missing or damaged, or holds the weights of another network.
    """
    network = build_network(name, num_classes=num_classes, channels=channels)
    try:
        network.load_state_dict(safetensors.torch.load_file(weights))
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{weights} cannot be read as safetensors weights: {error}"
        ) from error
    except RuntimeError as error:
        raise CheckpointError(
            f"{weights} does not hold the weights of {name} for {num_classes} classes and "
            f"{channels} channels: {textwrap.shorten(str(error), 300)}"
        ) from error
    return network.eval()


def network_sha256(network: nn.Module) -> str:
    """Hash over names, types, shapes and values of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _imported(name: str) -> Builder:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(
            f"unknown network {name!r}; built in are {', '.join(BUILT_IN)}, and "
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
