"""A compact residual network for photographs of 64 to 256 pixels a side."""

from __future__ import annotations

from torch import Tensor, nn

from bandwise.tasks.networks.layers import ConvNorm, Head, ResidualBlock, Standardise

GROWTH = (1, 2, 4, 8)
DEPTHS = (1, 1, 2, 1)


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
        blocks: list[nn.Module] = []
        inputs = width
        for stage, (growth, depth) in enumerate(zip(GROWTH, DEPTHS, strict=True)):
            for index in range(depth):
                stride = 2 if stage and not index else 1
                blocks.append(ResidualBlock(inputs, growth * width, stride=stride))
                inputs = growth * width
        self.stages = nn.Sequential(*blocks)
        self.head = Head(inputs, num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.head(self.stages(self.stem(pixels)))
        return logits
