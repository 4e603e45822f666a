"""A small part of the digits, and how tables are learned from it: every stage takes a moment."""

from dataclasses import replace

import pytest

from bandwise.data import Dataset, LabelledImages, load
from bandwise.data.augment import GLYPHS
from bandwise.learning.profiles import LearnConfig
from bandwise.learning.target import Target
from bandwise.training.networks import NetworkConfig

TRAINING = NetworkConfig(
    epochs=3,
    batch_size=16,
    learning_rate=0.05,
    warm_up_epochs=0.5,
    averaging=0.9,
    small_share=0.0,
    augmentation=GLYPHS,
)
"""A training of networks that takes a moment."""

LAGRANGIANS = (1e-5, 1e-4, 1e-3)
CONFIG = LearnConfig(network="small-cnn", epochs=4, lagrangians=LAGRANGIANS, images=100)
LOSSY = Target(accuracy_drop=20.0)


@pytest.fixture(scope="session")
def few_digits() -> Dataset:
    """250 training images and 60 test images; there is no validation split."""

    def first(images: LabelledImages, count: int) -> LabelledImages:
        return LabelledImages(images.pixels_u8[:count], images.labels[:count])

    digits = load("digits")
    splits = {"train": first(digits.train, 250), "test": first(digits.test, 60)}
    return replace(digits, splits=splits)
