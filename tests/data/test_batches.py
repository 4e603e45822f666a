import pytest
import scipy.fft
import torch
from torch.utils.data import DataLoader, TensorDataset

from bandwise.data.batches import LoaderBatches, TensorBatches, to_coefficients
from bandwise.data.types import LabelledImages
from bandwise.errors import ConfigurationError, ShapeError


def images(count: int) -> LabelledImages:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 1, 6, 5), dtype=torch.uint8, generator=generator)
    return LabelledImages(pixels, torch.arange(count) % 3)


def test_pixels_are_scaled_to_half_before_the_dct() -> None:
    pixels = images(4).pixels_u8
    expected = scipy.fft.dctn(pixels.double().numpy() / 255 - 0.5, axes=(-2, -1), norm="ortho")
    torch.testing.assert_close(
        to_coefficients(pixels).double(), torch.from_numpy(expected), atol=1e-5, rtol=0
    )


def test_every_image_comes_once_with_its_label() -> None:
    data = images(50)
    coefficients = to_coefficients(data.pixels_u8)
    batches = TensorBatches(coefficients, data.labels, batch_size=16, shuffle_seed=1)
    found = list(batches.epoch(0))
    assert [len(labels) for _, labels in found] == [16, 16, 16, 2]
    assert len(batches) == len(found)
    coefficients = torch.cat([values for values, _ in found])
    labels = torch.cat([values for _, values in found])
    wanted = to_coefficients(data.pixels_u8)
    for value, label in zip(coefficients, labels, strict=True):
        (index,) = (wanted == value).all(-1).all(-1).all(-1).nonzero().flatten().tolist()
        assert int(label) == index % 3


def test_without_a_seed_the_order_is_kept() -> None:
    data = images(7)
    batches = TensorBatches(to_coefficients(data.pixels_u8), data.labels, batch_size=3)
    labels = torch.cat([labels for _, labels in batches.epoch(5)])
    assert torch.equal(labels, data.labels)


def test_loaders_are_transformed_batch_by_batch() -> None:
    data = images(10)
    pixels = data.pixels_u8 / 255 - 0.5
    loader = DataLoader(TensorDataset(pixels, data.labels), batch_size=4)
    batches = LoaderBatches(loader)
    found = list(batches.epoch(0))
    assert len(batches) == len(found) == 3
    torch.testing.assert_close(
        torch.cat([values for values, _ in found]), to_coefficients(data.pixels_u8)
    )


def test_bad_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="3 images came with 2"):
        TensorBatches(torch.zeros(3, 1, 2, 2), torch.zeros(2), batch_size=1)
    with pytest.raises(ConfigurationError, match="no images"):
        TensorBatches(torch.zeros(0, 1, 2, 2), torch.zeros(0), batch_size=1)
    with pytest.raises(ConfigurationError, match="length"):
        LoaderBatches(iter([]))
