"""Tables from one pass of gradients.

A small change e of the coefficients x moves the network's output distribution p by

    KL(p(x) || p(x + e)) ≈ ½ eᵀ F e,     F = E_{c ~ p} [∇ log p_c ∇ log p_cᵀ]

(the Fisher information about x). With the diagonal of F averaged over blocks and images, the
divergence of tables q is ½ Σ F_f D_f(q_f), where D_f is the measured squared error of frequency f;
its rate is Σ R_f(q_f). Both are sums over frequencies, so that the least of

    ½ F_f D_f(q) + λ R_f(q)        over the steps q = 1..255

is found for each frequency on its own, and each price λ of a bit gives a point of the whole curve.
(The allocation is that of Shoham and Gersho, "Efficient bit allocation for an arbitrary set of
quantizers", IEEE Trans. ASSP, 1988.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from bandwise.learning.problem import Candidate, Listener, Maps, Problem, frozen
from bandwise.tables import QuantTable, TableSet
from bandwise.transform import blocks_to_pixels, pixels_to_blocks

FAMILY = "sensitivity"

SECOND_TABLE_BITS = 8 * 69
"""A DQT segment: marker, length, identifier and 64 steps (ITU-T T.81, B.2.4.1)."""


def fisher_information(
    problem: Problem, *, seed: int = 0, listener: Listener = lambda *_: None
) -> Maps:
    """Diagonal of the Fisher information about each coefficient, mean over blocks and images.

    Returns
    -------
    (8, 8) float64 a component, in nats a squared coefficient, natural order.
    """
    found = fisher_by_image(problem, seed=seed, listener=listener)
    return {name: values.mean(0) for name, values in found.items()}


def fisher_by_image(
    problem: Problem, *, seed: int = 0, listener: Listener = lambda *_: None
) -> Maps:
    """`fisher_information` image by image: (N, 8, 8) float64 a component, mean over blocks.

    One gradient an image: that of the log-probability of a class which is drawn from the network's
    own output, so no labels are needed.
    """
    network = frozen(problem.network)
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[Tensor]] = {name: [] for name in problem.components}
    for number, pixels in enumerate(problem.batches(), start=1):
        planes = [plane.requires_grad_() for plane in pixels_to_blocks(pixels, problem.subsampling)]
        seen = blocks_to_pixels(planes, pixels.shape[-2:], problem.subsampling)
        log_probabilities = F.log_softmax(network(seen), dim=1)
        drawn = torch.multinomial(log_probabilities.detach().exp().cpu(), 1, generator=generator)
        total = log_probabilities.gather(1, drawn.to(log_probabilities.device)).sum()
        for name, gradient in zip(
            problem.components, torch.autograd.grad(total, planes), strict=True
        ):
            found[name].append(gradient.double().square().mean((1, 2)).cpu())
        done = min(number * problem.batch_size, len(problem.pixels_u8))
        listener("measuring sensitivity", done, len(problem.pixels_u8))
    return {name: torch.cat(parts) for name, parts in found.items()}


def allocate(problem: Problem, sensitivity: Maps, slope: float) -> TableSet:
    """Tables with the least ½ Σ F D + λ Σ R; Cb and Cr share one table.

    Where files are so small that the bytes of a second table cost more than it gains, all three
    share one, which is stored once.

    Parameters
    ----------
    sensitivity
        F, (8, 8) a component.
    slope
        λ in nats a bit.
    """
    luma, *chroma = (_costs(problem, sensitivity[name], slope, name) for name in problem.components)
    if not chroma:
        return TableSet(luma=_cheapest(luma))
    both = torch.stack(chroma).sum(0)
    apart = _least(luma) + _least(both) + slope * SECOND_TABLE_BITS
    if apart < _least(luma + both):
        return TableSet(luma=_cheapest(luma), chroma=_cheapest(both))
    shared = _cheapest(luma + both)
    return TableSet(luma=shared, chroma=shared)


def sensitivity_candidates(
    problem: Problem,
    slopes: Sequence[float],
    *,
    sensitivity: Maps | None = None,
    listener: Listener = lambda *_: None,
) -> Iterator[Candidate]:
    """Yield tables for each price of a bit, without another look at the network."""
    sensitivity = sensitivity or fisher_information(problem, listener=listener)
    for slope in slopes:
        yield Candidate(
            family=FAMILY,
            slope=slope,
            tables=allocate(problem, sensitivity, slope),
            subsampling=problem.subsampling,
            sensitivity=sensitivity,
        )


def _costs(problem: Problem, sensitivity: Tensor, slope: float, component: str) -> Tensor:
    """Cost an image (64, 255) of each frequency at each step."""
    curves = problem.rates[component]
    divergence = sensitivity.reshape(-1, 1) * curves.squared_error / 2
    return problem.blocks[component] * (divergence + slope * curves.bits)


def _least(costs: Tensor) -> float:
    return float(costs.min(dim=1).values.sum())


def _cheapest(costs: Tensor) -> QuantTable:
    return QuantTable(tuple((costs.argmin(dim=1) + 1).tolist()))
