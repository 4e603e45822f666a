"""The paper's experiment: static and learned band weights on the same small classifier.

Source: "Adaptive frequency band learning for task-specific neural network compression".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch

from bandwise.bands import Bands, radial_bands
from bandwise.checkpoint import save_tensors
from bandwise.compressors import (
    AdaptiveBands,
    Compressor,
    LearnedBands,
    LearnedEdges,
    StaticBands,
)
from bandwise.data import Dataset, LabelledImages, holdout, load
from bandwise.data.batches import TensorBatches
from bandwise.errors import ConfigurationError
from bandwise.files import write_json
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.recipes.variants import VARIANTS, Variant
from bandwise.results import SCHEMA, Row, digest, machine, now, versions
from bandwise.tasks import Classification
from bandwise.tasks.networks import SequenceCNN
from bandwise.training import (
    Observer,
    TrainingConfig,
    TrainingResult,
    WeightStatistics,
    evaluate,
    train,
)

EVALUATION_BATCH = 500
"""Images a batch when nothing is learned."""


@dataclass(frozen=True, kw_only=True)
class ReproduceConfig:
    """What is run. Seeds and variants may be added to a finished folder; the rest may not."""

    dataset: str = "mnist"
    data_dir: Path | None = None
    image_size: tuple[int, int] | None = None
    colour: Literal["grey", "rgb"] = "grey"
    bands: int = 8
    seeds: tuple[int, ...] = (0, 1, 2)
    variants: tuple[str, ...] = ("static", "adaptive")
    training: TrainingConfig = field(default_factory=TrainingConfig)
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise ConfigurationError(
                f"seeds must be different whole numbers from 0, got {list(self.seeds)}"
            )
        if unknown := [name for name in self.variants if name not in VARIANTS]:
            raise ConfigurationError(
                f"unknown variant {unknown[0]!r}; known: {', '.join(VARIANTS)}"
            )

    def load_dataset(self, progress: ProgressCallback = ignore_progress) -> Dataset:
        """Find, check and read the data set."""
        return load(
            self.dataset,
            data_dir=self.data_dir,
            image_size=self.image_size,
            colour=self.colour,
            progress=progress,
        )


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: a variant and a seed."""

    variant: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return f"{self.variant}-seed{self.seed}"


MIN_STEPS = 128
"""Least number of steps that an epoch should have, see :func:`fitting_batch_size`."""


def fitting_batch_size(dataset: Dataset) -> int:
    """The paper's batch of 128, halved until an epoch has 128 steps.

    A batch of 128 gives the paper's data 375 steps an epoch, but the 1,151 training images of
    ``digits`` only 9: too few for its learning rates to learn anything in 30 epochs.
    """
    images = len(dataset.train)
    if dataset.validation is None:
        images -= round(images * TrainingConfig.validation_fraction)
    batch_size = TrainingConfig.batch_size
    while batch_size > 1 and images < MIN_STEPS * batch_size:
        batch_size //= 2
    return batch_size


def jobs(config: ReproduceConfig) -> list[Job]:
    """All runs, seed by seed, so that the variants of a seed train side by side."""
    return [Job(variant=name, seed=seed) for seed in config.seeds for name in config.variants]


def experiment_row(config: ReproduceConfig, dataset: Dataset) -> Row:
    """Describe the experiment for the results; also checks that bands and data fit together."""
    channels, height, width = dataset.image_shape
    bands = radial_bands(height, width, config.bands)
    kept, held_out = _split(dataset, config.training)
    settings = asdict(config.training)
    del settings["seed"], settings["task_gradient"]
    return {
        "record": "experiment",
        "schema": SCHEMA,
        "recipe": "reproduce",
        "created": now(),
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "sha256": dataset.sha256,
            "classes": list(dataset.classes),
            "image_shape": [channels, height, width],
            "train": len(kept),
            "validation": len(held_out),
            "test": len(dataset.test),
            "options": {
                "image_size": config.image_size and list(config.image_size),
                "colour": config.colour,
            },
        },
        "bands": {"kind": bands.kind, "count": bands.count, "height": height, "width": width},
        "settings": settings,
        "versions": versions(),
        "machine": machine(),
    }


def sample_rows(dataset: Dataset, *, count: int = 4) -> list[Row]:
    """First test image of each of the first classes, for pictures in the report."""
    rows: list[Row] = []
    for label, name in list(enumerate(dataset.classes))[:count]:
        index = int((dataset.test.labels == label).nonzero()[0, 0])
        pixels = dataset.test.pixels_u8[index].tolist()
        rows.append({"record": "sample", "class": name, "label": label, "pixels_u8": pixels})
    return rows


