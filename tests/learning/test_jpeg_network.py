"""A network on JPEG files: the same seed gives the same one, and a checkpoint goes on to it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bandwise.data.augment import GLYPHS, PHOTOGRAPHS
from bandwise.data.files import FileDataset, load_files
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.frequency.selection import Frequencies
from bandwise.learning.jpeg_network import (
    TrainConfig,
    choose_frequencies,
    correct_on_test,
    examples,
    statistics_of,
    train_on_files,
    training_for,
)
from bandwise.learning.sensitivity import frequency_importance
from bandwise.models.model import Model
from bandwise.models.networks.registry import network_sha256
from bandwise.progress import Progress
from tests.data.jpeg_tree import write_digits
from tests.learning.digits import TRAINING
from tests.models.trained import OWN
from tests.training.modules import Stopped

QUICK = TrainConfig(network="resnet-small", training=TRAINING)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> FileDataset:
    splits = {"train": 24, "validation": 6, "test": 10}
    return load_files(write_digits(tmp_path_factory.mktemp("tree") / "digits", splits))


@pytest.fixture(scope="module")
def colour_data(tmp_path_factory: pytest.TempPathFactory) -> FileDataset:
    splits = {"train": 8, "validation": 2, "test": 2}
    return load_files(write_digits(tmp_path_factory.mktemp("colour"), splits, colour=True))


@pytest.fixture(scope="module")
def whole(data: FileDataset) -> Model:
    """A model of every frequency."""
    return train_on_files(QUICK, data)[0]


@pytest.mark.parametrize("reads", ["coefficients", "pixels"])
def test_a_model_is_trained_and_says_how(reads: Any, data: FileDataset, tmp_path: Path) -> None:
    model, history = train_on_files(replace(QUICK, reads=reads), data)
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert history[-1].train_loss < history[0].train_loss
    correct = correct_on_test(model, data)
    assert correct.shape == (20,)
    assert (model.reads, model.classes, model.channels) == (reads, ("0", "1"), 1)
    assert model.frequencies == (Frequencies.whole(1) if reads == "coefficients" else None)
    assert model.provenance["data_sha256"] == data.sha256
    assert model.provenance["training"]["epochs"] == 3
    assert model.provenance["validation_accuracy"] == history[-1].validation_accuracy
    model.save(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors")
    test = data.splits["test"]
    found = loaded.probabilities(test.files).argmax(1) == test.labels
    assert torch.equal(found, correct)


def test_frequencies_are_standardised_by_the_training_images(data: FileDataset) -> None:
    kept = Frequencies((0, 2, 9))
    model, _ = train_on_files(replace(QUICK, frequencies=kept), data)
    assert model.frequencies == kept
    selection: Any = model.module
    statistics = statistics_of(data)
    torch.testing.assert_close(selection.selection.mean, statistics.mean[[0, 2, 9]])


@pytest.mark.parametrize("reads", ["coefficients", "pixels"])
def test_a_checkpoint_goes_on_to_the_same_weights(
    reads: Any, data: FileDataset, tmp_path: Path
) -> None:
    config = replace(QUICK, reads=reads)
    checkpoint = tmp_path / "checkpoint.safetensors"

    def stop(now: Progress) -> None:
        if (now.unit, now.done) == ("epochs", 2):
            raise Stopped

    with pytest.raises(Stopped):
        train_on_files(config, data, checkpoint=checkpoint, progress=stop)
    reports: list[Progress] = []
    resumed, history = train_on_files(config, data, checkpoint=checkpoint, progress=reports.append)
    state = torch.get_rng_state()
    whole, undisturbed = train_on_files(config, data)
    assert torch.equal(torch.get_rng_state(), state)
    assert [now.done for now in reports if now.unit == "epochs"] == [3]
    assert network_sha256(resumed.module) == network_sha256(whole.module)
    assert [replace(epoch, train_seconds=0) for epoch in history] == [
        replace(epoch, train_seconds=0) for epoch in undisturbed
    ]
    assert json.dumps(resumed.provenance) == json.dumps(whole.provenance)


ONE_EPOCH = replace(QUICK, training=replace(TRAINING, epochs=1))


@pytest.fixture(scope="module")
def begun(data: FileDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of one epoch."""
    checkpoint = tmp_path_factory.mktemp("begun") / "checkpoint.safetensors"
    train_on_files(ONE_EPOCH, data, checkpoint=checkpoint)
    return checkpoint


