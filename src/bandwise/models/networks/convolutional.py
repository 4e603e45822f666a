"""Convolutional networks: two without shortcuts, and a residual one that has a twin.

`ResNet` reads pixels; `CoefficientResNet` reads JPEG's coefficients:

    luma, H/8 × W/8    → stem → block ────────→ block, stride 2 ─┐
    chroma, H/16 × W/16 → stem ──────────────────────────────────┴→ blocks → logits

An 8×8 block takes the place of the stem and of the first stages, which halve the side three times
(Gueguen et al., "Faster neural networks straight from JPEG", NeurIPS 2018); chroma joins where luma
has come down to its resolution.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn

from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks.layers import (
    ConvNorm,
    FrequencySelection,
    Head,
    ResidualBlock,
    Standardise,
)


class _Sequential(nn.Module):
    """Layers, then a head."""

    def __init__(self, layers: Iterable[nn.Module], outputs: int, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*layers)
        self.head = Head(outputs, num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.features(pixels))
        return logits


class SmallCNN(_Sequential):
    """Three convolutions for small grey or colour images, such as digits and garments.

    0.1 million parameters. Reads pixels in [0, 1] of any size from 8.
    """

    WIDTHS = (32, 64, 96)

    def __init__(self, num_classes: int, *, channels: int = 3) -> None:
        layers: list[nn.Module] = [Standardise(), ConvNorm(channels, self.WIDTHS[0]), nn.ReLU()]
        for inputs, outputs in pairwise(self.WIDTHS):
            layers += [nn.MaxPool2d(2), ConvNorm(inputs, outputs), nn.ReLU()]
        super().__init__(layers, self.WIDTHS[-1], num_classes)


class PlainCNN(_Sequential):
    """Stack of convolutions and poolings (in the manner of Simonyan and Zisserman, ICLR 2015).

    1.1 million parameters in colour. Reads pixels in [0, 1] of any size from 32.
    """

    WIDTHS = (24, 48, 96, 160, 192)

    def __init__(self, num_classes: int, *, channels: int = 3) -> None:
        layers = [Standardise(), ConvNorm(channels, self.WIDTHS[0], 5, stride=2), nn.ReLU()]
        for inputs, outputs in pairwise(self.WIDTHS):
            layers += [ConvNorm(inputs, outputs), nn.MaxPool2d(2), nn.ReLU()]
            layers += [ConvNorm(outputs, outputs), nn.ReLU()]
        super().__init__(layers, self.WIDTHS[-1], num_classes)


class ResNet(nn.Module):
    """Residual network with squeeze-and-excitation: 1.6 million parameters in colour.

    Basic blocks (He et al., "Deep residual learning", CVPR 2016) with squeeze-and-excitation (Hu
    et al., CVPR 2018) and shortcuts that average before they project (ResNet-D; He et al., "Bag
    of tricks", CVPR 2019). The stem reduces the side by 4, the stages by 8 more. Reads pixels in
    [0, 1] of any size from 32.

    Parameters
    ----------
    width
        Channels of the first stage; 2, 4 and 8 times as many follow.
    """

    def __init__(self, num_classes: int, *, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Standardise(),
            ConvNorm(channels, width, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        self.stages = nn.Sequential(
            ResidualBlock(width, width),
            ResidualBlock(width, 2 * width, stride=2),
            ResidualBlock(2 * width, 4 * width, stride=2),
            ResidualBlock(4 * width, 4 * width),
            ResidualBlock(4 * width, 8 * width, stride=2),
        )
        self.head = Head(8 * width, num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.stages(self.stem(pixels)))
        return logits


class CoefficientResNet(nn.Module):
    """Residual network on coefficients: with all of colour's 1.5 million parameters.

    The twin of `ResNet`, whose later stages it has.

    Parameters
    ----------
    frequencies
        What it reads of each image; all of colour if not given.
    width
        Channels of the first stage; 2, 2 and 4 times as many follow.
    """

    def __init__(
        self, num_classes: int, *, frequencies: Frequencies | None = None, width: int = 64
    ) -> None:
        super().__init__()
        self.selection = FrequencySelection(frequencies or Frequencies.whole(3))
        luma, chroma = self.selection.frequencies.luma, self.selection.frequencies.chroma
        joined = width // 2 if chroma else 0
        self.luma = nn.Sequential(
            ConvNorm(len(luma), width),
            nn.ReLU(),
            ResidualBlock(width, width),
            ResidualBlock(width, 2 * width - joined, stride=2),
        )
        self.chroma = nn.Sequential(ConvNorm(len(chroma), joined), nn.ReLU()) if chroma else None
        self.stages = nn.Sequential(
            ResidualBlock(2 * width, 2 * width),
            ResidualBlock(2 * width, 4 * width, stride=2),
        )
        self.head = Head(4 * width, num_classes)

    def forward(self, batch: CoefficientBatch) -> Tensor:
        """Logits (N, num_classes)."""
        luma, chroma = self.selection(batch)
        features = self.luma(luma)
        if self.chroma is not None:
            features = torch.cat([features, self.chroma(chroma)], 1)
        logits: Tensor = self.head(self.stages(features))
        return logits
