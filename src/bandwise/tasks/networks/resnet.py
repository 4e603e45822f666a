"""A compact residual network for photographs of 64 to 256 pixels a side."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.tasks.networks.layers import ConvNorm, Head, Standardise

WIDTHS = (32, 64, 128, 256)
DEPTHS = (1, 1, 2, 1)


class ResNet(nn.Module):
    """Residual network with squeeze-and-excitation: 1.6 million parameters in colour.

    Basic blocks (He et al., "Deep residual learning", CVPR 2016) with squeeze-and-excitation (Hu
    et al., CVPR 2018) and shortcuts that average before they project (ResNet-D; He et al., "Bag
    of tricks", CVPR 2019). The stem reduces the side by 4, the stages by 8 more. Reads pixels in
    [0, 1] of any size from 32.
    """

    def __init__(self, num_classes: int, *, channels: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Standardise(),
            ConvNorm(channels, WIDTHS[0], stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        blocks: list[nn.Module] = []
        inputs = WIDTHS[0]
        for stage, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
            for index in range(depth):
                stride = 2 if stage and not index else 1
                blocks.append(_Block(inputs, width, stride))
                inputs = width
        self.stages = nn.Sequential(*blocks)
        self.head = Head(inputs, num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.stages(self.stem(pixels)))
        return logits


class _Block(nn.Module):
    """Two convolutions, channel weights, and the shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
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
        branch = self.second(F.relu(self.first(features)))
        summary = F.relu(self.squeeze(branch.mean((2, 3))))
        branch = branch * torch.sigmoid(self.excite(summary))[:, :, None, None]
        return F.relu(branch + self.shortcut(features))
