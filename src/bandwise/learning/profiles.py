"""From a network and images to profiles.

    network, images ──sensitivity──→ tables of each λ ──→ profiles

What was learned is kept in a folder, with a record of what it was learned from.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bandwise.data import Dataset
from bandwise.errors import ConfigurationError
from bandwise.files import checked_entries, parse_json, write_json
from bandwise.frequency.coefficients import Subsampling
from bandwise.learning.sensitivity import (
    FAMILY,
    Candidate,
    SensitivityInput,
    lagrangian_label,
    sensitivity_candidates,
)
from bandwise.models.networks.registry import network_sha256
from bandwise.profile import Profile, RateDistortion
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.results import Learning
from bandwise.system import now, versions

ALLOWED_ENTRIES = ("networks", "profiles")
"""Folders that lie beside the results."""

LAGRANGIANS = tuple(float(f"{10 ** (exponent / 15):.2g}") for exponent in range(-108, -68))
"""λ in nats a bit, from about 6e-8 to 2.5e-5: from large files to small ones."""


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
    lagrangians
        λ in nats a bit; each gives one profile.
    images
        How many training images the tables are learned from, drawn at random.
    rdo
        λ of rate–distortion optimised quantisation relative to that of the tables; 0: none.
    """

    network: str = "resnet"
    weights: Path | None = None
    epochs: int | None = None
    lagrangians: tuple[float, ...] = LAGRANGIANS
    images: int = 600
    subsampling: Subsampling = "4:2:0"
    rdo: float = 0.0
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        values = self.lagrangians
        if not values or not all(0 < value < math.inf for value in values):
            raise ConfigurationError(f"each λ (--slopes) is above 0, got {values}")
        if len({lagrangian_label(value) for value in values}) < len(values):
            raise ConfigurationError(
                f"each λ (--slopes) differs in its first two digits, got {values}; leave some out"
            )
        if self.images < 1 or self.rdo < 0:
            raise ConfigurationError(
                f"images is at least 1 and rdo 0 or more, got {self.images} and {self.rdo}"
            )
        if self.epochs is not None and self.epochs < 1:
            raise ConfigurationError(f"epochs is at least 1, got {self.epochs}")


def sensitivity_input(
    config: LearnConfig, dataset: Dataset, network: nn.Module
) -> SensitivityInput:
    """Draw the images that tables are learned from."""
    generator = torch.Generator().manual_seed(config.seed)
    drawn = torch.randperm(len(dataset.train), generator=generator)[: config.images]
    return SensitivityInput(
        network=network,
        pixels_u8=dataset.train.pixels_u8[drawn],
        subsampling=config.subsampling,
        device=config.device,
    )


def learn_profiles(
    config: LearnConfig,
    dataset: Dataset,
    network: nn.Module,
    folder: Path,
    *,
    progress: ProgressCallback = ignore_progress,
) -> tuple[tuple[Profile, ...], Learning]:
    """Learn one profile a λ, or load those that are in ``folder`` already; also what it took.

    Profiles in ``folder`` that were learned with other settings, data or weights are replaced, as
    they are where the record of them is damaged.
    """
    path = folder / f"{FAMILY}.json"
    origin = profile_origin(config, dataset, network)
    profiles: list[Profile] = []
    seconds = 0.0
    with suppress(FileNotFoundError, ValueError):
        kinds = {"provenance": dict, "profiles": list, "seconds": int | float}
        record = checked_entries(parse_json(path.read_bytes()), kinds)
        if record["provenance"] == origin:
            profiles = [Profile.load(folder / name) for name in record["profiles"]]
            seconds = float(record["seconds"])
    if not profiles:
        started = time.perf_counter()
        given = sensitivity_input(config, dataset, network)
        candidates = list(sensitivity_candidates(given, config.lagrangians, progress=progress))
        seconds = round(time.perf_counter() - started, 2)
        profiles = [make_profile(candidate, config, origin) for candidate in candidates]
        for profile in profiles:
            profile.save(folder / profile_file_name(profile))
        names = [profile_file_name(profile) for profile in profiles]
        write_json(path, {"provenance": origin, "profiles": names, "seconds": seconds})
    settings = origin["settings"]
    learning = Learning(
        family=FAMILY,
        network=config.network,
        seconds=seconds,
        images=settings["images"],
        settings=settings,
    )
    return tuple(profiles), learning


def make_profile(candidate: Candidate, config: LearnConfig, origin: Mapping[str, Any]) -> Profile:
    """Profile of a candidate, with its `profile_origin`."""
    return Profile(
        name=f"{candidate.family} {candidate.label}",
        tables=candidate.tables,
        subsampling=candidate.subsampling,
        rate_distortion=RateDistortion(
            lagrangian=config.rdo * candidate.lagrangian,
            sensitivity={name: value.numpy() for name, value in candidate.sensitivity.items()},
        ),
        provenance={
            **origin,
            "family": candidate.family + (" + rdo" if config.rdo else ""),
            "slope": candidate.lagrangian,
            "versions": versions(),
            "created": now(),
        },
    )


def profile_origin(config: LearnConfig, dataset: Dataset, network: nn.Module) -> dict[str, Any]:
    """What profiles are learned from, as JSON; hashes all weights of the network."""
    return {
        "dataset": dataset.name,
        "dataset_sha256": dataset.sha256,
        "network": config.network,
        "network_sha256": network_sha256(network),
        "num_classes": dataset.num_classes,
        "settings": {
            "method": FAMILY,
            "slopes": list(config.lagrangians),
            "rdo": config.rdo,
            "images": min(config.images, len(dataset.train)),
            "subsampling": config.subsampling,
            "seed": config.seed,
        },
    }


def profile_file_name(profile: Profile) -> str:
    """Name of a profile's file in a folder of several, such as ``sensitivity-3.2e-07.json``."""
    return profile.name.replace(" ", "-") + ".json"
