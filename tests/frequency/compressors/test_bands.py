import pytest
import torch

from bandwise.errors import ShapeError
from bandwise.frequency.bands import radial_bands, zigzag_bands
from bandwise.frequency.compressors import Compressor, LearnedBands, Normalisation, StaticBands

BANDS = radial_bands(12, 10, 4)
ALL = [
    StaticBands(BANDS, normalisation="softmax"),
    StaticBands(BANDS),
    LearnedBands(BANDS, normalisation="softmax"),
    LearnedBands(BANDS),
]


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("compressor", ALL, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_contract(compressor: Compressor, batch: tuple[int, ...]) -> None:
    coefficients = random(*batch, 12, 10)
    weighted, weights, returned = compressor(coefficients)
    assert weights.shape == (4,)
    masks = compressor.bands.masks().float()
    scale = sum(weight * mask for weight, mask in zip(weights, masks, strict=True))
    torch.testing.assert_close(weighted, coefficients * scale)
    torch.testing.assert_close(compressor(torch.ones(compressor.bands.shape)).scale, scale)
    torch.testing.assert_close(returned, scale)


@pytest.mark.parametrize("compressor", ALL, ids=lambda c: type(c).__name__)
def test_another_plane_is_refused(compressor: Compressor) -> None:
    with pytest.raises(ShapeError, match="12×10"):
        compressor(random(10, 12))


def test_starting_weights() -> None:
    quarter = torch.full((4,), 0.25)
    torch.testing.assert_close(StaticBands(BANDS, normalisation="softmax").weights(), quarter)
    torch.testing.assert_close(LearnedBands(BANDS, normalisation="softmax").weights(), quarter)
    torch.testing.assert_close(LearnedBands(BANDS).weights(), torch.ones(4))
    assert torch.equal(StaticBands(BANDS)(random(12, 10)).coefficients, random(12, 10))


@pytest.mark.parametrize(("normalisation", "total"), [("softmax", 1.0), ("mean-one", 4.0)])
def test_weights_keep_their_sum(normalisation: Normalisation, total: float) -> None:
    compressor = LearnedBands(BANDS, normalisation=normalisation)
    compressor.logits.data = random(4) * 5
    assert float(compressor.weights().detach().sum()) == pytest.approx(total)
    assert bool((compressor.weights() > 0).all())


def test_gradient_reaches_the_weights_and_the_coefficients() -> None:
    bands = zigzag_bands(3, 4)
    compressor = LearnedBands(bands).double()
    coefficients = random(2, 3, 4).double().requires_grad_()

    def weighted(logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        output = torch.func.functional_call(compressor, {"logits": logits}, (values,))
        return output.coefficients  # type: ignore[no-any-return]

    logits = random(bands.count).double().requires_grad_()
    assert torch.autograd.gradcheck(weighted, (logits, coefficients))
