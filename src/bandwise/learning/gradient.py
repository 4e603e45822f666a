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
import torch.nn.functional as F
from torch import Tensor

from bandwise.compressors import QuantisedBands
from bandwise.learning.problem import Candidate, Listener, Problem, frozen
from bandwise.rate import estimate_bits
from bandwise.tables import TableSet
from bandwise.tasks import to_unit_range

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
        held_out = _held_out(problem, config)
        better = objective(problem, tables, start.slope, held_out) < objective(
            problem, start.tables, start.slope, held_out
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
    kept = _learned_from(problem, config)
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
    return F.kl_div(
        F.log_softmax(logits, 1), F.log_softmax(clean, 1), log_target=True, reduction="batchmean"
    )


def _held_out(problem: Problem, config: GradientConfig) -> Tensor:
    return _order(problem, config)[: _held_out_count(problem, config)]


def _learned_from(problem: Problem, config: GradientConfig) -> Tensor:
    return _order(problem, config)[_held_out_count(problem, config) :]


def _held_out_count(problem: Problem, config: GradientConfig) -> int:
    return max(1, round(config.held_out * len(problem.pixels_u8)))


def _order(problem: Problem, config: GradientConfig) -> Tensor:
    generator = torch.Generator().manual_seed(config.seed)
    return torch.randperm(len(problem.pixels_u8), generator=generator)
