"""Tables by gradient descent through quantisation and a network that stays as it is.

The loss of a batch is  KL(p(original) || p(compressed)) + λ · bits:  distillation from the clean
output, so no labels are needed; bits are those of the run and size symbols of each image with
Huffman codes of its own (:mod:`bandwise.rate`). Descent starts at the sensitivity solution of the
same λ and is compared with it on images that were kept aside; where it does not win, the start is
kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bandwise.compressors import QuantisedBands
from bandwise.learning.problem import Candidate, Listener, Problem, frozen
from bandwise.rate import estimate_bits
from bandwise.tables import TableSet
from bandwise.tasks import divergences, to_unit_range

FAMILY = "gradient"


@dataclass(frozen=True, kw_only=True)
class GradientConfig:
    """How tables descend.

    Attributes
    ----------
    steps, batch_size
        Batches for each price of a bit, and images in one.
    learning_rate
        Adam's, in logarithms of the step; it decays along a cosine.
    held_out
        Share of the images on which descent and start are compared.
    """

    steps: int = 150
    batch_size: int = 32
    learning_rate: float = 0.03
    held_out: float = 0.25
    seed: int = 0


def gradient_candidates(
    problem: Problem,
    starts: Sequence[Candidate],
    config: GradientConfig | None = None,
    *,
    listener: Listener = lambda *_: None,
) -> Iterator[Candidate]:
    """Yield, for each start, what descent makes of it, or the start where it is no better."""
    config = config or GradientConfig()
    frozen(problem.network)
    total = len(starts) * config.steps
    for number, start in enumerate(starts):

        def hear(step: int, before: int = number * config.steps) -> None:
            listener("descending", before + step, total)

        tables = descend(problem, start, config, on_step=hear)
        _, aside = _divided(problem, config)
        better = objective(problem, tables, start.slope, aside) < objective(
            problem, start.tables, start.slope, aside
        )
        yield replace(start, family=FAMILY, tables=tables if better else start.tables)


def descend(
    problem: Problem,
    start: Candidate,
    config: GradientConfig,
    *,
    on_step: Callable[[int], None] = lambda _: None,
) -> TableSet:
    """Tables after ``config.steps`` steps from ``start``."""
    generator = torch.Generator().manual_seed(config.seed)
    kept, _ = _divided(problem, config)
    compressor = QuantisedBands.from_tables(start.tables, subsampling=start.subsampling)
    compressor.to(problem.device).train()
    optimiser = torch.optim.Adam(
        compressor.parameters(), lr=config.learning_rate, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    for step in range(config.steps):
        index = kept[torch.randperm(len(kept), generator=generator)[: config.batch_size]]
        pixels = to_unit_range(problem.pixels_u8[index].to(problem.device))
        compressed = compressor(pixels)
        divergence = _divergence(problem, problem.network(compressed.pixels), index)
        bits = estimate_bits(compressed.quantised, subsampling=start.subsampling).mean()
        loss = divergence + start.slope * bits
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        on_step(step + 1)
    return compressor.tables()


@torch.no_grad()
def objective(problem: Problem, tables: TableSet, slope: float, index: Tensor) -> float:
    """KL + λ · bits of the images at ``index`` with whole steps and hard rounding."""
    compressor = QuantisedBands.from_tables(tables, subsampling=problem.subsampling)
    compressor.to(problem.device).eval()
    total = torch.zeros((), device=problem.device)
    for part in index.split(problem.batch_size):
        pixels = to_unit_range(problem.pixels_u8[part].to(problem.device))
        compressed = compressor(pixels)
        divergence = _divergence(problem, problem.network(compressed.pixels), part) * len(part)
        bits = estimate_bits(compressed.quantised, subsampling=problem.subsampling).sum()
        total += divergence + slope * bits
    return float(total / len(index))


def _divergence(problem: Problem, logits: Tensor, index: Tensor) -> Tensor:
    clean = problem.clean_logits[index].to(logits.device)
    return divergences(logits, clean).mean()


def _divided(problem: Problem, config: GradientConfig) -> tuple[Tensor, Tensor]:
    """Indices of the images that are learned from, and of those that are kept aside."""
    generator = torch.Generator().manual_seed(config.seed)
    order = torch.randperm(len(problem.pixels_u8), generator=generator)
    aside = max(1, round(config.held_out * len(order)))
    return order[aside:], order[:aside]
