"""Small made-up results of every experiment that has a page, the same in every run."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from bandwise.frequency.bands import make_bands
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet
from bandwise.results import (
    DatasetInfo,
    Epoch,
    Example,
    Experiment,
    LearnedTables,
    Learning,
    Measurement,
    Record,
    Results,
    Run,
    Sample,
    Trained,
)

MACHINE = {"processor": "Example CPU", "cores": 2, "memory_bytes": 2**34}
VERSIONS = {"bandwise": "0.1.0", "python": "3.11.7"}


def results_of(*records: Record) -> Results:
    return Results.from_rows(record.to_row() for record in records)


def experiment(recipe: str, **more: Any) -> Experiment:
    dataset = DatasetInfo(
        name=more.pop("name", "clothes"),
        source="invented",
        sha256="ab" * 32,
        classes=more.pop("classes", ("dress", "hat", "shoes")),
        image_shape=more.pop("image_shape", (3, 32, 32)),
        channels=3,
        train=300,
        validation=40,
        test=40,
    )
    return Experiment(
        recipe=recipe,
        created="2026-01-02T03:04:05Z",
        dataset=dataset,
        settings=more.pop("settings", {"batch_size": 8}),
        versions=VERSIONS,
        machine=MACHINE,
        **more,
    )


def paper_results(
    *,
    variants: Sequence[str] = ("static", "adaptive", "mean-one", "none", "shuffled"),
    seeds: Sequence[int] = (0, 1, 2),
    unfinished: Sequence[tuple[str, int]] = (),
    epochs: int = 3,
    bands: int = 3,
    samples: int = 2,
    **more: Any,
) -> Results:
    """Runs whose accuracy rises with the order of the variants; shuffled labels are at chance."""
    count, classes = bands, more.setdefault("classes", ("dress", "hat", "shoes"))
    more.setdefault("name", "mnist")
    about = experiment(
        "reproduce",
        image_shape=(1, 8, 8),
        bands=make_bands("radial", 8, 8, count=count),
        **more,
    )
    records: list[Record] = [about]
    rng = np.random.default_rng(0)
    for label in range(samples):
        pixels = rng.integers(0, 256, (1, 8, 8))
        records.append(Sample(class_name=classes[label], label=label, pixels_u8=pixels))
    for order, variant in enumerate(variants):
        for seed in seeds:
            best = 1 / len(classes) if variant == "shuffled" else 0.9 + 0.01 * order
            weights = tuple((rng.dirichlet(np.ones(count)) + 0.01).tolist())
            done = epochs if (variant, seed) not in unfinished else 1
            for number in range(1, done + 1):
                accuracy = best * number / epochs + 0.002 * seed * (order % 2)
                records.append(
                    Epoch(
                        variant=variant,
                        seed=seed,
                        epoch=number,
                        train_loss=2 / number,
                        train_task_loss=1.9 / number,
                        validation_loss=2.2 / number,
                        validation_task_loss=2.1 / number,
                        test_accuracy=accuracy,
                        band_weights=weights,
                    )
                )
            if done == epochs:
                records.append(
                    Run(
                        variant=variant,
                        seed=seed,
                        epochs=epochs,
                        best_epoch=epochs,
                        stopped_early=False,
                        test_accuracy=accuracy,
                        test_per_class=(accuracy,) * len(classes),
                        band_weights=weights,
                        train_seconds=10.0 + order,
                        images_per_second=100.0,
                        provenance={"versions": VERSIONS, "machine": MACHINE},
                    )
                )
    return results_of(*records)


CURVES = {
    ("bandwise", "sensitivity"): 0.6,
    ("bandwise", "sensitivity rdo"): 0.55,
    ("bandwise guided", "bandwise guided"): 0.4,
    ("libjpeg", "libjpeg 4:2:0 smallest"): 1.0,
    ("libjpeg guided", "libjpeg guided"): 0.5,
    ("webp", "webp"): 0.8,
}
"""Bytes of each family relative to libjpeg's of the same accuracy."""


