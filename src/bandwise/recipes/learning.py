"""From a network and images to profiles.

    network, images ──sensitivity──→ candidates ──gradient──→ candidates ──→ profiles

What was learned is kept in a folder, with a record of what it was learned from.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bandwise.coefficients import Subsampling
from bandwise.data import Dataset
from bandwise.errors import ConfigurationError
from bandwise.files import checked_entries, parse_json, write_json
from bandwise.learning import (
    Candidate,
    GradientConfig,
    Problem,
    gradient_candidates,
    sensitivity_candidates,
    slope_label,
)
from bandwise.profile import Profile, RateDistortion
from bandwise.recipes.stages import Event, Listener, silent
from bandwise.results import Row, now, versions
from bandwise.tasks.networks import network_sha256

BESIDE = ("networks", "profiles")
"""Folders that lie beside the results."""

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
        if self.epochs is not None and self.epochs < 1:
            raise ConfigurationError(f"epochs is at least 1, got {self.epochs}")


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

    Profiles in ``folder`` that were learned with other settings, data or weights are replaced, as
    they are where the record of them is damaged.
    """
    record = folder / f"{config.method}.json"
    wanted = _provenance(config, dataset, network)
    with suppress(FileNotFoundError, ValueError):
        found = _record(record)
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
    found = _record(folder / f"{config.method}.json")
    return {
        "record": "learning",
        "family": config.method,
        "network": config.network,
        "seconds": found["seconds"],
        "images": found["provenance"]["settings"]["images"],
        "settings": found["provenance"]["settings"],
    }


def _record(path: Path) -> dict[str, Any]:
    kinds = {"provenance": dict, "profiles": list, "seconds": int | float}
    return checked_entries(parse_json(path.read_bytes()), kinds)


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


def profile_file_name(profile: Profile) -> str:
    """Name of a profile's file in a folder of several, such as ``sensitivity-3.2e-07.json``."""
    return profile.name.replace(" ", "-") + ".json"
