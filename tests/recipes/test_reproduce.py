import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bandwise.bands import Rings, radial_bands
from bandwise.data import Dataset, LabelledImages, load
from bandwise.errors import ConfigurationError, DataError, OutputError
from bandwise.recipes.reproduce import (
    Job,
    ReproduceConfig,
    build_compressor,
    fitting_batch_size,
    jobs,
    run_job,
)
from bandwise.recipes.runner import Event, run
from bandwise.recipes.variants import CONTROLS, EXTENSIONS, PAPER, VARIANTS
from bandwise.results import Row, read_rows
from bandwise.training import EpochResult, Observer, TrainingConfig

QUICK = ReproduceConfig(
    dataset="digits",
    seeds=(0, 1),
    training=TrainingConfig(epochs=2, batch_size=16, patience=None),
)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def without_clock(rows: list[Row]) -> list[Row]:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            clock = ("created", "train_seconds", "images_per_second")
            return {name: strip(inner) for name, inner in value.items() if name not in clock}
        return value

    return [strip(row) for row in rows]


def test_all_variants_start_from_the_same_network_and_differ_as_named(
    digits: Dataset, tmp_path: Path
) -> None:
    bands = radial_bands(8, 8, 8)
    uniform = torch.full((8,), 1 / 8)
    for name in ("static", "adaptive", "task-only", "reconstruction-only", "shuffled"):
        torch.testing.assert_close(build_compressor(VARIANTS[name], bands).weights(), uniform)
    for name in ("edges", "input"):
        compressor = build_compressor(VARIANTS[name], bands)
        torch.testing.assert_close(compressor.weights(), uniform)
        assert torch.equal(compressor.bands.index, bands.index)
    for name in ("none", "mean-one"):
        torch.testing.assert_close(build_compressor(VARIANTS[name], bands).weights(), torch.ones(8))
    config = TrainingConfig()
    assert VARIANTS["task-only"].adjust(config) == replace(config, reconstruction_weight=0.0)
    assert VARIANTS["reconstruction-only"].adjust(config) == replace(config, task_gradient=False)
    assert VARIANTS["shuffled"].shuffle_labels
    assert [variant.name for variant in PAPER] == ["static", "adaptive"]
    assert len(CONTROLS) == 5
    assert [variant.name for variant in EXTENSIONS] == ["edges", "input"]


def test_a_job_leaves_its_weights_and_says_the_same_again(digits: Dataset, tmp_path: Path) -> None:
    job = Job(variant="adaptive", seed=0)
    first = run_job(job, QUICK, digits, tmp_path, Observer())
    bands = json.loads((tmp_path / "bands.json").read_text())
    tensors = load_file(tmp_path / "model.safetensors")
    torch.testing.assert_close(tensors["bands.weights"], torch.tensor(bands["weights"]))
    assert first["band_weights"] == pytest.approx(bands["weights"])
    assert sum(bands["coefficients_per_band"]) == 64
    assert tensors["network.first.weight"].shape == (16, 1, 3)

    class NoTraining(Observer):
        def on_step(self, progress: object) -> None:
            raise AssertionError("a finished run was trained again")

    again = run_job(job, QUICK, digits, tmp_path, NoTraining())
    assert without_clock([again]) == without_clock([first])


def test_learned_edges_are_in_the_rows_and_beside_the_model(
    digits: Dataset, tmp_path: Path
) -> None:
    row = run_job(Job(variant="edges", seed=0), QUICK, digits, tmp_path, Observer())
    bands = json.loads((tmp_path / "bands.json").read_text())
    tensors = load_file(tmp_path / "model.safetensors")
    assert bands["kind"] == "learned"
    assert (bands["edges"], bands["exponent"]) == (row["band_edges"], row["band_exponent"])
    rings = Rings(edges=tuple(row["band_edges"]), exponent=row["band_exponent"])
    assert torch.equal(tensors["bands.index"], rings.bands(8, 8).index)
    assert tensors["bands.gaps"].shape == (8,)
    assert row["band_weights_by_class"] is None
    assert row["band_weights"] == pytest.approx(tensors["bands.weights"].tolist())


