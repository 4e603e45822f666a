"""Tables of a few bands, with edges between them that are learned, or steps, or both.

Every band of a table has one step. The estimated cost of tables q is that of
`bandwise.learning.sensitivity`,

    Σ_f ½ F_f D_f(q_f) + λ R_f(q_f),     log q_f = Σ_k m_k(f) log q_k

with soft membership m (`LearnedEdges`) that hardens while Adam descends on edges, exponent and
steps. No network is asked: F, D and R have been measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from bandwise.bands import Rings
from bandwise.compressors import LearnedEdges
from bandwise.errors import ConfigurationError
from bandwise.learning.problem import Maps, Problem
from bandwise.learning.sensitivity import SECOND_TABLE_BITS
from bandwise.tables import BLOCK, STEP_MAX, QuantTable, TableSet

Part = Literal["edges", "weights", "both"]
"""What is learned: edges between steps of given ratios, steps between given edges, or both."""

STEPS_RATIO = 32.0
"""The last band's step divided by the first band's, before steps are learned."""

_LEARNING_RATE = 0.05


class BandTables(NamedTuple):
    """Tables of bands, and the edges between the bands of each."""

    tables: TableSet
    rings: dict[str, Rings]


class _BandTable(nn.Module):
    def __init__(self, count: int, learned: Part) -> None:
        super().__init__()
        self.edges = LearnedEdges(BLOCK, BLOCK, count, weights=range(count))
        self.edges.requires_grad_(learned != "weights")
        first = math.log(STEP_MAX / STEPS_RATIO)
        steps = torch.linspace(first, math.log(STEP_MAX), count, dtype=torch.float64)
        self.relative = nn.Parameter(steps, requires_grad=learned != "edges")
        self.level = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self) -> Tensor:
        """Logarithms of the steps (8, 8), limited to what a table holds."""
        steps = self.edges.importance((self.relative + self.level).float()).double()
        return steps.clamp(0, math.log(STEP_MAX))


def band_tables(
    problem: Problem,
    sensitivity: Maps,
    slope: float,
    *,
    count: int,
    learned: Part = "both",
    steps: int = 200,
) -> BandTables:
    """Tables of ``count`` bands with the least estimated cost that descent finds.

    Colour gets two tables, or one that is stored once where the second costs more than it gains.

    Parameters
    ----------
    sensitivity
        F, (8, 8) a component, in nats a squared coefficient.
    slope
        λ, the price of a bit in nats.
    steps
        Of descent.

    Raises
    ------
    ConfigurationError
        For fewer than 2 bands or no step.
    """
    if steps < 1:
        raise ConfigurationError(f"descent takes at least one step, got {steps}")

    def cost(component: str, log_steps: Tensor) -> Tensor:
        curves, flat = problem.rates[component], log_steps.flatten()
        divergence = (sensitivity[component].flatten() * curves.squared_error_at(flat)).sum() / 2
        return problem.blocks[component] * (divergence + slope * curves.bits_at(flat).sum())

    def descended(*components: str) -> _Descended:
        def total(log_steps: Tensor) -> Tensor:
            return torch.stack([cost(each, log_steps) for each in components]).sum()

        return _descend(_BandTable(count, learned), total, steps)

    luma, *chroma = problem.components
    if not chroma:
        alone = descended(luma)
        return BandTables(TableSet(luma=alone.table), {"luma": alone.rings})
    apart, shared = (descended(luma), descended(*chroma)), descended(luma, *chroma)
    if sum(each.cost for each in apart) + slope * SECOND_TABLE_BITS < shared.cost:
        first, second = apart
    else:
        first = second = shared
    return BandTables(
        TableSet(luma=first.table, chroma=second.table),
        {"luma": first.rings, "chroma": second.rings},
    )


class _Descended(NamedTuple):
    table: QuantTable
    cost: float
    rings: Rings


def _descend(table: _BandTable, cost: Callable[[Tensor], Tensor], steps: int) -> _Descended:
    """Adam on what the table learns, by the cost of the logarithms of its steps (8, 8)."""
    optimiser = torch.optim.Adam(
        [each for each in table.parameters() if each.requires_grad], lr=_LEARNING_RATE
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    table.train()
    for step in range(steps):
        table.edges.anneal(step / steps)
        loss = cost(table())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    table.eval()
    with torch.no_grad():
        found = QuantTable.from_steps(table().exp())
        final = float(cost(torch.tensor(found.array, dtype=torch.float64).log()))
    return _Descended(found, final, table.edges.rings())
