"""Examples give the same images in each form, and change them by the generator alone."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.data.augment import PHOTOGRAPHS
from bandwise.data.batches import BatchRandom
from bandwise.data.files import LabelledFiles, read_batch
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.tables import TableSet
from bandwise.training.networks import coefficient_examples, pixel_examples
from tests.jpeg.images import picture

LABELS = torch.tensor([2, 0, 1, 1, 0])
INDEX = torch.tensor([3, 0])
FORMS = pytest.mark.parametrize("form", [pixel_examples, coefficient_examples])


def labelled_files(*, grey: bool = False) -> LabelledFiles:
    pictures = [picture(48, 64, grey=grey, seed=seed) for seed in range(len(LABELS))]
    files = tuple(jpeg.encode(each, TableSet.ijg(80)) for each in pictures)
    return LabelledFiles(files, LABELS, grid=(6, 8), channels=1 if grey else 3)


def first_plane(inputs: Tensor | CoefficientBatch) -> Tensor:
    return inputs.luma if isinstance(inputs, CoefficientBatch) else inputs


@pytest.mark.parametrize("grey", [False, True])
def test_files_decode_to_the_pixels_of_memory(grey: bool) -> None:
    files = labelled_files(grey=grey)
    decoded = torch.stack([torch.from_numpy(each) for each in jpeg.decode_batch(files.files)])
    decoded = decoded[:, None] if grey else decoded.movedim(-1, 1)
    in_memory = pixel_examples(LabelledImages(decoded.contiguous(), LABELS))
    read = pixel_examples(files).read(INDEX)
    assert torch.equal(read, in_memory.read(INDEX))
    assert torch.equal(read, decoded[INDEX] / 255)
    assert read.is_contiguous(memory_format=torch.channels_last)


def test_coefficients_are_those_of_the_files() -> None:
    files = labelled_files()
    read = coefficient_examples(files).read(INDEX)
    expected = read_batch([files.files[3], files.files[0]])
    for have, want in zip(read, expected, strict=True):
        assert have is not None
        assert want is not None
        assert torch.equal(have, want)


@FORMS
def test_batches_are_all_images_in_order(form: Any) -> None:
    examples = form(labelled_files())
    assert len(examples) == 5
    assert torch.equal(examples.labels, LABELS)
    for batch, part in zip(examples.batches(2), torch.arange(5).split(2), strict=True):
        assert torch.equal(first_plane(batch), first_plane(examples.read(part)))


@pytest.mark.parametrize("scale", [1.0, 0.75, 0.1])
def test_changed_images_are_of_about_the_scale(scale: float) -> None:
    files = labelled_files()
    random = BatchRandom(torch.Generator().manual_seed(0), len(INDEX))
    pixels = pixel_examples(files)
    changed = pixels.augment(pixels.read(INDEX), PHOTOGRAPHS, random, scale)
    assert changed.shape == (2, 3, round(48 * scale), round(64 * scale))
    coefficients = coefficient_examples(files)
    batch = coefficients.augment(coefficients.read(INDEX), PHOTOGRAPHS, random, scale)
    assert batch.grid == {1.0: (6, 8), 0.75: (4, 6), 0.1: (2, 2)}[scale]
    assert batch.chroma is not None
    assert batch.chroma.shape[2:] == (batch.grid[0] // 2, batch.grid[1] // 2)
