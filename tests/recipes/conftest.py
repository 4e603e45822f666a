"""A small part of the digits, and what is learned from it once: every stage takes a moment."""

from dataclasses import replace
from pathlib import Path

import pytest

from bandwise.data import Dataset, LabelledImages, load
from bandwise.recipes.learning import LearnConfig
from bandwise.recipes.target import Learned, Target, learn_profile

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


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the work behind `learned`; tests leave it as it is."""
    return tmp_path_factory.mktemp("learning") / "work"


@pytest.fixture(scope="session")
def learned(few_digits: Dataset, work: Path) -> Learned:
    """Profiles at three λ, and the one that was chosen."""
    return learn_profile(CONFIG, few_digits, LOSSY, work)
