"""From a data set and a network to profiles: what ``bandwise learn`` and experiments share.

network ──trained or loaded──→ problem ──sensitivity──→ candidates ──gradient──→ candidates
│
candidate + quantisation settings ──→ profile ──measured on real files──→ a chosen point
"""

from __future__ import annotations

import json
import math
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from bandwise.coefficients import Subsampling
from bandwise.data import Dataset, holdout
from bandwise.data.augment import GLYPHS
from bandwise.errors import ConfigurationError, TargetError
from bandwise.evaluation import (
    EvaluationConfig,
    ProfileCodec,
    Step,
    check_folder,
    evaluate,
    family_of,
    split_images,
)
from bandwise.evaluation.run import VALIDATION_FRACTION
from bandwise.files import write_atomically, write_json
from bandwise.learning import (
    Candidate,
    GradientConfig,
    Problem,
    gradient_candidates,
    sensitivity_candidates,
    slope_label,
)
from bandwise.measures import (
    ORIGINAL,
    Point,
    Undefined,
    best_point,
    bound_in_words,
    points_of,
)
from bandwise.profile import Profile, RateDistortion
from bandwise.recipes.stages import Event, Listener, silent
from bandwise.results import Row, now, read_rows, versions
from bandwise.tasks import logits_of
from bandwise.tasks.networks import build_network, load_network, network_sha256
from bandwise.training import NetworkConfig, train_network

BESIDE = ("networks", "profiles")
"""Folders that lie beside the results."""

PHOTOGRAPH_SIDE = 64
"""Colour images from this side on are trained on as photographs, others as glyphs."""

STEPS_FOR_GLYPHS = 3000

METHODS = ("sensitivity", "gradient")
"""Ways to learn tables for a network that stays as it is."""

SLOPES = tuple(float(f"{10 ** (exponent / 15):.2g}") for exponent in range(-108, -68))
"""Prices of a bit in nats, from about 6e-8 to 2.5e-5: from large files to small ones."""


