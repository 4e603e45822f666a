"""Layers that the image networks share, and the front of every network on coefficients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct_domain import CoefficientBatch, FrequencyStatistics
from bandwise.frequency.selection import Frequencies


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


class FrequencySelection(nn.Module):
    """Keep some frequencies, standardise them, and multiply each by its learned weight.

    Weights are ``softmax(a)`` scaled to mean one over the kept frequencies, as band weights are
    elsewhere, each frequency being a band; all are one at first. Only what is kept is computed.

    Parameters
    ----------
    frequencies
        What is kept.
    """

    mean: Tensor
    scale: Tensor
    luma: Tensor
    chroma: Tensor

    def __init__(self, frequencies: Frequencies) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.logits = nn.Parameter(torch.zeros(len(frequencies)))
        self.register_buffer("mean", torch.zeros(len(frequencies)))
        self.register_buffer("scale", torch.ones(len(frequencies)))
        for name, chosen in (("luma", frequencies.luma), ("chroma", frequencies.chroma)):
            index = torch.tensor(chosen, dtype=torch.int64)
            self.register_buffer(name, index, persistent=False)

    def standardise(self, statistics: FrequencyStatistics) -> None:
        """Take the mean and deviation of a data set's frequencies, (64,) or (192,).

        A deviation below one level counts as one: what the files hardly hold is not blown up.
        """
        kept = torch.tensor(self.frequencies.kept)
        if int(kept[-1]) >= len(statistics.mean):
            raise ConfigurationError(
                f"frequency {int(kept[-1])} is kept, and the images have {len(statistics.mean)}"
            )
        self.mean.copy_(statistics.mean[kept])
        self.scale.copy_(statistics.deviation[kept].clamp(min=1).reciprocal())

    def weights(self) -> Tensor:
        """Weights of the kept frequencies, mean one."""
        return torch.softmax(self.logits, 0) * len(self.frequencies)

    def forward(self, batch: CoefficientBatch) -> tuple[Tensor, Tensor | None]:
        """Kept and standardised channels of luma, and of chroma if any is kept."""
        scale = self.scale * self.weights()
        shift = self.mean * scale
        split = len(self.frequencies.luma)
        luma = _selected(batch.luma, self.luma, scale[:split], shift[:split])
        if split == len(self.frequencies):
            return luma, None
        if batch.chroma is None:
            raise ShapeError("this network reads colour images, got grey ones")
        return luma, _selected(batch.chroma, self.chroma, scale[split:], shift[split:])


def _selected(plane: Tensor, index: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    kept = plane if len(index) == plane.shape[1] else plane.index_select(1, index)
    return kept * scale.view(-1, 1, 1) - shift.view(-1, 1, 1)
