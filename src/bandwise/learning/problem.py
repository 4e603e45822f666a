"""What tables are learned from: a network, images, and what both say about each frequency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from bandwise.coefficients import COMPONENTS, Subsampling
from bandwise.errors import ConfigurationError
from bandwise.rate import RateCurves
from bandwise.tables import TableSet
from bandwise.tasks import logits_of, to_unit_range
from bandwise.transform import pixels_to_blocks

Maps = dict[str, Tensor]
"""One (8, 8) map a component."""

Listener = Callable[[str, int, int], None]
"""Hears what is being done, how much is done, and how much there is."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Tables that were learned for one price of a bit.

    Attributes
    ----------
    family
        How they were learned: ``sensitivity``, ``gradient`` or ``joint``.
    slope
        λ, the price of a bit in nats of the task's divergence or loss.
    sensitivity
        Fisher information of the network's output about a coefficient, (8, 8) a component.
    """

    family: str
    slope: float
    tables: TableSet
    subsampling: Subsampling
    sensitivity: Maps = field(repr=False)

    @property
    def label(self) -> str:
        """The slope in short, such as ``3.2e-07``."""
        return slope_label(self.slope)


def slope_label(slope: float) -> str:
    """Name a price of a bit by its first two digits."""
    return f"{slope:.2g}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A network that stays as it is, and images whose labels are not needed.

    Parameters
    ----------
    network
        Maps pixels (N, C, H, W) in [0, 1] to logits (N, classes).
    pixels_u8
        (N, C, H, W) uint8: the images to learn from. They have to be originals.
    """

    network: nn.Module
    pixels_u8: Tensor
    subsampling: Subsampling = "4:2:0"
    batch_size: int = 48
    device: torch.device | str = "cpu"

    def __post_init__(self) -> None:
        if not len(self.pixels_u8):
            raise ConfigurationError("there are no images to learn from")

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components of the images."""
        return COMPONENTS[self.pixels_u8.shape[1]]

    def batches(self) -> Iterator[Tensor]:
        """Pixels (N, C, H, W) in [0, 1], batch by batch."""
        for batch in self.pixels_u8.split(self.batch_size):
            yield to_unit_range(batch.to(self.device))

    @cached_property
    def clean_logits(self) -> Tensor:
        """Logits (N, classes) of the originals."""
        return logits_of(
            self.network, self.pixels_u8, batch_size=self.batch_size, device=self.device
        ).clone()

    @cached_property
    def rates(self) -> dict[str, RateCurves]:
        """Bits and squared error of each frequency at each step, a component."""
        parts = [pixels_to_blocks(batch, self.subsampling) for batch in self.batches()]
        return {
            name: RateCurves.measure(torch.cat([part[index] for part in parts]).cpu().numpy())
            for index, name in enumerate(self.components)
        }

    @cached_property
    def blocks(self) -> dict[str, int]:
        """Blocks an image has of each component."""
        planes = pixels_to_blocks(to_unit_range(self.pixels_u8[:1]), self.subsampling)
        return {
            name: plane.shape[1] * plane.shape[2]
            for name, plane in zip(self.components, planes, strict=True)
        }


def frozen(network: nn.Module) -> nn.Module:
    """The network in evaluation mode, its parameters closed to gradients."""
    return network.eval().requires_grad_(False)
