"""Colour against Pillow, which calls libjpeg-turbo: within one level of its rounded samples."""

import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bandwise import jpeg
from bandwise.errors import ShapeError
from bandwise.frequency.coefficients import LUMA_SAMPLING, Subsampling
from bandwise.frequency.color import downsample, pad_to, rgb_to_ycbcr, upsample, ycbcr_to_rgb
from bandwise.frequency.dct import block_idct2
from bandwise.frequency.tables import TableSet, flat
from tests.jpeg.images import picture

FINEST = TableSet(luma=flat(1), chroma=flat(1))
SIZES = [(33, 45), (16, 16), (9, 7), (5, 4), (3, 3), (1, 9), (17, 2), (1, 1)]


def random(*shape: int) -> Tensor:
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 255


def planes_of(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float64)).movedim(-1, -3)


def test_conversion_is_pillows() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ycbcr = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    # Pillow's fixed-point numbers round down.
    assert float((rgb_to_ycbcr(planes_of(rgb)) - planes_of(ycbcr)).abs().max()) <= 1.01
    back = np.asarray(Image.fromarray(ycbcr, "YCbCr").convert("RGB"))
    shown = ycbcr_to_rgb(planes_of(ycbcr)).clamp(0, 255)
    assert float((shown - planes_of(back)).abs().max()) <= 1.01


def test_conversion_inverts() -> None:
    rgb = random(2, 3, 5, 4)
    torch.testing.assert_close(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb)


@pytest.mark.parametrize("scheme", LUMA_SAMPLING)
@pytest.mark.parametrize("size", SIZES)
def test_downsampling_is_the_encoders(size: tuple[int, int], scheme: Subsampling) -> None:
    pixels = picture(*size, seed=3)
    h_ratio, v_ratio = LUMA_SAMPLING[scheme]
    stored = jpeg.pixels_to_coefficients(pixels, FINEST, subsampling=scheme).planes[1:]
    own = downsample(rgb_to_ycbcr(planes_of(pixels))[None, 1:], h_ratio=h_ratio, v_ratio=v_ratio)
    height, width = own.shape[-2:]
    assert (height, width) == (-(-size[0] // v_ratio), -(-size[1] // h_ratio))
    samples = torch.stack([block_idct2(torch.from_numpy(p.dequantised())) for p in stored]) + 128
    difference = (own[0] - samples[:, :height, :width]).abs()
    # Rounded are the converted samples, their means, and each coefficient of their blocks.
    assert float(difference.max()) <= 1.75
    assert float(difference.mean()) <= 0.5


@pytest.mark.parametrize("scheme", LUMA_SAMPLING)
@pytest.mark.parametrize("size", SIZES)
def test_upsampling_is_the_decoders(size: tuple[int, int], scheme: Subsampling) -> None:
    data = jpeg.encode(picture(*size, seed=4), FINEST, subsampling=scheme)
    h_ratio, v_ratio = LUMA_SAMPLING[scheme]
    image = Image.open(io.BytesIO(data))
    image.draft("YCbCr", image.size)
    assert image.mode == "YCbCr"
    chroma = torch.stack(
        [
            block_idct2(torch.from_numpy(plane.dequantised())) + 128
            for plane in jpeg.read_coefficients(data).planes[1:]
        ]
    )
    cropped = chroma[None, :, : -(-size[0] // v_ratio), : -(-size[1] // h_ratio)]
    own = upsample(cropped.clamp(0, 255), *size)
    assert float((own[0] - planes_of(np.asarray(image))[1:]).abs().max()) <= 1


def test_upsampling_weighs_the_nearest_three_to_one() -> None:
    row = torch.tensor([[[[0.0, 4.0, 8.0]]]])
    assert upsample(row, 1, 6).flatten().tolist() == [0, 1, 3, 5, 7, 8]
    assert upsample(row, 1, 5).flatten().tolist() == [0, 1, 3, 5, 7]
    assert upsample(row[..., :2], 1, 4).flatten().tolist() == [0, 0, 4, 4]
    assert upsample(row.mT, 6, 1).flatten().tolist() == [0, 1, 3, 5, 7, 8]


def test_padding_repeats_the_edges() -> None:
    padded = pad_to(torch.arange(4.0).reshape(1, 1, 2, 2), 3, 4)
    assert padded[0, 0].tolist() == [[0, 1, 1, 1], [2, 3, 3, 3], [2, 3, 3, 3]]


def test_gradients() -> None:
    planes = random(2, 3, 3, 5).requires_grad_()
    checked = torch.autograd.gradcheck
    assert checked(rgb_to_ycbcr, planes)
    assert checked(ycbcr_to_rgb, planes)
    assert checked(lambda p: downsample(p, h_ratio=2, v_ratio=2), planes)
    assert checked(lambda p: upsample(p, 6, 9), planes)
    assert checked(lambda p: upsample(p[..., :2], 3, 4), planes)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(4, 8, 8\)"):
        rgb_to_ycbcr(random(4, 8, 8))
    with pytest.raises(ShapeError, match=r"3×5.*7×10"):
        upsample(random(1, 1, 3, 5), 7, 10)
