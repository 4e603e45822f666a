"""Examples give the same images in each form, and leave random changes to that form."""

import pytest
import torch
from torch import Tensor

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.data.augment import PHOTOGRAPHS, mix
from bandwise.data.coefficients import read_batch
from bandwise.data.epochs import BatchRandom
from bandwise.data.files import LabelledFiles
from bandwise.dct_domain import CoefficientBatch
from bandwise.tables import TableSet
from bandwise.training.examples import (
    CoefficientExamples,
    DecodedExamples,
    Examples,
    PixelExamples,
    as_examples,
)
from tests.jpeg.images import picture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

LABELS = torch.tensor([2, 0, 1, 1, 0])
INDEX = torch.tensor([3, 0])


def labelled_files(*, grey: bool = False) -> LabelledFiles:
    pictures = [picture(48, 64, grey=grey, seed=seed) for seed in range(len(LABELS))]
    files = tuple(jpeg.encode(each, TableSet.ijg(80)) for each in pictures)
    return LabelledFiles(files, LABELS, grid=(6, 8), channels=1 if grey else 3)


def decoded(files: LabelledFiles) -> Tensor:
    images = [torch.from_numpy(each) for each in jpeg.decode_batch(files.files)]
    return torch.stack([each if each.ndim == 3 else each[..., None] for each in images]).permute(
        0, 3, 1, 2
    )


@pytest.mark.parametrize("grey", [False, True])
def test_files_decode_to_the_pixels_of_memory(grey: bool) -> None:
    files = labelled_files(grey=grey)
    in_memory = PixelExamples(LabelledImages(decoded(files).contiguous(), LABELS))
    read = DecodedExamples(files).read(INDEX)
    assert torch.equal(read, in_memory.read(INDEX))
    assert torch.equal(read, decoded(files)[INDEX] / 255)
    assert read.is_contiguous(memory_format=torch.channels_last)


def test_coefficients_are_those_of_the_files() -> None:
    files = labelled_files()
    read = CoefficientExamples(files).read(INDEX)
    expected = read_batch([files.files[3], files.files[0]])
    assert torch.equal(read.luma, expected.luma)
    assert read.chroma is not None
    assert expected.chroma is not None
    assert torch.equal(read.chroma, expected.chroma)


@pytest.mark.parametrize("kind", [DecodedExamples, CoefficientExamples])
def test_batches_are_all_images_in_order(kind: type[Examples[CoefficientBatch]]) -> None:
    examples = kind(labelled_files())  # type: ignore[call-arg]
    assert len(examples) == 5
    assert torch.equal(examples.labels, LABELS)
    batches = list(examples.batches(2))
    assert len(batches) == 3
    index = torch.arange(5).split(2)
    for batch, part in zip(batches, index, strict=True):
        assert torch.equal(first_plane(batch), first_plane(examples.read(part)))


def first_plane(inputs: Tensor | CoefficientBatch) -> Tensor:
    return inputs.luma if isinstance(inputs, CoefficientBatch) else inputs


@pytest.mark.parametrize("scale", [1.0, 0.75, 0.1])
def test_changed_images_are_of_about_the_scale(scale: float) -> None:
    files = labelled_files()
    random = BatchRandom(torch.Generator().manual_seed(0), len(INDEX))
    pixels = PixelExamples(LabelledImages(decoded(files), LABELS))
    changed = pixels.augment(pixels.read(INDEX), PHOTOGRAPHS, random, scale=scale)
    assert changed.shape == (2, 3, round(48 * scale), round(64 * scale))
    coefficients = CoefficientExamples(files)
    batch = coefficients.augment(coefficients.read(INDEX), PHOTOGRAPHS, random, scale=scale)
    assert batch.grid == {1.0: (6, 8), 0.75: (4, 6), 0.1: (2, 2)}[scale]
    assert batch.chroma is not None
    assert batch.chroma.shape[2:] == (batch.grid[0] // 2, batch.grid[1] // 2)


@pytest.mark.parametrize("kind", [DecodedExamples, CoefficientExamples])
def test_changes_and_mixtures_follow_the_generator(
    kind: type[Examples[CoefficientBatch]],
) -> None:
    examples = kind(labelled_files())  # type: ignore[call-arg]
    whole = torch.arange(5)
    targets = torch.eye(3)[LABELS]

    def drawn(seed: int) -> tuple[Tensor, Tensor]:
        random = BatchRandom(torch.Generator().manual_seed(seed), len(whole))
        inputs = examples.augment(examples.read(whole), PHOTOGRAPHS, random, scale=1.0)
        inputs, mixed = mix(inputs, targets, 1.0, random)
        return first_plane(inputs), mixed

    (first, mixed), (again, _), (other, _) = drawn(0), drawn(0), drawn(1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert mixed.sum(1).tolist() == pytest.approx([1.0] * 5)
    assert not torch.equal(mixed, targets)


def test_pixels_in_memory_become_examples_and_examples_stay() -> None:
    files = labelled_files()
    examples = as_examples(LabelledImages(decoded(files).contiguous(), LABELS))
    assert isinstance(examples, PixelExamples)
    assert as_examples(examples) is examples
