"""Convolutional networks without shortcuts: another architecture, and a small quick one."""

from __future__ import annotations

from torch import Tensor, nn

from bandwise.tasks.networks.layers import ConvNorm, Head, Standardise


class PlainCNN(nn.Module):
    """Stack of convolutions and poolings (in the manner of Simonyan and Zisserman, ICLR 2015).

    1.1 million parameters in colour. Reads pixels in [0, 1] of any size from 32.
    """

    WIDTHS = (24, 48, 96, 160, 192)

    def __init__(self, num_classes: int, *, channels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            Standardise(),
            ConvNorm(channels, self.WIDTHS[0], 5, stride=2),
            nn.ReLU(),
        ]
        for inputs, outputs in zip(self.WIDTHS, self.WIDTHS[1:], strict=False):
            layers += [ConvNorm(inputs, outputs), nn.MaxPool2d(2), nn.ReLU()]
            layers += [ConvNorm(outputs, outputs), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = Head(self.WIDTHS[-1], num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.features(pixels))
        return logits


class SmallCNN(nn.Module):
    """Three convolutions for small grey or colour images, such as digits and garments.

    0.1 million parameters. Reads pixels in [0, 1] of any size from 8.
    """

    WIDTHS = (32, 64, 96)

    def __init__(self, num_classes: int, *, channels: int = 3) -> None:
        super().__init__()
        first, second, third = self.WIDTHS
        self.features = nn.Sequential(
            Standardise(),
            ConvNorm(channels, first),
            nn.ReLU(),
            nn.MaxPool2d(2),
            ConvNorm(first, second),
            nn.ReLU(),
            nn.MaxPool2d(2),
            ConvNorm(second, third),
            nn.ReLU(),
        )
        self.head = Head(third, num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.features(pixels))
        return logits
