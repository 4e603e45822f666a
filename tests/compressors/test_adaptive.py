import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bandwise.bands import radial_bands
from bandwise.compressors import AdaptiveBands, LearnedBands, Normalisation
from bandwise.errors import ShapeError

BANDS = radial_bands(12, 10, 4)


def random(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def moved(normalisation: Normalisation = "softmax", *, seed: int = 0) -> AdaptiveBands:
    """One whose weights differ from image to image."""
    torch.manual_seed(seed)
    compressor = AdaptiveBands(BANDS, normalisation=normalisation)
    compressor.logits.data = random(4, seed=seed)
    compressor.last.weight.data = 16 * random(4, 16, seed=seed)
    return compressor


@pytest.mark.parametrize("normalisation", ["softmax", "mean-one"])
def test_learning_starts_at_the_same_weights_for_every_image(normalisation: Normalisation) -> None:
    compressor = AdaptiveBands(BANDS, normalisation=normalisation)
    shared = LearnedBands(BANDS, normalisation=normalisation)
    coefficients = random(5, 1, 12, 10)
    torch.testing.assert_close(compressor.weights(), shared.weights())
    torch.testing.assert_close(compressor.weights_of(coefficients), shared.weights().expand(5, 4))
    assert torch.equal(compressor(coefficients).coefficients, shared(coefficients).coefficients)


@pytest.mark.parametrize("batch", [(3,), (3, 1), (3, 2), (3, 2, 5)])
def test_each_image_is_weighed_by_its_own_weights(batch: tuple[int, ...]) -> None:
    compressor, coefficients = moved(), random(*batch, 12, 10)
    weighted, weights, scale = compressor(coefficients)
    assert weights.shape == (3, 4)
    assert scale.shape == (3, *[1] * (len(batch) - 1), 12, 10)
    for image in range(3):
        own = weights[image][BANDS.index]
        torch.testing.assert_close(weighted[image], coefficients[image] * own)
    assert float(weights.detach().std(0).min()) > 1e-3


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seed=st.integers(0, 1000), scale=st.sampled_from([0.0, 1e-3, 1.0, 1e4]))
def test_weights_are_on_the_simplex_for_every_image(seed: int, scale: float) -> None:
    compressor = moved(seed=seed)
    weights = compressor.weights_of(scale * random(6, 2, 12, 10, seed=seed))
    assert bool((weights > 0).all())
    torch.testing.assert_close(weights.sum(1), torch.ones(6))
    of_mean_one = moved("mean-one", seed=seed).weights_of(scale * random(6, 2, 12, 10, seed=seed))
    torch.testing.assert_close(of_mean_one, 4 * weights)


def test_weights_of_an_image_know_nothing_of_the_others() -> None:
    compressor, coefficients = moved(), random(6, 1, 12, 10)
    together = compressor.weights_of(coefficients)
    alone = torch.cat([compressor.weights_of(image[None]) for image in coefficients])
    torch.testing.assert_close(together, alone)
    compressor.eval()
    assert torch.equal(compressor.weights_of(coefficients), together)


def test_contrast_leaves_the_weights_as_they_are() -> None:
    compressor, coefficients = moved(), random(4, 1, 12, 10)
    torch.testing.assert_close(
        compressor.weights_of(3 * coefficients),
        compressor.weights_of(coefficients),
        rtol=1e-3,
        atol=1e-4,
    )


def test_energies_are_those_of_the_bands() -> None:
    compressor, coefficients = moved(), random(2, 3, 12, 10)
    energies = coefficients.square().mean(1).flatten(1) @ compressor.averaging
    for image in range(2):
        torch.testing.assert_close(energies[image], BANDS.energies(coefficients[image]))


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_an_image_moves_a_weight_by_a_factor_of_e_at_most(size: float) -> None:
    compressor, coefficients = moved(), random(50, 1, 12, 10)
    compressor.last.weight.data *= size
    relative = (compressor.weights_of(coefficients) / compressor.weights()).detach().log()
    between = relative[:, :, None] - relative[:, None, :]
    assert 1.5 < float(between.max()) <= 2 + 1e-5


def test_a_step_of_adam_moves_an_image_little_further_than_what_all_images_share() -> None:
    torch.manual_seed(0)
    compressor, coefficients = AdaptiveBands(BANDS), random(20, 1, 12, 10)
    optimiser = torch.optim.Adam(compressor.parameters(), lr=0.01)
    (compressor.weights_of(coefficients) * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    optimiser.step()
    moved = compressor.weights_of(coefficients).detach().log()
    assert 0.01 < float((moved - moved.mean(1, keepdim=True)).abs().max()) < 0.02


def test_gradients_reach_every_parameter_and_the_coefficients() -> None:
    compressor = moved().double()
    names = [name for name, _ in compressor.named_parameters()]
    parameters = [value.detach().clone().requires_grad_() for value in compressor.parameters()]
    coefficients = random(2, 1, 12, 10).double().requires_grad_()

    def weighted(values: Tensor, *learned: Tensor) -> Tensor:
        given = dict(zip(names, learned, strict=True))
        output = torch.func.functional_call(compressor, given, (values,))
        return output.coefficients.sum((1, 2))  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(weighted, (coefficients, *parameters))


@pytest.mark.parametrize("planes", [1, 3])
def test_flops_are_those_of_pytorchs_products_and_of_the_squares(planes: int) -> None:
    compressor = AdaptiveBands(BANDS)
    with FlopCounterMode(display=False) as counted:
        compressor.weights_of(random(1, planes, 12, 10))
    # PyTorch counts matrix products only; squares and their mean are an addition and a product.
    assert compressor.flops(planes) == counted.get_total_flops() + 2 * planes * 120


def test_images_are_needed() -> None:
    with pytest.raises(ShapeError, match=r"\(12, 10\)"):
        AdaptiveBands(BANDS)(random(12, 10))
    with pytest.raises(ShapeError, match="12×10"):
        AdaptiveBands(BANDS)(random(2, 1, 10, 12))
