"""A residual network that reads JPEG's coefficients in place of pixels.

    luma, H/8 × W/8    → stem → block ────────→ block, stride 2 ─┐
    chroma, H/16 × W/16 → stem ──────────────────────────────────┴→ blocks → logits

An 8×8 block takes the place of the stem and of the first stages, which halve the side three times
(Gueguen et al., "Faster neural networks straight from JPEG", NeurIPS 2018); chroma joins where luma
has come down to its resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bandwise.dct_domain import CoefficientBatch
from bandwise.frequencies import Frequencies
from bandwise.tasks.networks.frequency_stem import FrequencySelection
from bandwise.tasks.networks.layers import ConvNorm, Head, ResidualBlock


class CoefficientResNet(nn.Module):
    """Residual network on coefficients: with all of colour's 1.5 million parameters.

    The twin of :class:`ResNet`, whose later stages it has.

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