def run_job(
    job: Job, config: ReproduceConfig, dataset: Dataset, folder: Path, observer: Observer
) -> Row:
    """Train one run, or resume or re-read it, and return its row.

    Leaves ``model.safetensors`` (network and compressor of the best epoch), ``bands.json`` and
    ``checkpoint.safetensors`` (the whole state after the last epoch, with the history) in
    ``folder``. A finished checkpoint is read back without training.
    """
    variant = VARIANTS[job.variant]
    settings = variant.adjust(replace(config.training, seed=job.seed))
    channels, height, width = dataset.image_shape
    bands = radial_bands(height, width, config.bands)
    fingerprint = digest([dataset.sha256, job.variant, config.bands, asdict(settings)])
    torch.manual_seed(job.seed)
    network = SequenceCNN(height * width, dataset.num_classes, channels=channels)
    task = Classification(network).to(config.device)
    compressor = build_compressor(variant, bands).to(config.device)
    kept, held_out = _split(dataset, settings)
    if variant.shuffle_labels:
        kept, held_out = _shuffled(kept, job.seed), _shuffled(held_out, job.seed)

    def batches(images: LabelledImages, *, shuffle: bool = False) -> TensorBatches:
        return TensorBatches.of_images(
            images,
            batch_size=settings.batch_size if shuffle else EVALUATION_BATCH,
            shuffle_seed=job.seed if shuffle else None,
            device=config.device,
        )

    result = train(
        task,
        compressor,
        batches(kept, shuffle=True),
        validation=batches(held_out),
        test=batches(dataset.test),
        config=settings,
        checkpoint=folder / "checkpoint.safetensors",
        fingerprint=fingerprint,
        observer=observer,
    )
    save_tensors(folder / "model.safetensors", _model_tensors(task, compressor), asdict(job))
    weights = evaluate(task, compressor, batches(held_out), settings).weights
    write_json(folder / "bands.json", _bands_json(job, compressor, weights))
    return _run_row(job, result, weights, settings, dataset)


def build_compressor(variant: Variant, bands: Bands) -> Compressor:
    """Make the compressor of a variant, with uniform weights where they are learned."""
    if variant.weighing == "edges":
        return LearnedEdges(*bands.shape, bands.count, normalisation=variant.normalisation)
    kinds = {"static": StaticBands, "learned": LearnedBands, "input": AdaptiveBands}
    return kinds[variant.weighing](bands, normalisation=variant.normalisation)


def _split(dataset: Dataset, settings: TrainingConfig) -> tuple[LabelledImages, LabelledImages]:
    if dataset.validation is not None:
        return dataset.train, dataset.validation
    return holdout(dataset.train, fraction=settings.validation_fraction, seed=settings.seed)


def _shuffled(images: LabelledImages, seed: int) -> LabelledImages:
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return LabelledImages(images.pixels_u8, images.labels[order])


def _model_tensors(task: Classification, compressor: Compressor) -> dict[str, torch.Tensor]:
    network = {f"network.{name}": value for name, value in task.network.state_dict().items()}
    learned = {f"bands.{name}": value for name, value in compressor.state_dict().items()}
    weights = compressor.weights().detach()
    return {**network, **learned, "bands.weights": weights, "bands.index": compressor.bands.index}


def _bands_json(job: Job, compressor: Compressor, weights: WeightStatistics) -> dict[str, Any]:
    bands, rings = compressor.bands, compressor.rings()
    return {
        "variant": job.variant,
        "seed": job.seed,
        "kind": bands.kind,
        "count": bands.count,
        "plane": list(bands.shape),
        "coefficients_per_band": bands.sizes.tolist(),
        "edges": rings and list(rings.edges),
        "exponent": rings and rings.exponent,
        "weights": list(weights.mean),
    }


def _run_row(
    job: Job,
    result: TrainingResult,
    weights: WeightStatistics,
    settings: TrainingConfig,
    dataset: Dataset,
) -> Row:
    best = result.best
    seconds = sum(epoch.train_seconds for epoch in result.history)
    images = sum(epoch.images for epoch in result.history)
    return {
        "record": "run",
        "variant": job.variant,
        "seed": job.seed,
        "epochs": len(result.history),
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
        "test_accuracy": best.test_accuracy,
        "test_per_class": list(best.test_per_class or ()),
        "validation_accuracy": best.validation_accuracy,
        "band_weights": list(best.band_weights),
        "band_weights_std": best.band_weights_std and list(best.band_weights_std),
        "band_weights_by_class": weights.by_class and [list(each) for each in weights.by_class],
        "band_edges": best.band_edges and list(best.band_edges),
        "band_exponent": best.band_exponent,
        "train_seconds": seconds,
        "images_per_second": images / seconds,
        "provenance": {
            "data_sha256": dataset.sha256,
            "settings": asdict(settings),
            "versions": versions(),
            "machine": machine(),
        },
    }