def test_weights_for_each_image_are_in_the_row_by_class(digits: Dataset, tmp_path: Path) -> None:
    row = run_job(Job(variant="input", seed=0), QUICK, digits, tmp_path, Observer())
    assert len(row["band_weights_by_class"]) == 10
    assert all(sum(weights) == pytest.approx(1) for weights in row["band_weights_by_class"])
    assert sum(row["band_weights"]) == pytest.approx(1)
    assert min(row["band_weights_std"]) > 0
    assert row["band_edges"] is None
    assert load_file(tmp_path / "model.safetensors")["bands.last.weight"].shape == (8, 16)


def test_shuffled_labels_teach_nothing(digits: Dataset, tmp_path: Path) -> None:
    config = replace(QUICK, training=replace(QUICK.training, epochs=8, network_lr=0.1))
    honest = run_job(Job(variant="none", seed=0), config, digits, tmp_path / "a", Observer())
    shuffled = run_job(Job(variant="shuffled", seed=0), config, digits, tmp_path / "b", Observer())
    assert honest["test_accuracy"] > 0.8
    assert shuffled["test_accuracy"] < 0.3


def test_a_run_in_workers_resumes_and_grows(digits: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    heard: list[Event] = []
    rows = read_rows(run(QUICK, digits, out, workers=2, listener=heard.append))
    records = [row["record"] for row in rows]
    assert records.count("run") == 4
    assert records.count("epoch") == 8
    assert rows[0]["dataset"]["sha256"] == digits.sha256
    assert rows[0]["dataset"]["options"] == {"image_size": None, "colour": "grey"}
    assert {row["class"] for row in rows if row["record"] == "sample"} == {"0", "1", "2", "3"}
    assert sum(isinstance(event.body, EpochResult) for event in heard) == 8

    checkpoint = out / "runs" / "adaptive-seed1" / "checkpoint.safetensors"
    checkpoint.unlink()
    again = read_rows(run(QUICK, digits, out, workers=1))
    assert without_clock(again) == without_clock(rows)

    grown = replace(QUICK, seeds=(0,), variants=("none",))
    more = read_rows(run(grown, digits, out, workers=1))
    assert {row["variant"] for row in more if row["record"] == "run"} == {
        "static",
        "adaptive",
        "none",
    }

    with pytest.raises(ConfigurationError, match=r"another experiment.*epochs"):
        run(replace(QUICK, training=TrainingConfig(epochs=3)), digits, out, workers=1)
    with pytest.raises(ConfigurationError, match=r"another experiment.*bands"):
        run(replace(QUICK, bands=4), digits, out, workers=1)
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(Exception, match="not a readable checkpoint"):
        run(QUICK, digits, out, workers=1)


def test_a_folder_with_other_files_is_refused(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(OutputError, match="not empty"):
        run(QUICK, digits, tmp_path, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_too_many_bands_are_refused_before_anything_is_written(
    digits: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="60 radial bands"):
        run(replace(QUICK, bands=60), digits, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_a_worker_reports_what_the_data_set_lacks(digits: Dataset, tmp_path: Path) -> None:
    missing = replace(QUICK, dataset="mnist", data_dir=tmp_path)
    with pytest.raises(DataError, match="mnist"):
        run(missing, digits, tmp_path / "out", workers=1)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="seeds"):
        replace(QUICK, seeds=(1, 1))
    with pytest.raises(ConfigurationError, match="seeds"):
        replace(QUICK, seeds=())
    with pytest.raises(ConfigurationError, match="magic"):
        replace(QUICK, variants=("magic",))


def test_batches_fit_the_data_set(digits: Dataset) -> None:
    assert fitting_batch_size(digits) == 8
    large = LabelledImages(
        torch.zeros(25_000, 1, 4, 4, dtype=torch.uint8), torch.zeros(25_000).long()
    )
    assert fitting_batch_size(replace(digits, splits={**digits.splits, "train": large})) == 128


def test_jobs_of_a_seed_are_side_by_side() -> None:
    names = [job.name for job in jobs(QUICK)]
    assert names == ["static-seed0", "adaptive-seed0", "static-seed1", "adaptive-seed1"]


def test_mnist_learns_in_a_few_hundred_steps(real_data_dir: Path, tmp_path: Path) -> None:
    config = ReproduceConfig(
        dataset="mnist",
        data_dir=real_data_dir,
        training=TrainingConfig(epochs=1, network_lr=0.05, reconstruction_weight=0.0),
    )
    dataset = config.load_dataset()
    assert dataset.image_shape == (1, 28, 28)
    row = run_job(Job(variant="none", seed=0), config, dataset, tmp_path, Observer())
    assert row["test_accuracy"] > 0.93
