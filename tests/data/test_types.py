import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bandwise.data.types import Dataset, LabelledImages, assemble, holdout, with_validation
from bandwise.errors import ConfigurationError, DataError, ShapeError


def images_with_labels(labels: list[int]) -> LabelledImages:
    """Image i has the value i mod 251 everywhere, so that it can be recognised."""
    values = (torch.arange(len(labels)) % 251).to(torch.uint8)
    return LabelledImages(
        values.view(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone(),
        torch.tensor(labels, dtype=torch.int64),
    )


def positions(images: LabelledImages) -> list[int]:
    return images.pixels_u8[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("pixels", "labels"),
    [
        (torch.zeros(2, 1, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 2, 8, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 1, 8, 8), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int32)),
    ],
)
def test_labelled_images_refuse_other_shapes_and_dtypes(
    pixels: torch.Tensor, labels: torch.Tensor
) -> None:
    with pytest.raises(ShapeError, match="shape"):
        LabelledImages(pixels, labels)


@pytest.mark.parametrize("indices", [[3, 0, 3], torch.tensor([3, 0, 3])])
def test_subset_keeps_the_order_asked_for(indices: list[int] | torch.Tensor) -> None:
    chosen = images_with_labels([5, 6, 7, 8]).subset(indices)
    assert len(chosen) == 3
    assert positions(chosen) == [3, 0, 3]
    assert chosen.labels.tolist() == [8, 5, 8]


@given(
    labels=st.lists(st.integers(0, 4), min_size=2, max_size=200),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_holdout_is_a_stratified_partition_in_the_given_order(
    labels: list[int], fraction: float, seed: int
) -> None:
    images = images_with_labels(labels)
    if len(set(labels)) == len(labels):
        with pytest.raises(DataError, match="no class has two"):
            holdout(images, fraction=fraction, seed=seed)
        return
    kept, held_out = holdout(images, fraction=fraction, seed=seed)
    assert sorted(positions(kept) + positions(held_out)) == list(range(len(labels)))
    assert positions(kept) == sorted(positions(kept))
    assert positions(held_out) == sorted(positions(held_out))
    for label in set(labels):
        count = labels.count(label)
        held_count = int((held_out.labels == label).sum())
        expected = math.floor(fraction * count + 0.5)
        assert held_count == min(max(expected, 1), count - 1)


def test_holdout_is_the_same_on_every_machine() -> None:
    images = images_with_labels([i % 3 for i in range(18)])
    _, held_out = holdout(images, fraction=1 / 3, seed=0)
    assert positions(held_out) == [1, 2, 3, 11, 13, 15]


@pytest.mark.parametrize(("fraction", "seed"), [(0.0, 0), (1.0, 0), (float("nan"), 0), (0.2, -1)])
def test_holdout_refuses_impossible_settings(fraction: float, seed: int) -> None:
    with pytest.raises(ConfigurationError, match="not"):
        holdout(images_with_labels([0, 0]), fraction=fraction, seed=seed)


def test_dataset_tells_its_shape_and_identity() -> None:
    split = LabelledImages(torch.zeros(2, 3, 4, 5, dtype=torch.uint8), torch.tensor([0, 1]))
    dataset = assemble(name="x", classes=["a", "b"], train=split, test=split, source="made up")
    assert dataset.image_shape == (3, 4, 5)
    assert dataset.num_classes == 2
    assert dataset.validation is None
    renamed = assemble(name="y", classes=["a", "b"], train=split, test=split, source="elsewhere")
    assert renamed.sha256 == dataset.sha256


def test_identity_changes_with_anything_that_is_data() -> None:
    split = images_with_labels([0, 1])
    brighter = dataclasses.replace(split, pixels_u8=split.pixels_u8 + 1)
    relabelled = dataclasses.replace(split, labels=split.labels.flip(0))
    reshaped = LabelledImages(split.pixels_u8.reshape(2, 1, 1, 4), split.labels)
    identities = [
        assemble(
            name="x", classes=classes, train=train, validation=validation, test=split, source=""
        ).sha256
        for classes, train, validation in [
            (["a", "b"], split, None),
            (["a", "c"], split, None),
            (["a", "b"], brighter, None),
            (["a", "b"], relabelled, None),
            (["a", "b"], reshaped, None),
            (["a", "b"], split, split),
        ]
    ]
    assert len(set(identities)) == len(identities)


def flat_dataset() -> Dataset:
    """No validation split; 20 training images of two classes, 4 test images."""
    train, test = (images_with_labels([0, 1] * count) for count in (10, 2))
    return assemble(name="flat", classes=("a", "b"), train=train, test=test, source="made")


def test_validation_is_a_fifth_of_training_where_there_is_none() -> None:
    flat = flat_dataset()
    split = with_validation(flat, seed=0)
    assert split.validation is not None
    assert (len(split.train), len(split.validation)) == (16, 4)
    assert split.sha256 == flat.sha256
    kept, held_out = holdout(flat.train, fraction=0.2, seed=0)
    assert torch.equal(split.train.pixels_u8, kept.pixels_u8)
    assert torch.equal(split.validation.pixels_u8, held_out.pixels_u8)
    assert with_validation(split, seed=1).validation is split.validation
    others = [with_validation(flat, seed=seed).split("validation") for seed in range(1, 5)]
    assert any(not torch.equal(other.pixels_u8, held_out.pixels_u8) for other in others)
