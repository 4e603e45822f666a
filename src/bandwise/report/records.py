"""Result rows, checked and typed: what the report needs of them and nothing else.

Rows of kinds that are not known here are left alone, so that a results file may carry more than
this report shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise.bands import Bands, Rings, make_bands
from bandwise.errors import ConfigurationError, ResultsError
from bandwise.report.fields import Fields, fields_of, only_experiment
from bandwise.report.variants import VARIANTS

SIDE_MAX = 4096
"""Rows and columns of the images that are trained on."""

RunKey = tuple[str, int]
"""(variant, seed)."""


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """The data set that was trained on; ``train``, ``validation`` and ``test`` count images.

    ``options`` are those with which it was read; rows of older versions have none.
    """

    name: str
    source: str
    sha256: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    train: int
    validation: int
    test: int
    options: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What was run, on what, with what."""

    recipe: str
    created: str
    dataset: DatasetFacts
    bands: Bands
    settings: Mapping[str, Any]
    versions: Mapping[str, Any]
    machine: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A test image, ``pixels_u8`` of shape (C, H, W)."""

    class_name: str
    pixels_u8: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch of one run; accuracies are fractions.

    ``rings`` are those of learned edges.
    """

    number: int
    train_loss: float
    train_task_loss: float
    validation_loss: float
    validation_task_loss: float
    test_accuracy: float | None
    band_weights: tuple[float, ...]
    rings: Rings | None


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run, measured at its best epoch; accuracies are fractions.

    Where each image has weights of its own, ``band_weights`` is their mean over the validation
    images, ``band_weights_std`` their spread and ``band_weights_by_class`` their mean over the
    images of each class.
    """

    variant: str
    seed: int
    epochs: int
    best_epoch: int
    stopped_early: bool
    test_accuracy: float
    test_per_class: tuple[float, ...]
    band_weights: tuple[float, ...]
    band_weights_std: tuple[float, ...] | None
    band_weights_by_class: tuple[tuple[float, ...], ...] | None
    rings: Rings | None
    train_seconds: float
    images_per_second: float
    provenance: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Records:
    """Everything that a results file says, in the order of the variants and seeds."""

    experiment: Experiment
    samples: tuple[Sample, ...]
    histories: Mapping[RunKey, tuple[Epoch, ...]]
    runs: Mapping[RunKey, Run]


def parse_records(rows: Sequence[Mapping[str, Any]]) -> Records:
    """Check rows and give them types.

    Raises
    ------
    ResultsError
        If there is not exactly one experiment, a field is missing or of another kind, a run or
        epoch is there twice, or nothing was trained. The message names the line and the field.
    """
    fields = fields_of(rows)
    experiment = _experiment(only_experiment(fields))
    histories: dict[RunKey, dict[int, Epoch]] = {}
    runs: dict[RunKey, Run] = {}
    samples = [_sample(row, experiment) for row in fields if row.record == "sample"]
    for row in fields:
        if row.record == "epoch":
            epoch = _epoch(row, experiment)
            history = histories.setdefault(_key(row), {})
            if epoch.number in history:
                raise row.error("epoch", f"epoch {epoch.number} of this run is there twice")
            history[epoch.number] = epoch
        elif row.record == "run":
            run = _run(row, experiment)
            if _key(row) in runs:
                raise row.error("seed", f"{run.variant}, seed {run.seed}, is there twice")
            runs[_key(row)] = run
    if not histories and not runs:
        raise ResultsError("the results hold no epoch and no run; let the experiment train first")
    return Records(
        experiment=experiment,
        samples=tuple(samples),
        histories={
            key: tuple(epoch for _, epoch in sorted(histories[key].items()))
            for key in sorted(histories, key=_order)
        },
        runs={key: runs[key] for key in sorted(runs, key=_order)},
    )


def _order(key: RunKey) -> tuple[int, int]:
    return list(VARIANTS).index(key[0]), key[1]


def _experiment(row: Fields) -> Experiment:
    dataset = row.child("dataset")
    shape = dataset.integers("image_shape")
    if len(shape) != 3:
        raise dataset.error("image_shape", f"expected [channels, height, width], got {shape}")
    return Experiment(
        recipe=row.text("recipe"),
        created=row.text("created"),
        dataset=DatasetFacts(
            name=dataset.text("name"),
            source=dataset.text("source"),
            sha256=dataset.text("sha256"),
            classes=dataset.texts("classes"),
            image_shape=(shape[0], shape[1], shape[2]),
            train=dataset.integer("train"),
            validation=dataset.integer("validation"),
            test=dataset.integer("test"),
            options=dataset.mapping("options") if dataset.has("options") else {},
        ),
        bands=_bands(row.child("bands")),
        settings=row.mapping("settings"),
        versions=row.mapping("versions"),
        machine=row.mapping("machine"),
    )


def _bands(row: Fields) -> Bands:
    kind, count = row.text("kind"), row.integer("count")
    height, width = row.integer("height"), row.integer("width")
    if max(height, width) > SIDE_MAX:
        raise row.error("height", f"expected up to {SIDE_MAX} rows and columns")
    try:
        bands = make_bands(
            kind,  # type: ignore[arg-type]  # an unknown kind is refused by make_bands
            height,
            width,
            count=count if kind == "radial" else None,
        )
    except ConfigurationError as error:
        raise row.error("kind", str(error)) from error
    if bands.count != count:
        raise row.error("count", f"expected {bands.count} {kind} bands, got {count}")
    return bands


def _sample(row: Fields, experiment: Experiment) -> Sample:
    try:
        values = np.asarray(row.value("pixels_u8"))
    except ValueError as error:
        raise row.error("pixels_u8", "expected a regular (C, H, W) list") from error
    expected = experiment.dataset.image_shape
    if values.shape != expected or values.dtype.kind != "i":
        raise row.error(
            "pixels_u8",
            f"expected integers of shape {expected}, got {values.dtype} of shape {values.shape}",
        )
    if values.min() < 0 or values.max() > 255:
        raise row.error("pixels_u8", f"expected 0 to 255, got {values.min()} to {values.max()}")
    return Sample(class_name=row.text("class"), pixels_u8=values.astype(np.uint8))


def _key(row: Fields) -> RunKey:
    variant = row.text("variant")
    if variant not in VARIANTS:
        raise row.error("variant", f"expected one of {', '.join(VARIANTS)}, got {variant!r}")
    return variant, row.integer("seed")


def _epoch(row: Fields, experiment: Experiment) -> Epoch:
    tested = row.value("test_accuracy") is not None
    return Epoch(
        number=row.integer("epoch"),
        train_loss=row.number("train_loss"),
        train_task_loss=row.number("train_task_loss"),
        validation_loss=row.number("validation_loss"),
        validation_task_loss=row.number("validation_task_loss"),
        test_accuracy=row.fraction("test_accuracy") if tested else None,
        band_weights=row.numbers("band_weights", experiment.bands.count),
        rings=_rings(row, experiment),
    )


def _rings(row: Fields, experiment: Experiment) -> Rings | None:
    """Learned edges; rows of other variants and of older versions have none."""
    if not row.has("band_edges"):
        return None
    edges = row.numbers("band_edges", experiment.bands.count - 1)
    try:
        return Rings(edges=edges, exponent=row.number("band_exponent"))
    except ConfigurationError as error:
        raise row.error("band_edges", str(error)) from error


def _run(row: Fields, experiment: Experiment) -> Run:
    variant, seed = _key(row)
    epochs, count = row.integer("epochs"), experiment.bands.count
    classes = len(experiment.dataset.classes)
    if epochs < 1:
        raise row.error("epochs", f"expected 1 or more, got {epochs}")
    return Run(
        variant=variant,
        seed=seed,
        epochs=epochs,
        best_epoch=row.integer("best_epoch"),
        stopped_early=bool(row.value("stopped_early")),
        test_accuracy=row.fraction("test_accuracy"),
        test_per_class=row.numbers("test_per_class", classes),
        band_weights=row.numbers("band_weights", count),
        band_weights_std=(
            row.numbers("band_weights_std", count) if row.has("band_weights_std") else None
        ),
        band_weights_by_class=(
            row.table("band_weights_by_class", classes, count)
            if row.has("band_weights_by_class")
            else None
        ),
        rings=_rings(row, experiment),
        train_seconds=row.number("train_seconds"),
        images_per_second=row.number("images_per_second"),
        provenance=row.mapping("provenance"),
    )
