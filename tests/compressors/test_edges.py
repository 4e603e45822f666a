import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bandwise.bands import radial_bands
from bandwise.compressors import LearnedEdges
from bandwise.errors import ConfigurationError, ShapeError

planes = st.tuples(st.integers(2, 20), st.integers(2, 20))
counts = st.integers(2, 9)
seeds = st.integers(0, 10_000)


def moved(
    plane: tuple[int, int], count: int, seed: int, *, by: float = 3.0, progress: float = 0.0
) -> LearnedEdges:
    """Edges, exponent and weights somewhere else than at the start."""
    compressor = LearnedEdges(*plane, count)
    generator = torch.Generator().manual_seed(seed)
    for parameter in compressor.parameters():
        parameter.data = by * torch.randn(parameter.shape, generator=generator)
    compressor.anneal(progress)
    return compressor


@pytest.mark.parametrize("side", [8, 28])
def test_learning_starts_at_the_papers_bands(side: int) -> None:
    compressor = LearnedEdges(side, side, 8)
    assert compressor.bands.kind == "learned"
    assert compressor.bands.count == 8
    assert np.array_equal(compressor.bands.plane, radial_bands(side, side, 8).plane)
    assert compressor.rings().exponent == 2
    torch.testing.assert_close(compressor.weights(), torch.ones(8))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(plane=planes, count=counts, seed=seeds, progress=st.floats(0, 1))
def test_membership_is_a_partition_at_every_temperature(
    plane: tuple[int, int], count: int, seed: int, progress: float
) -> None:
    compressor = moved(plane, count, seed, progress=progress)
    membership = compressor.membership().detach()
    assert membership.shape == (count, *plane)
    torch.testing.assert_close(membership.sum(0), torch.ones(plane))
    assert float(membership.min()) >= -1e-6
    scale = compressor.train()(torch.ones(plane)).coefficients.detach()
    expected = torch.einsum("k,khw->hw", compressor.weights().detach(), membership)
    torch.testing.assert_close(scale, expected)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(count=counts, seed=seeds, by=st.sampled_from([0.1, 3.0, 50.0, 500.0]))
def test_edges_ascend_and_the_exponent_stays_in_range_whatever_is_learned(
    count: int, seed: int, by: float
) -> None:
    compressor = moved((6, 7), count, seed, by=by)
    edges = compressor.edges().detach()
    assert edges.shape == (count - 1,)
    assert bool((edges.diff() >= 0).all())
    assert 0 <= float(edges.min()) <= float(edges.max()) <= 1
    assert 0.5 <= compressor.rings().exponent <= 8
    bands = compressor.bands
    assert bands.count == count
    assert int(bands.sizes.sum()) == 42


@settings(deadline=None, derandomize=True, max_examples=40)
@given(plane=planes, count=counts, seed=seeds)
def test_the_limit_of_no_softness_is_the_partition(
    plane: tuple[int, int], count: int, seed: int
) -> None:
    compressor = moved(plane, count, seed).double()
    compressor.temperature = 1e-9
    hard = compressor.bands.masks().double()
    # A coefficient on an edge belongs to both of its bands at every temperature.
    away = (compressor.membership() - 0.5).abs() > 0.4
    torch.testing.assert_close(compressor.membership()[away], hard[away])
    assert float(away.double().mean()) > 0.95
    scale = compressor.eval().scale()
    torch.testing.assert_close(scale, compressor.weights()[compressor.bands.index])


def test_softness_falls_geometrically_while_training() -> None:
    compressor = LearnedEdges(8, 8, 8)
    temperatures = []
    for progress in (0.0, 0.5, 1.0):
        compressor.anneal(progress)
        temperatures.append(compressor.temperature)
    assert temperatures[0] == pytest.approx(1 / 32)
    assert temperatures[2] == pytest.approx(1 / 32 / 32)
    assert temperatures[1] ** 2 == pytest.approx(temperatures[0] * temperatures[2])