@dataclass(frozen=True, kw_only=True)
class LearnConfig:
    """How profiles are learned.

    Attributes
    ----------
    network
        A built-in name or ``package.module:function``.
    weights
        Its weights as safetensors; without them it is trained first.
    epochs
        How long it is trained then; as the kind of images wants if not given.
    method
        ``sensitivity`` or ``gradient``, which starts from it.
    slopes
        Prices of a bit; each gives one profile.
    images
        How many training images the tables are learned from, drawn at random.
    rdo
        Slope of rate–distortion optimised quantisation relative to the price of a bit; 0: none.
    """

    network: str = "resnet"
    weights: Path | None = None
    epochs: int | None = None
    method: str = "sensitivity"
    slopes: tuple[float, ...] = SLOPES
    images: int = 600
    subsampling: Subsampling = "4:2:0"
    rdo: float = 0.0
    gradient: GradientConfig = field(default_factory=GradientConfig)
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigurationError(
                f"unknown method {self.method!r}; use one of {', '.join(METHODS)}"
            )
        if not self.slopes or not all(0 < slope < math.inf for slope in self.slopes):
            raise ConfigurationError(f"slopes are above 0, got {self.slopes}")
        if len({slope_label(slope) for slope in self.slopes}) < len(self.slopes):
            raise ConfigurationError(
                f"slopes differ in their first two digits, got {self.slopes}; leave some out"
            )
        if self.images < 1 or self.rdo < 0:
            raise ConfigurationError(
                f"images is at least 1 and rdo 0 or more, got {self.images} and {self.rdo}"
            )


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a profile has to meet, on validation; points of accuracy by default.

    Exactly one of them is given, or none for one percentage point of accuracy.

    Attributes
    ----------
    accuracy_drop
        Percentage points of accuracy below that on originals: the smallest files that lose no more.
    rate_bpp, size_bytes
        Bits per pixel or mean bytes an image, headers included: the smallest divergence from the
        decisions on originals within that.
    """

    accuracy_drop: float | None = None
    rate_bpp: float | None = None
    size_bytes: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in asdict(self).values() if value is not None]
        if len(given) > 1 or not all(value >= 0 for value in given):
            raise ConfigurationError(
                "give one target, 0 or more: points of accuracy, bits per pixel, or bytes; "
                f"got {given}"
            )

    @property
    def drop(self) -> float | None:
        """Points of accuracy that may be lost; None where size is the target."""
        if self.rate_bpp is not None or self.size_bytes is not None:
            return None
        return 1.0 if self.accuracy_drop is None else self.accuracy_drop

    def limit_bytes(self, pixels: int) -> float | None:
        """Mean bytes an image of so many pixels may have; None where accuracy is the target."""
        return self.size_bytes if self.rate_bpp is None else self.rate_bpp * pixels / 8

    def chosen(self, points: Sequence[Point], pixels: int) -> Point | Undefined:
        """Point on validation that meets the target; ``pixels`` is those of an image."""
        limit, drop = self.limit_bytes(pixels), self.drop
        if limit is None:
            assert drop is not None
            best = best_point(points, "bandwise", drop)
            return best or Undefined(
                reason=f"no profile is within {bound_in_words(drop)} on validation"
            )
        within = [
            point
            for point in points
            if point.split == "validation" and point.named("bandwise") and point.mean_bytes <= limit
        ]
        if not within:
            return Undefined(reason=f"no profile needs at most {limit:,.0f} bytes on validation")
        return min(within, key=lambda point: (point.divergence, point.mean_bytes))


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A profile that meets a target, how it does on test, and where everything is.

    Attributes
    ----------
    profiles
        The whole curve that it was chosen from.
    weights
        Those of the network.
    """

    profile: Profile
    profiles: tuple[Profile, ...]
    chosen: Point
    test: Point
    original_test: Point
    results: Path
    weights: Path


def learn_profile(
    config: LearnConfig,
    dataset: Dataset,
    target: Target,
    out: Path,
    *,
    listener: Listener = silent,
) -> Learned:
    """Learn profiles, measure them on real files and choose the one that meets the target.

    Everything is kept in ``out``; the same call goes on from there.

    Raises
    ------
    TargetError
        When no profile meets the target on validation.
    OutputError
        When ``out`` cannot be written or holds something else.
    """
    check_folder(out, beside=BESIDE)
    dataset = split_off_validation(dataset, seed=config.seed)
    network = prepare_network(config, dataset, out / "networks", listener=listener)
    profiles = learned_profiles(config, dataset, network, out / "profiles", listener=listener)
    codec = ProfileCodec(profiles)
    results = evaluate(
        EvaluationConfig(network=config.network, seed=config.seed, device=config.device),
        dataset,
        network,
        [(codec, codec.settings())],
        out,
        profiles=profiles,
        beside=BESIDE,
        listener=measuring(listener),
    )
    names = {(family_of(profile), profile.name) for profile in profiles}
    rows = [row for row in read_rows(results) if row.get("seed") == config.seed]
    points = [
        point
        for point in points_of(rows, network=config.network)
        if point.codec == ORIGINAL or (point.family, point.label) in names
    ]
    chosen = target.chosen(points, math.prod(dataset.image_shape[1:]))
    if isinstance(chosen, Undefined):
        raise TargetError(
            f"{chosen.reason}; ask for less, or learn with other slopes "
            f"(now {min(config.slopes):g} to {max(config.slopes):g})"
        )
    (profile,) = (profile for profile in profiles if profile.name == chosen.label)
    test = {point.label: point for point in points if point.split == "test"}
    return Learned(
        profile=replace(profile, curve=[_summary(point) for point in points]),
        profiles=tuple(profiles),
        chosen=chosen,
        test=test[chosen.label],
        original_test=test[ORIGINAL],
        results=results,
        weights=config.weights or _weights_path(config, out / "networks"),
    )


