"""What the image networks share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Standardise(nn.Module):
    """Pixels in [0, 1] to roughly zero mean and unit variance, the same for every channel.

    Networks hold this themselves, so that what they are given is what a file decodes to.
    """

    MEAN, DEVIATION = 0.5, 0.25

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1] to the same shape."""
        return (pixels - self.MEAN) / self.DEVIATION


class ConvNorm(nn.Sequential):
    """Convolution without bias, padded to keep the size at stride 1, and batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )

    @property
    def gain(self) -> nn.Parameter:
        """Scale of the normalisation, (outputs,)."""
        norm = self[1]
        assert isinstance(norm, nn.BatchNorm2d)
        return norm.weight


class Head(nn.Module):
    """Mean over positions, dropout, linear: (N, C, H, W) to logits (N, classes)."""

    def __init__(self, channels: int, num_classes: int, *, dropout: float = 0.2) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (N, classes)."""
        logits: Tensor = self.linear(self.dropout(torch.mean(features, (2, 3))))
        return logits


class ResidualBlock(nn.Module):
    """Two convolutions, channel weights (squeeze and excitation), and the shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, stride=stride)
        self.second = ConvNorm(outputs, outputs)
        nn.init.zeros_(self.second.gain)  # a block starts as its shortcut
        self.squeeze = nn.Linear(outputs, outputs // 8)
        self.excite = nn.Linear(outputs // 8, outputs)
        self.shortcut = nn.Sequential(
            # rounds the size up, as the strided convolution beside it does
            nn.AvgPool2d(2, ceil_mode=True) if stride == 2 else nn.Identity(),
            ConvNorm(inputs, outputs, 1) if inputs != outputs else nn.Identity(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        branch = self.second(F.relu(self.first(features)))
        summary = F.relu(self.squeeze(branch.mean((2, 3))))
        branch = branch * torch.sigmoid(self.excite(summary))[:, :, None, None]
        return F.relu(branch + self.shortcut(features))
