from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks.registry import (
    BUILT_IN,
    build_coefficient_network,
    build_network,
    load_network,
    network_sha256,
)


def own(*, num_classes: int, channels: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


def no_network(*, num_classes: int, channels: int) -> int:
    return num_classes * channels


OWN = f"{__name__}:own"


@pytest.mark.parametrize("name", [*BUILT_IN, OWN])
@pytest.mark.parametrize("channels", [1, 3])
def test_networks_map_pixels_to_logits_and_learn(name: str, channels: int) -> None:
    network = build_network(name, num_classes=5, channels=channels)
    logits = network(torch.rand(4, channels, 32, 32))
    assert logits.shape == (4, 5)
    logits.square().sum().backward()
    assert all(value.grad is not None for value in network.parameters())


@pytest.mark.parametrize("name", BUILT_IN)
def test_networks_read_any_size_from_32(name: str) -> None:
    network = build_network(name, num_classes=2, channels=1).eval()
    for side in (32, 33, 47, 64):
        assert network(torch.rand(1, 1, 40, side)).shape == (1, 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alexnet", "built in are small-cnn, plain-cnn, resnet"),
        ("no.such.module:net", "cannot be imported"),
        (f"{__name__}:missing", "cannot be imported"),
        (f"{__name__}:OWN", "is not a function"),
        (f"{__name__}:no_network", r"returned a int; it has to return a torch\.nn\.Module"),
        ("builtins:abs", "cannot be called with num_classes=5"),
    ],
)
def test_bad_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build_network(name, num_classes=5, channels=1)


@pytest.mark.parametrize("name", ["small-cnn", "builtins:abs"])
def test_networks_of_pixels_are_no_networks_of_coefficients(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"built in are resnet, |cannot be called with"):
        build_coefficient_network(name, num_classes=3, frequencies=Frequencies.whole(1))


def test_weights_come_back(tmp_path: Path) -> None:
    network = build_network(OWN, num_classes=3, channels=1)
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(network.state_dict(), path)
    loaded = load_network(OWN, path, num_classes=3, channels=1)
    assert network_sha256(loaded) == network_sha256(network)
    assert not loaded.training


def test_hash_depends_on_every_weight() -> None:
    network = build_network("small-cnn", num_classes=3, channels=1)
    before = network_sha256(network)
    with torch.no_grad():
        next(reversed(list(network.parameters())))[0] += 1e-3
    assert network_sha256(network) != before


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(own(num_classes=3, channels=1).state_dict(), path)
    with pytest.raises(CheckpointError, match=r"weights of .* for num_classes=4.* 2\.weight"):
        load_network(OWN, path, num_classes=4, channels=1)
    with pytest.raises(CheckpointError, match="Missing key") as error:
        load_network("small-cnn", path, num_classes=3, channels=1)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize("content", [None, b"", b"not safetensors"])
def test_unreadable_weights_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        load_network(OWN, path, num_classes=3, channels=1)