@pytest.mark.parametrize("change", ["network", "reads", "frequencies", "training", "data", "grid"])
def test_a_checkpoint_of_another_training_is_refused(
    change: str, begun: Path, data: FileDataset, tmp_path: Path
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "network": {"network": "resnet"},
        "reads": {"reads": "pixels"},
        "frequencies": {"frequencies": Frequencies(tuple(range(63)))},
        "training": {"training": replace(TRAINING, epochs=2)},
    }
    if change == "data":
        data = replace(data, sha256="another")
    elif change == "grid":
        root = write_digits(tmp_path / "digits", {"train": 24, "validation": 6, "test": 10})
        assert load_files(root).sha256 == data.sha256
        data = load_files(root, image_size=(32, 32))
    before = begun.read_bytes()
    with pytest.raises(CheckpointError, match="another network, data set or settings"):
        train_on_files(replace(ONE_EPOCH, **changes.get(change, {})), data, checkpoint=begun)
    assert begun.read_bytes() == before


def test_rules_choose_what_they_say(whole: Model, data: FileDataset) -> None:
    coefficients = examples(data, "coefficients", "train").read(torch.arange(48)).luma
    energy = coefficients.double().square().mean((0, 2, 3)).numpy()
    by_energy = tuple(sorted({0, *np.argsort(-energy)[:10].tolist()}))[:10]
    assert choose_frequencies("energy", 10, data).kept == by_energy
    assert choose_frequencies("zigzag", 6, data).kept == (0, 1, 2, 8, 9, 16)
    batches = examples(data, "coefficients", "train").batches(64)
    importance = frequency_importance(whole.module, batches, statistics_of(data))
    found = choose_frequencies("importance", 10, data, model=whole)
    assert len(found) == 10
    least = min(float(importance[index]) for index in found.kept if index)
    assert all(float(importance[i]) <= least for i in range(64) if i not in found.kept)


def test_colour_has_192_to_choose_from(colour_data: FileDataset) -> None:
    for rule in ("energy", "zigzag"):
        assert len(choose_frequencies(rule, 192, colour_data)) == 192
    assert choose_frequencies("zigzag", 6, colour_data).kept == (0, 1, 8, 16, 64, 128)
    model, _ = train_on_files(replace(QUICK, training=replace(TRAINING, epochs=1)), colour_data)
    assert model.frequencies == Frequencies.whole(3)
    assert len(choose_frequencies("importance", 24, colour_data, model=model)) == 24


def test_importance_needs_a_model_of_every_frequency(whole: Model, data: FileDataset) -> None:
    pixels = replace(whole, reads="pixels", frequencies=None)
    fewer = replace(whole, frequencies=Frequencies((0, 1)))
    for model in (None, pixels, fewer):
        with pytest.raises(ConfigurationError, match="reads every frequency; train one first"):
            choose_frequencies("importance", 5, data, model=model)


def test_a_network_of_ones_own_is_trained(data: FileDataset, tmp_path: Path) -> None:
    model, _ = train_on_files(replace(QUICK, network=OWN), data)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="no part of bandwise"):
        Model.load(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors", own_network=OWN)
    assert len(choose_frequencies("importance", 5, data, model=loaded)) == 5


def test_images_decide_how_they_are_trained_on(data: FileDataset, colour_data: FileDataset) -> None:
    glyphs = training_for(data)
    assert (glyphs.augmentation, glyphs.small_share) == (GLYPHS, 0)
    assert training_for(colour_data).augmentation == GLYPHS
    large = {name: replace(files, grid=(16, 16)) for name, files in colour_data.splits.items()}
    photographs = training_for(replace(colour_data, splits=large))
    assert (photographs.epochs, photographs.augmentation) == (75, PHOTOGRAPHS)
    assert training_for(data, epochs=7, seed=3) == replace(glyphs, epochs=7, seed=3)