def default_training(dataset: Dataset, config: LearnConfig) -> NetworkConfig:
    """Settings to train a network with, by the kind of images."""
    channels, height, _ = dataset.image_shape
    if channels == 3 and height >= PHOTOGRAPH_SIDE:
        training = NetworkConfig(seed=config.seed)
    else:
        images = len(dataset.train)
        batch_size = 64 if images > 5000 else 32
        training = NetworkConfig(
            epochs=max(4, min(40, round(STEPS_FOR_GLYPHS * batch_size / images))),
            batch_size=batch_size,
            warm_up_epochs=1.0,
            small_share=0.0,
            augmentation=GLYPHS,
            seed=config.seed,
        )
    return training if config.epochs is None else replace(training, epochs=config.epochs)


def prepare_network(
    config: LearnConfig, dataset: Dataset, out: Path, *, listener: Listener = silent
) -> nn.Module:
    """Load the network's weights, or train it and keep them as ``out/NETWORK.safetensors``.

    ``dataset`` has a validation split (:func:`split_off_validation`). Training writes a checkpoint
    after every epoch and goes on from it. Raises `ConfigurationError` for a network that cannot
    read the images, `CheckpointError` for weights or a checkpoint of another network.
    """
    channels, classes = dataset.image_shape[0], dataset.num_classes
    if config.weights is not None:
        network = load_network(
            config.network, config.weights, num_classes=classes, channels=channels
        )
        check_reads(network, config.network, dataset)
        return network
    path = _weights_path(config, out)
    training = default_training(dataset, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = build_network(config.network, num_classes=classes, channels=channels)
    check_reads(network, config.network, dataset)
    train_network(
        network,
        dataset.train,
        validation=split_images(dataset, "validation", seed=config.seed),
        num_classes=classes,
        config=training,
        device=config.device,
        checkpoint=path.with_suffix(".checkpoint.safetensors"),
        fingerprint=f"{config.network} {dataset.sha256}",
        listener=lambda epoch: listener(Event(stage=f"training {config.network}", epoch=epoch)),
    )
    state = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
    write_atomically(path, safetensors.torch.save(state))
    return network


def check_reads(network: nn.Module, name: str, dataset: Dataset) -> None:
    """Show the network an image: `ConfigurationError` where it cannot read that size."""
    try:
        logits_of(network, dataset.train.pixels_u8[:1], num_classes=dataset.num_classes)
    except RuntimeError as error:
        height, width = dataset.image_shape[1:]
        raise ConfigurationError(
            f"the network {name} cannot read images of {width}×{height} "
            f"({textwrap.shorten(str(error), 200)}); choose another network or image size"
        ) from error


def split_off_validation(dataset: Dataset, *, seed: int) -> Dataset:
    """Data set with a validation split of its own: a fifth of the training images where needed."""
    if dataset.validation is not None:
        return dataset
    train, validation = holdout(dataset.train, fraction=VALIDATION_FRACTION, seed=seed)
    return replace(dataset, train=train, validation=validation)


def problem_of(config: LearnConfig, dataset: Dataset, network: nn.Module) -> Problem:
    """Draw the images that tables are learned from."""
    generator = torch.Generator().manual_seed(config.seed)
    drawn = torch.randperm(len(dataset.train), generator=generator)[: config.images]
    return Problem(
        network=network,
        pixels_u8=dataset.train.pixels_u8[drawn],
        subsampling=config.subsampling,
        device=config.device,
    )


def learned_profiles(
    config: LearnConfig,
    dataset: Dataset,
    network: nn.Module,
    folder: Path,
    *,
    listener: Listener = silent,
) -> list[Profile]:
    """Learn one profile a price of a bit, or load those that are in ``folder`` already.

    Profiles in ``folder`` that were learned with other settings, data or weights are replaced.
    """
    record = folder / f"{config.method}.json"
    wanted = _provenance(config, dataset, network)
    if record.exists():
        found = json.loads(record.read_text())
        if found["provenance"] == wanted:
            return [Profile.load(folder / name) for name in found["profiles"]]
    started = time.perf_counter()
    problem = problem_of(config, dataset, network)

    def hear(stage: str, done: int, total: int) -> None:
        unit = "steps" if stage == "descending" else "images"
        listener(Event(stage=stage, unit=unit, done=done, total=total))

    candidates = list(sensitivity_candidates(problem, config.slopes, listener=hear))
    if config.method == "gradient":
        candidates = list(gradient_candidates(problem, candidates, config.gradient, listener=hear))
    seconds = time.perf_counter() - started
    profiles = [profile_of(candidate, config, dataset, network) for candidate in candidates]
    for profile in profiles:
        profile.save(folder / profile_file_name(profile))
    names = [profile_file_name(profile) for profile in profiles]
    write_json(
        record,
        {"provenance": wanted, "profiles": names, "seconds": round(seconds, 2)},
    )
    return profiles


def profile_of(
    candidate: Candidate, config: LearnConfig, dataset: Dataset, network: nn.Module
) -> Profile:
    """Profile of a candidate, with where it comes from."""
    return Profile(
        name=f"{candidate.family} {candidate.label}",
        tables=candidate.tables,
        subsampling=candidate.subsampling,
        rate_distortion=RateDistortion(
            slope=config.rdo * candidate.slope,
            sensitivity={name: value.numpy() for name, value in candidate.sensitivity.items()},
        ),
        provenance={
            **_provenance(config, dataset, network),
            "family": candidate.family + (" + rdo" if config.rdo else ""),
            "slope": candidate.slope,
            "versions": versions(),
            "created": now(),
        },
    )


def learning_row(config: LearnConfig, folder: Path) -> Row:
    """Row "learning": what learning took, by the record that :func:`learned_profiles` keeps."""
    found = json.loads((folder / f"{config.method}.json").read_text())
    return {
        "record": "learning",
        "family": config.method,
        "network": config.network,
        "seconds": found["seconds"],
        "images": found["provenance"]["settings"]["images"],
        "settings": found["provenance"]["settings"],
    }


def measuring(listener: Listener) -> Callable[[Step], None]:
    """Turn the steps of an evaluation into events."""
    total = 0

    def hear(step: Step) -> None:
        nonlocal total
        total = max(total, step.images_left + step.images_done)
        listener(Event(stage="measuring", done=total - step.images_left, total=total))

    return hear


def _provenance(config: LearnConfig, dataset: Dataset, network: nn.Module) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "dataset_sha256": dataset.sha256,
        "network": config.network,
        "network_sha256": network_sha256(network),
        "num_classes": dataset.num_classes,
        "settings": {
            "method": config.method,
            "slopes": list(config.slopes),
            "rdo": config.rdo,
            "images": min(config.images, len(dataset.train)),
            "subsampling": config.subsampling,
            "seed": config.seed,
            **({"gradient": asdict(config.gradient)} if config.method == "gradient" else {}),
        },
    }


def _summary(point: Point) -> dict[str, Any]:
    """Point for a profile's curve."""
    return {
        "codec": point.codec,
        "label": point.label,
        "split": point.split,
        "images": len(point.image_correct),
        "mean_bytes": None if point.image_bytes is None else point.mean_bytes,
        "accuracy": point.accuracy,
        "agreement": point.agreement,
        "divergence": point.divergence,
    }


def _weights_path(config: LearnConfig, folder: Path) -> Path:
    return folder / f"{config.network.replace(':', '.')}.safetensors"


def profile_file_name(profile: Profile) -> str:
    """Name of a profile's file in a folder of several, such as ``sensitivity-3.2e-07.json``."""
    return profile.name.replace(" ", "-") + ".json"