def measurements(
    images: int, network: str, curves: Any, *, protocol: Any = "frozen", seeds: Sequence[int] = (0,)
) -> Iterator[Measurement]:
    """Settings of increasing size and accuracy, on both splits, with the originals."""
    rng = np.random.default_rng(1)
    margins = rng.normal(1.2, 1, images)
    for split in ("validation", "test"):
        for seed in seeds:
            for (codec, family), factor in {("original", "original"): 0.0, **curves}.items():
                for step in range(5 if factor else 1):
                    divergence = 0.4 / 4**step if factor else 0.0
                    correct = (margins + 0.1 * seed > divergence).astype(float)
                    sizes = np.full(images, round(400 * factor * 1.6**step)) + np.arange(images) % 9
                    is_jpeg = codec not in ("original", "webp")
                    yield Measurement(
                        codec=codec,
                        family=family,
                        label=f"s{step}" if factor else "original",
                        setting={"quality": 20 + 10 * step} if codec == "libjpeg" else {},
                        split=split,
                        protocol=protocol,
                        network=network,
                        seed=seed,
                        images=images,
                        pixels=images * 1024,
                        size_bytes=int(sizes.sum()) if factor else None,
                        payload_bytes=int(0.8 * sizes.sum()) if factor and is_jpeg else None,
                        estimated_payload_bytes=int(0.82 * sizes.sum())
                        if codec == "bandwise"
                        else None,
                        accuracy=float(correct.mean()),
                        agreement=1.0,
                        divergence=divergence,
                        image_bytes=sizes if factor else None,
                        image_correct=correct,
                    )


def rate_results(
    *, transfer: bool = True, retrained: bool = True, examples: int = 1, curves: Any = None
) -> Results:
    """Measurements of six families, learned tables, an image, two networks, two protocols."""
    curves = CURVES if curves is None else curves
    records: list[Record] = [experiment("evaluate"), *measurements(60, "resnet", curves)]
    if transfer:
        records += measurements(60, "plain-cnn", curves)
    if retrained:
        pair = {key: factor for key, factor in curves.items() if key[0] in ("bandwise", "libjpeg")}
        records += measurements(60, "resnet", pair, protocol="retrained", seeds=(0, 1))
    plane = np.geomspace(1, 1e-6, 64).reshape(8, 8)
    for family in [family for codec, family in curves if codec == "bandwise"]:
        records += [
            LearnedTables(
                family=family,
                label=f"s{step}",
                network="resnet",
                tables=TableSet.ijg(20 + 10 * step),
                subsampling="4:2:0",
                importance={"luma": plane, "cb": plane, "cr": plane / 2},
            )
            for step in range(5)
        ]
        records.append(
            Learning(family=family, network="resnet", seconds=2.5, images=300, settings={"rdo": 1})
        )
    for index in range(examples):
        for codec, family, kind in (
            ("original", "original", "PNG"),
            ("libjpeg", "libjpeg 4:2:0 smallest", "JPEG"),
        ):
            stream = io.BytesIO()
            Image.new("RGB", (32, 32), (9, 99, 40 * index)).save(stream, kind)
            records.append(
                Example(
                    index=index,
                    class_name="hat",
                    codec=codec,
                    family=family,
                    setting_label="original" if codec == "original" else "s2",
                    size_bytes=len(stream.getvalue()),
                    correct=codec == "original",
                    data=stream.getvalue(),
                )
            )
    return results_of(*records)


def training_results(
    *,
    seeds: Sequence[int] = (0, 1, 2),
    kept: Sequence[int] = (24, 12),
    rules: Sequence[str] = ("importance", "energy", "zigzag"),
    twins: bool = True,
    leave_out: Callable[[Trained], bool] = lambda run: False,
) -> Results:
    """A network on coefficients and on pixels, and one on fewer frequencies."""
    whole = Frequencies.whole(3)
    settings: list[tuple[str, str, int | None, str | None]] = [
        ("small", "coefficients", None, None),
        *((("resnet", reads, None, None) for reads in ("coefficients", "pixels")) if twins else ()),
        *(("small", "coefficients", count, rule) for count in kept for rule in rules),
    ]
    runs = []
    for order, (network, reads, count, rule) in enumerate(settings):
        for seed in seeds:
            accuracy = 0.7 - 0.01 * order + 0.003 * ((seed * (order + 2)) % 5)
            slower = 1.5 if reads == "pixels" else 1.0
            runs.append(
                Trained(
                    network=network,
                    reads="pixels" if reads == "pixels" else "coefficients",
                    seed=seed,
                    kept=count,
                    rule=rule,
                    frequencies=Frequencies.zigzag(count, channels=3) if count else whole,
                    parameters=1000 + order,
                    epochs=4,
                    validation_curve=tuple(accuracy * x for x in (0.5, 0.7, 0.9, 1.0)),
                    train_seconds=(slower, slower, 2 * slower, 2 * slower + 0.01 * seed),
                    images=300,
                    test_accuracy=accuracy,
                    test_bytes=np.full(40, 1000 if count is None else 20 * count + order),
                )
            )
    about = experiment(
        "straight-from-jpeg",
        settings={"training": {"epochs": 4, "small_share": 0.5, "seed": 0}},
        image_shape=None,
    )
    return results_of(about, *(run for run in runs if not leave_out(run)))


RESULTS: dict[str, Callable[..., Results]] = {
    "paper": paper_results,
    "rate_accuracy": rate_results,
    "training": training_results,
}
"""By the module of the page."""
