"""Small vision transformers: their tokens' places, and that twins are the same function."""

import math

import pytest
import torch
from torch import nn

from bandwise.frequency.dct import dct2, to_blocks
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks.vit import CoefficientViT, ViT, positions


def test_a_place_is_sines_and_cosines_of_its_row_and_column() -> None:
    places = positions(3, 5, 16)
    assert places.shape == (15, 16)
    row, column = 2, 3
    for k in range(4):
        rate = 10_000 ** (-k / 4)
        assert places[row * 5 + column, k::4].tolist() == pytest.approx(
            [
                math.sin(row * rate),
                math.cos(row * rate),
                math.sin(column * rate),
                math.cos(column * rate),
            ],
            abs=1e-5,
        )


def test_twins_are_the_same_function_of_an_image() -> None:
    """The DCT of a block is orthonormal, so that a linear front has an equal on coefficients."""
    torch.manual_seed(0)
    of_pixels = ViT(4, channels=1).eval()
    of_coefficients = CoefficientViT(4, frequencies=Frequencies.whole(1)).eval()
    of_coefficients.trunk.load_state_dict(of_pixels.trunk.state_dict())
    patches = of_pixels.patches[1]
    assert isinstance(patches, nn.Conv2d)
    assert patches.bias is not None
    with torch.no_grad():
        front = of_coefficients.luma
        front.weight.copy_(dct2(patches.weight).view(-1, 64, 1, 1) / (0.25 * 255))
        middle = (128 / 255 - 0.5) / 0.25
        assert front.bias is not None
        front.bias.copy_(patches.bias + middle * patches.weight.sum((1, 2, 3)))
        pixels = torch.rand(2, 1, 32, 48)
        blocks = dct2(to_blocks(255 * pixels[:, 0] - 128)).flatten(3).permute(0, 3, 1, 2)
        torch.testing.assert_close(
            of_coefficients(CoefficientBatch(blocks)), of_pixels(pixels), rtol=1e-4, atol=1e-5
        )


def test_places_of_chroma_matter() -> None:
    torch.manual_seed(0)
    network = CoefficientViT(4, frequencies=Frequencies((0, 64))).eval()
    luma, chroma = torch.zeros(1, 64, 8, 8), torch.randn(1, 128, 4, 4)
    logits = network(CoefficientBatch(luma, chroma))
    assert not torch.allclose(logits, network(CoefficientBatch(luma, chroma.roll(2, 3))))


@pytest.mark.parametrize("side", [24, 40])
def test_an_odd_row_of_tokens_is_read_too(side: int) -> None:
    torch.manual_seed(0)
    network = ViT(3, channels=1).eval()
    pixels = torch.rand(1, 1, 32, side)
    changed = pixels.clone()
    changed[..., -8:] = 0
    assert network(pixels).shape == (1, 3)
    assert not torch.equal(network(pixels), network(changed))
    blocks = CoefficientBatch(torch.rand(1, 64, 4, side // 8))
    assert CoefficientViT(3, frequencies=Frequencies((0,)))(blocks).shape == (1, 3)
