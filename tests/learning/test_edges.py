"""Tables of a few bands: what is learned, what stays, and whether it pays by the same measure."""

import math
from itertools import pairwise

import pytest
import torch

from bandwise.bands import Rings
from bandwise.errors import ConfigurationError
from bandwise.learning import Part, Problem, band_tables, edges, fisher_information
from bandwise.learning.edges import STEPS_RATIO
from bandwise.learning.sensitivity import allocate
from bandwise.tables import TableSet

SLOPE = 1e-5
EQUAL = Rings(edges=(0.25, 0.5, 0.75), exponent=2.0)


def cost(problem: Problem, tables: TableSet) -> float:
    """Estimated cost an image, frequency by frequency."""
    total = 0.0
    for name, information in fisher_information(problem).items():
        table = tables.luma if name == "luma" else tables.chroma
        assert table is not None
        for index, step in enumerate(table.values):
            curves = problem.rates[name]
            error, bits = (
                float(each[index, step - 1]) for each in (curves.squared_error, curves.bits)
            )
            divergence = float(information.flatten()[index]) * error / 2
            total += problem.blocks[name] * (divergence + SLOPE * bits)
    return total


def learned(problem: Problem, part: Part) -> tuple[TableSet, dict[str, Rings]]:
    return band_tables(problem, fisher_information(problem), SLOPE, count=4, learned=part, steps=80)


def test_weights_alone_leave_the_edges_where_they_were(problem: Problem) -> None:
    tables, rings = learned(problem, "weights")
    assert rings["luma"].edges == pytest.approx(EQUAL.edges)
    assert rings["luma"].exponent == pytest.approx(2)
    assert len(set(tables.luma.values)) <= 4
    plane = EQUAL.bands(8, 8).plane
    for band in range(4):
        assert len(set(tables.luma.array[plane == band])) <= 1


def test_edges_alone_leave_the_ratios_of_the_steps(problem: Problem) -> None:
    tables, rings = learned(problem, "edges")
    edges = rings["luma"].edges
    assert edges != pytest.approx(EQUAL.edges, abs=1e-3)
    assert list(edges) == sorted(edges)
    plane = rings["luma"].bands(8, 8).plane
    used = [int(tables.luma.array[plane == band][0]) for band in range(4) if (plane == band).any()]
    assert used == sorted(used)
    unlimited = [step for step in used if 8 < step < 255]
    ratio = STEPS_RATIO ** (1 / 3)
    for lower, higher in pairwise(unlimited):
        skipped = math.log(higher / lower) / math.log(ratio)
        assert skipped == pytest.approx(round(skipped), abs=0.05)


def test_learning_both_is_no_worse_than_either_and_no_better_than_every_step(
    problem: Problem,
) -> None:
    found = {
        part: cost(problem, learned(problem, part)[0]) for part in ("edges", "weights", "both")
    }
    best = cost(problem, allocate(problem, fisher_information(problem), SLOPE))
    assert best <= found["both"] * (1 + 1e-9)
    assert found["both"] <= 1.02 * min(found["edges"], found["weights"])


def test_colour_shares_a_table_where_a_second_does_not_pay(
    colour_problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = fisher_information(colour_problem)
    monkeypatch.setattr(edges, "SECOND_TABLE_BITS", -1)
    free, _ = band_tables(colour_problem, information, SLOPE, count=3, steps=80)
    assert free.chroma is not None
    assert free.chroma != free.luma
    monkeypatch.setattr(edges, "SECOND_TABLE_BITS", 10**9)
    dear, rings = band_tables(colour_problem, information, SLOPE, count=3, steps=80)
    assert dear.chroma == dear.luma
    assert rings["luma"] == rings["chroma"]


def test_the_same_call_gives_the_same_tables(problem: Problem) -> None:
    state = torch.get_rng_state()
    assert learned(problem, "both") == learned(problem, "both")
    assert torch.equal(torch.get_rng_state(), state)


def test_no_steps_and_one_band_are_refused(problem: Problem) -> None:
    information = fisher_information(problem)
    with pytest.raises(ConfigurationError, match="at least one step, got 0"):
        band_tables(problem, information, SLOPE, count=4, steps=0)
    with pytest.raises(ConfigurationError, match="at least 2 are needed, got 1"):
        band_tables(problem, information, SLOPE, count=1)
