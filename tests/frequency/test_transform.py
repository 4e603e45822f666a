import numpy as np
import pytest
import torch

from bandwise import jpeg
from bandwise.errors import ShapeError
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import TableSet, flat
from bandwise.frequency.transform import blocks_to_pixels, pixels_to_blocks


def photograph(height: int, width: int) -> np.ndarray:
    """Smooth colours with some texture, (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(0).normal(0, 12, (height, width, 3))
    waves = np.stack([np.sin(x / 9) + y / 20, np.cos(y / 7), np.sin((x + y) / 13)], axis=-1)
    return np.clip(128 + 50 * waves + noise, 0, 255).astype(np.uint8)


def as_tensor(pixels_u8: np.ndarray) -> torch.Tensor:
    planes = pixels_u8[None] if pixels_u8.ndim == 2 else pixels_u8.transpose(2, 0, 1)
    return torch.from_numpy(planes.copy())[None].float() / 255


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("size", [(32, 48), (37, 21)])
def test_coefficients_are_those_of_libjpeg(size: tuple[int, int], subsampling: Subsampling) -> None:
    pixels = photograph(*size)
    finest = TableSet(luma=flat(1), chroma=flat(1))
    stored = jpeg.pixels_to_coefficients(pixels, finest, subsampling=subsampling)
    computed = pixels_to_blocks(as_tensor(pixels), subsampling)
    for plane, blocks in zip(stored.planes, computed, strict=True):
        difference = np.abs(plane.blocks - blocks[0].numpy())
        assert difference.max() < 2
        assert np.median(difference) < 0.3


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("size", [(32, 48), (37, 21)])
def test_pixels_are_those_of_libjpeg(size: tuple[int, int], subsampling: Subsampling) -> None:
    tables = TableSet.ijg(30)
    data = jpeg.encode(photograph(*size), tables, subsampling=subsampling)
    planes = jpeg.read_coefficients(data).dequantised()
    shown = blocks_to_pixels([torch.from_numpy(p)[None] for p in planes], size, subsampling)
    difference = (255 * shown - 255 * as_tensor(jpeg.decode(data))).abs()
    assert float(difference.max()) <= 3
    assert float(difference.mean()) < 0.2


def test_grey_goes_there_and_back() -> None:
    pixels = as_tensor(photograph(24, 40)[..., 0])
    (blocks,) = pixels_to_blocks(pixels, "4:2:0")
    assert blocks.shape == (1, 3, 5, 8, 8)
    torch.testing.assert_close(blocks_to_pixels([blocks], (24, 40), "4:2:0"), pixels)


def test_gradients_pass_both_ways() -> None:
    pixels = as_tensor(photograph(16, 16)).requires_grad_()
    planes = pixels_to_blocks(pixels, "4:2:0")
    blocks_to_pixels(planes, (16, 16), "4:2:0").square().sum().backward()
    assert pixels.grad is not None
    assert float(pixels.grad.abs().min(dim=3).values.max()) > 0


def test_other_channels_are_refused() -> None:
    with pytest.raises(ShapeError, match="1 or 3"):
        pixels_to_blocks(torch.zeros(1, 2, 8, 8), "4:2:0")
