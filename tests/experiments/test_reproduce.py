"""The paper's experiment on few images: rows, resuming, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bandwise.data import Dataset, LabelledImages, load
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.executors import InProcess
from bandwise.experiments.reproduce import (
    Job,
    ReproduceConfig,
    build_compressor,
    fitting_batch_size,
    run,
    run_job,
)
from bandwise.experiments.variants import VARIANTS
from bandwise.frequency.bands import radial_bands
from bandwise.progress import Progress
from bandwise.results import Epoch, Record, Results, Run
from bandwise.training.config import TrainingConfig

QUICK = ReproduceConfig(
    dataset="digits", seeds=(0, 1), training=TrainingConfig(epochs=2, batch_size=16, patience=None)
)
HERE = InProcess()


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def without_clock(*records: Record) -> list[dict[str, Any]]:
    clock = ("created", "train_seconds", "images_per_second")
    rows = [record.to_row() for record in records]
    return [{name: value for name, value in row.items() if name not in clock} for row in rows]


def everything(results: Results) -> list[dict[str, Any]]:
    """Epochs and runs without times, of each variant and seed in order."""
    rows = without_clock(*results.of(Epoch), *results.of(Run))
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.parametrize(
    ("variant", "weight"),
    [(name, 1.0 if name in ("none", "mean-one") else 1 / 8) for name in VARIANTS],
)
def test_all_variants_start_from_uniform_weights(variant: str, weight: float) -> None:
    compressor = build_compressor(VARIANTS[variant], radial_bands(8, 8, 8))
    torch.testing.assert_close(compressor.weights(), torch.full((8,), weight))


def test_a_job_leaves_its_weights_and_says_the_same_again(digits: Dataset, tmp_path: Path) -> None:
    job = Job(variant="adaptive", seed=0)
    *epochs, first = run_job(job, QUICK, digits, tmp_path)
    assert isinstance(first, Run)
    assert [epoch.epoch for epoch in epochs if isinstance(epoch, Epoch)] == [1, 2]
    bands = json.loads((tmp_path / "bands.json").read_text())
    tensors = load_file(tmp_path / "model.safetensors")
    torch.testing.assert_close(tensors["bands.weights"], torch.tensor(bands["weights"]))
    assert first.band_weights == pytest.approx(bands["weights"])
    assert sum(bands["coefficients_per_band"]) == 64
    assert tensors["network.first.weight"].shape == (16, 1, 3)
    reports: list[Progress] = []
    again = run_job(job, QUICK, digits, tmp_path, progress=reports.append)
    assert all(now.detail is None for now in reports)  # nothing was trained
    assert without_clock(*again) == without_clock(*epochs, first)


def test_shuffled_labels_teach_nothing(digits: Dataset, tmp_path: Path) -> None:
    config = replace(QUICK, training=replace(QUICK.training, epochs=8, network_lr=0.1))
    accuracy = {}
    for name in ("none", "shuffled"):
        *_, finished = run_job(Job(variant=name, seed=0), config, digits, tmp_path / name)
        accuracy[name] = finished.test_accuracy or 0.0
    assert accuracy["none"] > 0.8
    assert accuracy["shuffled"] < 0.3


def test_a_run_in_workers_resumes_and_grows(digits: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reports: list[Progress] = []
    results = run(QUICK, digits, out, workers=2, progress=reports.append)
    assert len(results.of(Run)) == 4
    assert len(results.of(Epoch)) == 8
    assert results.experiment.dataset.sha256 == digits.sha256
    assert sum(isinstance(now.detail, Epoch) for now in reports) == 8
    finished = [now for now in reports if isinstance(now.detail, Run)]
    assert [(now.done, now.total) for now in finished] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert everything(Results.load(out)) == everything(results)

    checkpoint = out / "runs" / "adaptive-seed1" / "checkpoint.safetensors"
    checkpoint.unlink()
    again = run(QUICK, digits, out, executor=HERE)
    assert everything(again) == everything(results)

    grown = run(replace(QUICK, seeds=(0,), variants=("none",)), digits, out, executor=HERE)
    assert {each.variant for each in grown.of(Run)} == {"static", "adaptive", "none"}

    for other, difference in [
        (replace(QUICK, training=TrainingConfig(epochs=3)), "epochs"),
        (replace(QUICK, bands=4), "bands"),
    ]:
        with pytest.raises(ConfigurationError, match=rf"another experiment.*{difference}"):
            run(other, digits, out, executor=HERE)
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        run(QUICK, digits, out, executor=HERE)


def test_an_interrupted_experiment_goes_on_to_the_same_rows(
    digits: Dataset, tmp_path: Path
) -> None:
    config = replace(QUICK, seeds=(0,))

    def interrupt(now: Progress) -> None:
        if now.stage == "adaptive-seed0" and now.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(config, digits, tmp_path / "out", executor=HERE, progress=interrupt)
    assert len(Results.load(tmp_path / "out").of(Epoch)) == 3
    resumed = run(config, digits, tmp_path / "out", executor=HERE)
    whole = run(config, digits, tmp_path / "whole", executor=HERE)
    assert everything(resumed) == everything(whole)


def test_batches_fit_the_data_set(digits: Dataset) -> None:
    assert fitting_batch_size(digits) == 8
    large = LabelledImages(
        torch.zeros(25_000, 1, 4, 4, dtype=torch.uint8), torch.zeros(25_000).long()
    )
    assert fitting_batch_size(replace(digits, splits={**digits.splits, "train": large})) == 128


def test_mnist_learns_in_a_few_hundred_steps(real_data_dir: Path, tmp_path: Path) -> None:
    config = ReproduceConfig(
        dataset="mnist",
        data_dir=real_data_dir,
        training=TrainingConfig(
            epochs=1, batch_size=64, network_lr=0.05, reconstruction_weight=0.0
        ),
    )
    dataset = config.load_dataset()
    assert dataset.image_shape == (1, 28, 28)
    splits = {"train": dataset.train.subset(range(20_000)), "test": dataset.test}
    few = replace(dataset, splits=splits)
    *_, finished = run_job(Job(variant="none", seed=0), config, few, tmp_path)
    assert (finished.test_accuracy or 0.0) > 0.93
