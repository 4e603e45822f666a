"""The paper's classifier: a small 1-D CNN on the coefficients, read row by row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.models.networks.sequence_trunk import SequenceTrunk

FIRST_CHANNELS = 16
SECOND_CHANNELS = 32
HIDDEN = 128


class SequenceCNN(nn.Module):
    """Conv1d 16, ReLU, max-pool 2, Conv1d 32, ReLU, max-pool 2, linear 128, ReLU, linear.

    The kernel size is not given in the paper; here it is 3 with padding 1. The features between
    the convolutions and the hidden layer are ordered by position, then channel (PyTorch's
    ``Flatten`` would order them by channel, then position): the same function under a
    permutation of the hidden layer's columns, without a transposition in every step.

    On a CPU and with one channel the convolutions run as :class:`SequenceTrunk`, which computes
    the same values and gradients in about half the time; elsewhere as PyTorch's own.

    Parameters
    ----------
    length
        Coefficients in a plane, H·W; at least 4.
    num_classes
        Number of logits.
    channels
        Planes an image: 1 grey, 3 colour.
    """

    def __init__(self, length: int, num_classes: int, *, channels: int = 1) -> None:
        super().__init__()
        if length < 4:
            raise ConfigurationError(f"two poolings need a sequence of 4 or more, got {length}")
        self.length = length
        self.channels = channels
        self.first = nn.Conv1d(channels, FIRST_CHANNELS, 3, padding=1)
        self.second = nn.Conv1d(FIRST_CHANNELS, SECOND_CHANNELS, 3, padding=1)
        hidden = nn.Linear(length // 4 * SECOND_CHANNELS, HIDDEN)
        self.hidden_weight = nn.Parameter(hidden.weight.detach().T.contiguous())
        self.hidden_bias = nn.Parameter(hidden.bias.detach())
        self.last = nn.Linear(HIDDEN, num_classes)

    def forward(self, coefficients: Tensor) -> Tensor:
        """Logits (N, num_classes) of coefficients (N, channels, H, W) or (N, channels, H·W)."""
        sequence = coefficients.flatten(2)
        if sequence.shape[1:] != (self.channels, self.length):
            raise ShapeError(
                f"this network reads {self.channels} plane(s) of {self.length} coefficients, "
                f"got {tuple(coefficients.shape)}"
            )
        features = self._features(sequence)
        hidden = torch.addmm(self.hidden_bias, features, self.hidden_weight)
        logits: Tensor = self.last(F.relu(hidden))
        return logits

    def _features(self, sequence: Tensor) -> Tensor:
        """Features (N, length // 4 · 32), ordered by position, then channel."""
        if SequenceTrunk.serves(sequence):
            first_bias, second_bias = self.first.bias, self.second.bias
            assert first_bias is not None
            assert second_bias is not None
            return SequenceTrunk.run(
                sequence.flatten(1), self.first.weight, first_bias, self.second.weight, second_bias
            )
        maps = F.max_pool1d(F.relu(self.first(sequence)), 2)
        maps = F.max_pool1d(F.relu(self.second(maps)), 2)
        return maps.transpose(1, 2).flatten(1)
