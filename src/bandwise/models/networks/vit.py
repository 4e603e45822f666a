"""Small vision transformers: one reads JPEG's coefficients, its twin pixels.

    luma blocks, H/8 × W/8  → linear → layers → 2×2 joined ─┐
    chroma blocks, H/16 × W/16 → linear ────────────────────┴ + → layers → logits

A token is an 8×8 block (Dosovitskiy et al., ICLR 2021; of coefficients: Park and Johnson, "RGB no
more", CVPR 2023). Joining four tokens into one (as Liu et al., "Swin", ICCV 2021) brings luma to
the resolution that chroma has in a file. The twin makes tokens of 8×8 pixels and is the same then.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks.layers import FrequencySelection, Standardise

WIDTHS = (96, 192)
DEPTHS = (2, 4)
PATCH = 8


class CoefficientViT(nn.Module):
    """Vision transformer on coefficients: with all of colour's 1.4 million parameters.

    Parameters
    ----------
    frequencies
        What it reads of each image; all of colour if not given.
    """

    def __init__(self, num_classes: int, *, frequencies: Frequencies | None = None) -> None:
        super().__init__()
        self.selection = FrequencySelection(frequencies or Frequencies.whole(3))
        kept = self.selection.frequencies
        self.luma = nn.Conv2d(len(kept.luma), WIDTHS[0], 1)
        self.chroma = nn.Conv2d(len(kept.chroma), WIDTHS[1], 1) if kept.chroma else None
        self.trunk = _Trunk(num_classes)

    def forward(self, batch: CoefficientBatch) -> Tensor:
        """Logits (N, num_classes)."""
        luma, chroma = self.selection(batch)
        joined = None if self.chroma is None else self.chroma(chroma)
        logits: Tensor = self.trunk(self.luma(luma), joined)
        return logits


class ViT(nn.Module):
    """Vision transformer on pixels in [0, 1] of any size from 16; best are multiples of 16."""

    def __init__(self, num_classes: int, *, channels: int = 3) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            Standardise(), nn.Conv2d(channels, WIDTHS[0], PATCH, stride=PATCH)
        )
        self.trunk = _Trunk(num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, num_classes) of pixels (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.trunk(self.patches(pixels), None)
        return logits


class _Trunk(nn.Module):
    """From tokens on a grid to logits; other tokens may join halfway."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        first, second = WIDTHS
        self.before = nn.Sequential(*(_layer(first) for _ in range(DEPTHS[0])))
        self.join = nn.Conv2d(first, second, 2, stride=2)
        self.after = nn.Sequential(*(_layer(second) for _ in range(DEPTHS[1])))
        self.head = nn.Sequential(
            nn.LayerNorm(second), nn.Dropout(0.1), nn.Linear(second, num_classes)
        )

    def forward(self, tokens: Tensor, joining: Tensor | None) -> Tensor:
        """Logits of tokens (N, 96, rows, columns), others (N, 192, rows/2, columns/2) joining."""
        rows, columns = tokens.shape[2:]
        tokens = F.pad(tokens, (0, columns % 2, 0, rows % 2))
        tokens = self.join(_attend(self.before, tokens))
        if joining is not None:
            tokens = tokens + joining
        logits: Tensor = self.head(_attend(self.after, tokens).mean((2, 3)))
        return logits


def _attend(layers: nn.Sequential, tokens: Tensor) -> Tensor:
    """Layers on tokens (N, C, rows, columns), with their places added."""
    count, width, rows, columns = tokens.shape
    sequence = tokens.flatten(2).transpose(1, 2) + positions(rows, columns, width).to(tokens.device)
    sequence = layers(sequence)
    attended: Tensor = sequence.transpose(1, 2).reshape(count, width, rows, columns)
    return attended


def positions(rows: int, columns: int, width: int) -> Tensor:
    """Sines and cosines of row and column, (rows · columns, width); any grid has them."""
    rates = torch.exp(torch.arange(width // 4) * (-math.log(10_000) / (width // 4)))
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angles = [place.flatten()[:, None] * rates for place in (row, column)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], 1)


def _layer(width: int) -> nn.Module:
    return nn.TransformerEncoderLayer(
        width,
        nhead=width // 32,
        dim_feedforward=2 * width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
