"""Models of random weights, and files for them."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bandwise.frequency.dct_domain import CoefficientBatch, FrequencyStatistics
from bandwise.frequency.selection import Frequencies
from bandwise.models.model import Model
from bandwise.models.networks.registry import build_coefficient_network, build_network

CLASSES = ("boot", "dress", "shirt")


def shaken(network: nn.Module) -> nn.Module:
    """Random values for everything that a network learns or takes from a data set.

    What a block begins with, gains of zero, would hide most of it.
    """
    torch.manual_seed(5)
    with torch.no_grad():
        for values in network.parameters():
            values.add_(torch.randn_like(values), alpha=0.1)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                module.running_mean.normal_()
    return network.eval()


def coefficient_model(
    network: str = "resnet-small",
    *,
    channels: int = 3,
    frequencies: Frequencies | None = None,
    **changes: Any,
) -> Model:
    kept = frequencies or Frequencies.whole(channels)
    torch.manual_seed(4)
    module = build_coefficient_network(network, num_classes=len(CLASSES), frequencies=kept)
    spread = torch.linspace(300, 5, 64 * channels)
    selection: Any = module.selection
    selection.standardise(FrequencyStatistics(spread / 10, spread))
    return Model(
        network=network,
        reads="coefficients",
        classes=CLASSES,
        channels=channels,
        grid=(4, 6),
        frequencies=kept,
        module=shaken(module),
        **changes,
    )


def pixel_model(network: str = "resnet-small", *, channels: int = 3) -> Model:
    torch.manual_seed(4)
    module = build_network(network, num_classes=len(CLASSES), channels=channels)
    return Model(
        network=network,
        reads="pixels",
        classes=CLASSES,
        channels=channels,
        grid=(4, 6),
        module=shaken(module),
    )


class Mean(nn.Module):
    """Somebody's own network, small and quick."""

    def __init__(self, *, num_classes: int, frequencies: Frequencies) -> None:
        super().__init__()
        self.kept = list(frequencies.luma)
        self.linear = nn.Linear(len(self.kept), num_classes)

    def forward(self, batch: CoefficientBatch) -> Tensor:
        logits: Tensor = self.linear(batch.luma[:, self.kept].mean((2, 3)))
        return logits


OWN = f"{__name__}:Mean"


def own_model() -> Model:
    kept = Frequencies((0, 1, 8))
    module = Mean(num_classes=len(CLASSES), frequencies=kept)
    return replace(coefficient_model(), network=OWN, frequencies=kept, module=module)
