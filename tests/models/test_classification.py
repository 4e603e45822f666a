import pytest
import torch
from torch import nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct import dct2
from bandwise.models.classification import Classification, per_class_accuracy


class Echo(nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.seen = inputs
        return inputs.flatten(1)[:, :3]


def test_the_network_reads_what_was_asked() -> None:
    pixels = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    network = Echo()
    Classification(network)(dct2(pixels))
    torch.testing.assert_close(network.seen, dct2(pixels))
    Classification(network, reads="pixels")(dct2(pixels))
    torch.testing.assert_close(network.seen, pixels)


def test_loss_and_metric() -> None:
    task = Classification(Echo())
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    labels = torch.tensor([0, 1])
    expected = -torch.log_softmax(logits, 1)[[0, 1], labels].mean()
    torch.testing.assert_close(task.loss(logits, labels), expected)
    assert task.correct(logits, labels).tolist() == [True, False]


def test_per_class_accuracy_counts_within_classes() -> None:
    correct = torch.tensor([True, False, True, True])
    labels = torch.tensor([0, 0, 2, 2])
    accuracy = per_class_accuracy(correct, labels, 3)
    assert accuracy[0] == 0.5
    assert accuracy[1].isnan()
    assert accuracy[2] == 1.0


def test_bad_networks_and_settings_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 4, 4\)"):
        Classification(nn.Flatten(2, 2))(torch.zeros(2, 4, 4))
    with pytest.raises(ConfigurationError, match="wavelets"):
        Classification(Echo(), reads="wavelets")  # type: ignore[arg-type]
