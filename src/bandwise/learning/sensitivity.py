"""What a network's output depends on: of coefficients, for tables, and of whole frequencies.

A small change e of the coefficients x moves the network's output distribution p by

    KL(p(x) || p(x + e)) ≈ ½ eᵀ F e,     F = E_{c ~ p} [∇ log p_c ∇ log p_cᵀ]

(the Fisher information about x), one gradient an image. With the diagonal of F averaged over blocks
and images, the divergence of tables q is ½ Σ F_f D_f(q_f), where D_f is the measured squared error
of frequency f; its rate is Σ R_f(q_f). Both are sums over frequencies, so that the least of

    ½ F_f D_f(q) + λ R_f(q)        over the steps q = 1..255

is found for each frequency on its own, and each λ, in nats a bit, gives a point of the whole curve.
(The allocation is that of Shoham and Gersho, "Efficient bit allocation for an arbitrary set of
quantizers", IEEE Trans. ASSP, 1988.)

Without frequency f a network sees x − e, e being all its coefficients less their mean, in every
block of the image: ½ E_{c ~ p} [(∇ log p_c · e)²] is a sum over all blocks before it is squared. A
frequency that matters little in each block, but alike in all, matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.errors import ConfigurationError
from bandwise.frequency.coefficients import COMPONENTS, Subsampling
from bandwise.frequency.dct_domain import CoefficientBatch, FrequencyStatistics
from bandwise.frequency.rate import RateCurves
from bandwise.frequency.tables import QuantTable, TableSet
from bandwise.frequency.transform import blocks_to_pixels, pixels_to_blocks
from bandwise.models.classification import to_unit_range
from bandwise.progress import Progress, ProgressCallback, ignore_progress

FAMILY = "sensitivity"

SECOND_TABLE_BITS = 8 * 69
"""A DQT segment: marker, length, identifier and 64 steps (ITU-T T.81, B.2.4.1)."""

Maps = dict[str, Tensor]
"""One (8, 8) map a component."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Tables that were learned for one λ.

    Attributes
    ----------
    family
        How they were learned: ``sensitivity`` or ``joint``.
    lagrangian
        λ, in nats of the task's divergence or loss a bit.
    sensitivity
        Fisher information of the network's output about a coefficient, (8, 8) a component.
    """

    family: str
    lagrangian: float
    tables: TableSet
    subsampling: Subsampling
    sensitivity: Maps = field(repr=False)

    @property
    def label(self) -> str:
        """λ in short, such as ``3.2e-07``."""
        return lagrangian_label(self.lagrangian)


def lagrangian_label(lagrangian: float) -> str:
    """λ by its first two digits."""
    return f"{lagrangian:.2g}"


@dataclass(frozen=True, kw_only=True, eq=False)
class SensitivityInput:
    """A network that stays as it is, and images whose labels are not needed.

    Raises `ConfigurationError` where there are no images.

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

    @cached_property
    def blocks(self) -> list[list[Tensor]]:
        """Of each batch the components' coefficients (N, rows, columns, 8, 8)."""
        return [
            pixels_to_blocks(to_unit_range(batch.to(self.device)), self.subsampling)
            for batch in self.pixels_u8.split(self.batch_size)
        ]

    @cached_property
    def rates(self) -> dict[str, RateCurves]:
        """Bits and squared error of each frequency at each step, a component."""
        return {
            name: RateCurves.measure(torch.cat(planes).cpu().numpy())
            for name, *planes in zip(self.components, *self.blocks, strict=True)
        }


def fisher_information(
    given: SensitivityInput, *, seed: int = 0, progress: ProgressCallback = ignore_progress
) -> Maps:
    """Diagonal of the Fisher information about each coefficient, mean over blocks and images.

    One gradient an image: that of the log-probability of a class which is drawn from the network's
    own output, so no labels are needed. Returns (8, 8) float64 a component, in nats a squared
    coefficient, natural order.
    """
    network = frozen(given.network)
    generator = torch.Generator().manual_seed(seed)
    height, width = given.pixels_u8.shape[-2:]
    found: dict[str, list[Tensor]] = {name: [] for name in given.components}
    done = 0
    for blocks in given.blocks:
        planes = [plane.detach().requires_grad_() for plane in blocks]
        seen = blocks_to_pixels(planes, (height, width), given.subsampling)
        log_probabilities = F.log_softmax(network(seen), dim=1)
        drawn = torch.multinomial(log_probabilities.detach().exp().cpu(), 1, generator=generator)
        total = log_probabilities.gather(1, drawn.to(log_probabilities.device)).sum()
        gradients = torch.autograd.grad(total, planes)
        for name, gradient in zip(given.components, gradients, strict=True):
            found[name].append(gradient.double().square().mean((1, 2)).cpu())
        done += len(seen)
        progress(Progress(stage="measuring sensitivity", done=done, total=len(given.pixels_u8)))
    return {name: torch.cat(parts).mean(0) for name, parts in found.items()}


