"""Tables and network learned together, as the paper learns band weights: loss + λ · bits.

The network is trained on through differentiable quantisation; each step moves its weights by SGD
and the tables by Adam. It needs labels. Afterwards the tables are as good as the network that was
learned with them, so such a candidate is measured with a network that was retrained on its files.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from bandwise.data import LabelledImages
from bandwise.frequency.compressors import Compressed, QuantisedBands
from bandwise.frequency.rate import estimate_bits
from bandwise.learning.sensitivity import Candidate
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.training.networks import NetworkConfig, TrainableTransform, train_network

FAMILY = "joint"
TABLE_LR = 0.01


class TrainableTables(TrainableTransform):
    """Quantisation tables behind which a network is trained; the penalty is λ times their bits."""

    def __init__(self, start: Candidate) -> None:
        super().__init__()
        self.bands = QuantisedBands(start.tables, subsampling=start.subsampling)
        self._lagrangian = start.lagrangian
        self._compressed: Compressed | None = None

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels (N, C, H, W) in [0, 1] as the file's decoder shows them."""
        self._compressed = self.bands(pixels)
        return self._compressed.pixels

    def penalty(self) -> Tensor:
        """λ · bits an image of the pixels that were changed last."""
        assert self._compressed is not None
        bits = estimate_bits(self._compressed.quantised, subsampling=self.bands.subsampling)
        return self._lagrangian * bits.mean()

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam of the logarithms of the steps."""
        return torch.optim.Adam(self.bands.parameters(), lr=TABLE_LR)


def joint_candidate(
    start: Candidate,
    network: nn.Module,
    train: LabelledImages,
    *,
    validation: LabelledImages,
    num_classes: int,
    config: NetworkConfig,
    device: torch.device | str = "cpu",
    stage: str = "training",
    progress: ProgressCallback = ignore_progress,
) -> tuple[Candidate, nn.Module]:
    """Learn on from ``start`` and a copy of ``network``; returns the tables and the network."""
    tables = TrainableTables(start).to(device)
    learned = copy.deepcopy(network).requires_grad_(True)
    train_network(
        learned,
        train,
        validation=validation,
        num_classes=num_classes,
        config=config,
        transform=tables,
        device=device,
        stage=stage,
        progress=progress,
    )
    return replace(start, family=FAMILY, tables=tables.bands.tables()), learned
