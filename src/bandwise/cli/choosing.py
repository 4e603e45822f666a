"""Which profile each image gets: the one there is, or what a network chooses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer
from numpy.typing import NDArray

from bandwise.adaptive import AdaptiveProfile, load_profile
from bandwise.cli.options import Device, device_name
from bandwise.errors import ConfigurationError
from bandwise.profile import Profile

if TYPE_CHECKING:
    from bandwise.guidance import GuidedEncoder

AnyProfile = Profile | AdaptiveProfile

TOLERANCE = 0.05
"""Nats by which a file that a network chooses may change its output."""


@dataclass(frozen=True, kw_only=True)
class GuidedByNetwork:
    """A `Chooser` that loads its network when it is first asked, in whichever process that is."""

    profiles: Sequence[Profile]
    network: str
    weights: Path
    tolerance: float
    device: Device

    @property
    def settings(self) -> dict[str, Any]:
        """What it decides by, beside the profiles, as JSON values."""
        with self.weights.open("rb") as stream:
            weights_sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return {
            "network": self.network,
            "weights_sha256": weights_sha256,
            "tolerance": self.tolerance,
        }

    def profile_for(self, pixels_u8: NDArray[np.uint8]) -> Profile:
        """Profile for an image (height, width) or (height, width, 3)."""
        return self.profiles[self.choice.guide.rungs(pixels_u8).chosen(self.tolerance)]

    @cached_property
    def choice(self) -> GuidedEncoder:
        """The choice itself; raises where network, weights and profiles do not fit together."""
        from bandwise.guidance import GuidedEncoder

        encoder = GuidedEncoder(
            profiles=self.profiles,
            network=self.network,
            weights=self.weights,
            tolerance=self.tolerance,
            device=device_name(self.device),
        )
        _ = encoder.guide
        return encoder

    def __getstate__(self) -> dict[str, Any]:
        """All but the network, which other processes load for themselves."""
        return {name: value for name, value in vars(self).items() if name != "choice"}


def load_profiles(paths: list[Path]) -> list[AnyProfile]:
    """Profiles of files, and of folders in the order of their names."""
    found: list[AnyProfile] = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise ConfigurationError(f"the folder {path} holds no profiles (*.json)")
        found += map(load_profile, files)
    return found


def refuse_misuse(
    loaded: Sequence[AnyProfile],
    network: str | None,
    weights: Path | None,
    tolerance: float | None,
    *,
    requantise: bool,
) -> None:
    """Say what to do where the options do not fit the profiles and their number."""
    profiles = len(loaded)
    if any(isinstance(each, AdaptiveProfile) for each in loaded) and (profiles > 1 or requantise):
        raise typer.BadParameter(
            "a profile with a codebook chooses for each image by itself, from its pixels; give it "
            "alone, without --requantise"
        )
    if profiles > 1 and (network is None or weights is None):
        raise typer.BadParameter(
            f"{profiles} profiles need a network that chooses one for each image; give --network "
            "NAME and --weights FILE, or one profile"
        )
    if profiles > 1 and requantise:
        raise typer.BadParameter(
            "several profiles are compared from pixels; leave out --requantise, or give one profile"
        )
    if profiles == 1 and any(given is not None for given in (network, weights, tolerance)):
        raise typer.BadParameter(
            "--network, --weights and --tolerance belong to a ladder of several profiles and there "
            "is one; give more with --profile, or leave them out"
        )


def keeping_what_is_read(profiles: list[AnyProfile], path: Path) -> list[AnyProfile]:
    """Profiles whose files hold the frequencies alone that a model reads."""
    from bandwise.inference import Model

    kept = Model.describe(path).frequencies
    if kept is None:
        raise typer.BadParameter(
            f"the model {path} reads pixels, to which every frequency adds; give one that reads "
            "coefficients, or leave out --for-model"
        )
    for profile in profiles:
        if kept.chroma and profile.subsampling != "4:2:0":
            raise typer.BadParameter(
                f"models read chroma at 4:2:0, and the profile {profile.name!r} has it at "
                f"{profile.subsampling}, where other frequencies are read; use a profile at 4:2:0, "
                "or leave out --for-model"
            )
    return [profile.keeping(kept) for profile in profiles]