@pytest.mark.parametrize("bend", [-3.0, 0.0, 0.7, 3.0])
def test_gradients_reach_edges_exponent_weights_and_coefficients(bend: float) -> None:
    compressor = LearnedEdges(4, 5, 3).double().train()
    compressor.temperature = 0.1

    def weighted(gaps: Tensor, bend: Tensor, logits: Tensor, values: Tensor) -> Tensor:
        learned = {"gaps": gaps, "bend": bend, "logits": logits}
        output = torch.func.functional_call(compressor, learned, (values,))
        return output.coefficients  # type: ignore[no-any-return]

    generator = torch.Generator().manual_seed(2)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()

    bent = torch.tensor(bend, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(weighted, (random(3), bent, random(3), random(2, 4, 5)))


def test_uniform_weights_give_edges_no_gradient_and_unequal_ones_do() -> None:
    compressor = LearnedEdges(6, 6, 4).train()
    values = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(0))
    compressor(values).coefficients.square().sum().backward()
    assert compressor.gaps.grad is not None
    assert float(compressor.gaps.grad.abs().max()) < 1e-4
    assert compressor.logits is not None
    compressor.logits.data = torch.tensor([1.0, 0.0, 0.0, -1.0])
    compressor.zero_grad()
    compressor(values).coefficients.square().sum().backward()
    for parameter in (compressor.gaps, compressor.bend):
        assert parameter.grad is not None
        assert bool(parameter.grad.isfinite().all())
        assert float(parameter.grad.abs().max()) > 1e-2


def test_edges_alone_move_to_what_the_weights_ask_for() -> None:
    weights = (1.0, 0.5, 0.1)
    wanted = LearnedEdges(12, 12, 3, weights=weights)
    wanted.gaps.data = torch.tensor([0.0, 1.0, 0.4])
    wanted.bend.data = torch.tensor(-0.4)
    target = wanted.eval().scale().detach()
    compressor = LearnedEdges(12, 12, 3, weights=weights).train()
    assert "logits" not in dict(compressor.named_parameters())
    optimiser = torch.optim.Adam(compressor.parameters(), lr=0.02)
    for step in range(300):
        compressor.anneal(step / 299)
        optimiser.zero_grad()
        (compressor.scale() - target).square().mean().backward()
        optimiser.step()
    assert compressor.weights().tolist() == pytest.approx(weights)
    ours, theirs = compressor.rings(), wanted.rings()
    assert ours.edges == pytest.approx(theirs.edges, abs=0.02)
    assert ours.exponent == pytest.approx(theirs.exponent, abs=0.15)
    assert float((compressor.bands.index == wanted.bands.index).double().mean()) > 0.95


def test_an_empty_band_breaks_nothing() -> None:
    compressor = LearnedEdges(6, 6, 4)
    compressor.gaps.data = torch.tensor([0.0, -40.0, 0.0, 0.0])
    bands = compressor.bands
    assert bands.sizes.tolist()[1] == 0
    assert bands.energies(torch.ones(6, 6)).tolist() == [1, 0, 1, 1]
    values = torch.randn(2, 6, 6, generator=torch.Generator().manual_seed(0))
    for training in (True, False):
        compressor.train(training)
        compressor(values).coefficients.square().sum().backward()
    for parameter in compressor.parameters():
        assert parameter.grad is not None
        assert math.isfinite(float(parameter.grad.sum()))


def test_what_cannot_be_learned_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="edges change nothing"):
        LearnedEdges(8, 8, 4, weights=[0.25] * 4)
    with pytest.raises(ConfigurationError, match="4 bands need 4 weights, got 2"):
        LearnedEdges(8, 8, 4, weights=[0.25, 0.75])
    with pytest.raises(ConfigurationError, match="at least 2"):
        LearnedEdges(8, 8, 1)
    with pytest.raises(ConfigurationError, match="1×9"):
        LearnedEdges(1, 9, 4)
    with pytest.raises(ShapeError, match="8×8"):
        LearnedEdges(8, 8, 4)(torch.zeros(7, 8))