def sensitivity_candidates(
    given: SensitivityInput,
    lagrangians: Sequence[float],
    *,
    progress: ProgressCallback = ignore_progress,
) -> Iterator[Candidate]:
    """Yield the tables of each λ; the network is looked at once for all."""
    sensitivity = fisher_information(given, progress=progress)
    for lagrangian in lagrangians:
        yield Candidate(
            family=FAMILY,
            lagrangian=lagrangian,
            tables=allocate(given, sensitivity, lagrangian),
            subsampling=given.subsampling,
            sensitivity=sensitivity,
        )


def allocate(given: SensitivityInput, sensitivity: Maps, lagrangian: float) -> TableSet:
    """Tables with the least ½ Σ F D + λ Σ R; Cb and Cr share one table.

    Where files are so small that the bytes of a second table cost more than it gains, all three
    share one, which is stored once.

    Parameters
    ----------
    sensitivity
        F, (8, 8) a component.
    lagrangian
        λ in nats a bit.
    """
    costs = []
    for name, plane in zip(given.components, given.blocks[0], strict=True):
        curves = given.rates[name]
        divergence = sensitivity[name].reshape(-1, 1) * curves.squared_error / 2
        costs.append(plane[0, ..., 0, 0].numel() * (divergence + lagrangian * curves.bits))
    luma, *chroma = costs
    if not chroma:
        return TableSet(luma=_cheapest(luma))
    both = torch.stack(chroma).sum(0)
    apart = _least(luma) + _least(both) + lagrangian * SECOND_TABLE_BITS
    if apart < _least(luma + both):
        return TableSet(luma=_cheapest(luma), chroma=_cheapest(both))
    shared = _cheapest(luma + both)
    return TableSet(luma=shared, chroma=shared)


def frozen(network: nn.Module) -> nn.Module:
    """The network in evaluation mode, its parameters closed to gradients."""
    return network.eval().requires_grad_(False)


def _least(costs: Tensor) -> float:
    """Least cost of (64, 255) costs an image of each frequency at each step."""
    return float(costs.min(dim=1).values.sum())


def _cheapest(costs: Tensor) -> QuantTable:
    return QuantTable(tuple((costs.argmin(dim=1) + 1).tolist()))


def frequency_importance(
    network: nn.Module,
    batches: Iterable[CoefficientBatch],
    statistics: FrequencyStatistics,
    *,
    seed: int = 0,
) -> Tensor:
    """Mean divergence over images, in nats, when a frequency is replaced by its mean.

    Raises `ConfigurationError` when there are no images. Returns (64,) float64 of grey images,
    (192,) of colour: see `bandwise.frequency.selection`.

    Parameters
    ----------
    network
        Maps a `CoefficientBatch` to logits (N, classes).
    statistics
        Of the same images.
    """
    network = frozen(network)
    generator = torch.Generator().manual_seed(seed)
    total, images = torch.zeros(len(statistics.mean), dtype=torch.float64), 0
    for batch in batches:
        planes = [plane.detach().requires_grad_() for plane in batch if plane is not None]
        log_probabilities = F.log_softmax(network(CoefficientBatch(*planes)), dim=1)
        drawn = torch.multinomial(log_probabilities.detach().exp(), 1, generator=generator)
        chosen = log_probabilities.gather(1, drawn).sum()
        gradients = torch.autograd.grad(chosen, planes, materialize_grads=True)
        means = statistics.mean.split([plane.shape[1] for plane in planes])
        moved = [
            ((plane.detach() - mean.view(-1, 1, 1)) * gradient).sum((2, 3))
            for plane, mean, gradient in zip(planes, means, gradients, strict=True)
        ]
        total += torch.cat(moved, 1).double().square().sum(0)
        images += batch.images
    if not images:
        raise ConfigurationError("there are no images to measure importance with")
    return total / (2 * images)
