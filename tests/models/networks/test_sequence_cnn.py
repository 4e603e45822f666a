"""The fast network against PyTorch's own layers, put together as the paper writes them."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.models.networks.sequence_cnn import SequenceCNN, SequenceTrunk

CLASSES = 10


def plain(length: int, channels: int = 1) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv1d(channels, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(length // 4 * 32, 128),
        nn.ReLU(),
        nn.Linear(128, CLASSES),
    )


def same_weights(reference: nn.Sequential, length: int, channels: int = 1) -> SequenceCNN:
    network = SequenceCNN(length, CLASSES, channels=channels)
    first, _, _, second, _, _, _, hidden, _, last = reference
    for target, source in ((network.first, first), (network.second, second), (network.last, last)):
        target.load_state_dict(source.state_dict())
    assert isinstance(hidden, nn.Linear)
    with torch.no_grad():
        network.hidden_weight.copy_(by_position(hidden.weight))
        network.hidden_bias.copy_(hidden.bias)
    return network


def by_position(hidden_weight: torch.Tensor) -> torch.Tensor:
    """(128, 32 · positions), channel-major, to (positions · 32, 128)."""
    return hidden_weight.reshape(128, 32, -1).permute(2, 1, 0).flatten(0, 1)


@given(
    images=st.integers(1, 70),
    quarter=st.integers(1, 30),
    odd=st.integers(0, 3),
    channels=st.sampled_from([1, 3]),
)
def test_loss_and_gradients_equal_the_plain_network(
    images: int, quarter: int, odd: int, channels: int
) -> None:
    length = 4 * quarter + odd
    reference = plain(length, channels)
    network = same_weights(reference, length, channels)
    generator = torch.Generator().manual_seed(images)
    inputs = torch.randn(images, channels, length, generator=generator)
    labels = torch.randint(0, CLASSES, (images,), generator=generator)
    ours, theirs = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    loss = F.cross_entropy(network(ours), labels)
    expected = F.cross_entropy(reference(theirs), labels)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=0)
    wanted = {name: parameter.grad for name, parameter in reference.named_parameters()}
    assert wanted["7.weight"] is not None
    names = {
        "first.weight": wanted["0.weight"],
        "first.bias": wanted["0.bias"],
        "second.weight": wanted["3.weight"],
        "second.bias": wanted["3.bias"],
        "hidden_weight": by_position(wanted["7.weight"]),
        "hidden_bias": wanted["7.bias"],
        "last.weight": wanted["9.weight"],
        "last.bias": wanted["9.bias"],
    }
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, names[name], atol=1e-5, rtol=0)


def test_the_papers_size_in_several_chunks() -> None:
    reference = plain(784)
    network = same_weights(reference, 784)
    inputs = torch.randn(100, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert SequenceTrunk.serves(inputs.flatten(2))
    torch.testing.assert_close(network(inputs), reference(inputs.flatten(2)), atol=1e-5, rtol=0)


def test_ties_go_to_the_first_as_in_max_pool() -> None:
    reference = plain(16)
    network = same_weights(reference, 16)
    inputs = torch.ones(2, 1, 16)
    network(inputs).sum().backward()
    reference(inputs).sum().backward()
    expected = dict(reference.named_parameters())["3.weight"].grad
    torch.testing.assert_close(network.second.weight.grad, expected, atol=1e-5, rtol=0)


def test_bad_sizes_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="got 3"):
        SequenceCNN(3, CLASSES)
    with pytest.raises(ShapeError, match="784"):
        SequenceCNN(784, CLASSES)(torch.zeros(2, 1, 27, 28))
