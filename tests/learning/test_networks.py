"""The network of an experiment: loaded, or trained first and kept."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bandwise.data import Dataset, with_validation
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.learning.networks import default_training, prepare_network
from bandwise.learning.target import Learned, learn_profile
from bandwise.training.networks import NetworkConfig
from tests.learning.digits import CONFIG, LOSSY


def test_training_fits_the_kind_of_images(few_digits: Dataset) -> None:
    def of(dataset: Dataset, **settings: int) -> NetworkConfig:
        channels, side, _ = dataset.image_shape
        images = len(dataset.train)
        return default_training(channels=channels, side=side, images=images, **settings)

    glyphs = of(few_digits, seed=4)
    assert (glyphs.seed, glyphs.small_share) == (4, 0.0)
    assert 4 <= glyphs.epochs <= 40
    assert of(few_digits, epochs=3).epochs == 3
    train = replace(
        few_digits.train, pixels_u8=torch.zeros(len(few_digits.train), 3, 64, 64, dtype=torch.uint8)
    )
    photographs = of(replace(few_digits, splits={**few_digits.splits, "train": train}))
    assert photographs.epochs == 75


def test_another_network_does_not_go_on_from_the_first(
    learned: Learned, few_digits: Dataset, work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work")
    weights = tmp_path / "other.safetensors"
    other = prepare_network(
        replace(CONFIG, epochs=1, seed=3),
        with_validation(few_digits, seed=3),
        tmp_path / "networks",
    )
    weights.write_bytes((tmp_path / "networks" / "small-cnn.safetensors").read_bytes())
    assert isinstance(other, torch.nn.Module)
    with pytest.raises(ConfigurationError, match="with other weights"):
        learn_profile(replace(CONFIG, weights=weights), few_digits, LOSSY, tmp_path / "work")


def test_a_folder_with_the_training_of_other_images_is_refused_with_the_options_that_help(
    few_digits: Dataset, tmp_path: Path
) -> None:
    config = replace(CONFIG, epochs=1)
    dataset = with_validation(few_digits, seed=3)
    prepare_network(config, dataset, tmp_path)
    with pytest.raises(
        CheckpointError, match=r"another network, data set .*the folder is --work of"
    ):
        prepare_network(config, replace(dataset, sha256="0" * 64), tmp_path)
