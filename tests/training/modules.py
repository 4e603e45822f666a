"""What the tests of training share."""

import torch
from torch import Tensor, nn

from bandwise.training.networks import TrainableTransform


class Stopped(Exception):
    """Ends a training before its end."""


class Brightness(TrainableTransform):
    """Adds a learned ramp, whose square is penalised."""

    def __init__(self) -> None:
        super().__init__()
        self.added = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels + self.added * torch.linspace(0, 1, pixels.shape[-1])

    def penalty(self) -> Tensor:
        return 10 * self.added.square()

    def optimiser(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.05)
