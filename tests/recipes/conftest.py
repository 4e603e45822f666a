"""A small part of the digits, so that every stage takes a moment."""

from dataclasses import replace

import pytest

from bandwise.data import Dataset, LabelledImages, load


@pytest.fixture(scope="module")
def few_digits() -> Dataset:
    """250 training images and 60 test images; there is no validation split."""

    def first(images: LabelledImages, count: int) -> LabelledImages:
        return LabelledImages(images.pixels_u8[:count], images.labels[:count])

    digits = load("digits")
    return replace(digits, train=first(digits.train, 250), test=first(digits.test, 60))
