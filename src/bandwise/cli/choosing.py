"""The encoder that `bandwise encode` runs: a search that asks models, a profile, or a ladder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from bandwise.cli.options import DeviceName, prepare_device
from bandwise.encoding import Container, ImageEncoder, ProfileEncoder
from bandwise.errors import ConfigurationError
from bandwise.models.loading import ModelSource, PreprocessingOptions
from bandwise.profile import Profile
from bandwise.search.answers import MARGIN, Keep
from bandwise.search.encoder import SearchEncoder
from bandwise.search.search import OnMiss

KEEP = "0.2"
"""What of a model's answer is kept: nats of divergence."""

TOLERANCE = 0.05
"""Nats by which a file that a network chooses may change its output."""


def encoder_of(
    profiles: Sequence[Profile],
    *,
    network: str | None,
    weights: Path | None,
    tolerance: float | None,
    device: DeviceName,
    container: Container,
    requantise: bool,
) -> ImageEncoder:
    """Encoder with one profile, or with the several that a network chooses from.

    Raises `typer.BadParameter` where the options do not fit the number of profiles, and what
    `GuidedEncoder.guide` does where network, weights and profiles do not fit together.
    """
    if len(profiles) == 1:
        if any(given is not None for given in (network, weights, tolerance)):
            raise typer.BadParameter(
                "--network, --weights and --tolerance belong to a ladder of several profiles and "
                "there is one; give more with --profile, or leave them out"
            )
        return ProfileEncoder(profiles[0], container)
    if network is None or weights is None:
        raise typer.BadParameter(
            f"{len(profiles)} profiles need a network that chooses one for each image; give "
            "--network NAME and --weights FILE, or one profile"
        )
    if requantise:
        raise typer.BadParameter(
            "several profiles are compared from pixels; leave out --requantise, or give one profile"
        )
    # PyTorch takes seconds to import, and one profile for all images does not need it.
    from bandwise.guidance import GuidedEncoder

    encoder = GuidedEncoder(
        profiles=profiles,
        network=network,
        weights=weights,
        tolerance=TOLERANCE if tolerance is None else tolerance,
        container=container,
        device=prepare_device(device),
    )
    _ = encoder.guide  # so that what does not fit is said before anything is written
    return encoder


def searching_encoder(
    names: Sequence[str],
    *,
    keep: str | None,
    looks: int,
    plan: Path | None,
    on_miss: OnMiss,
    scaling: bool,
    weights: Path | None,
    preprocessing: PreprocessingOptions,
    device: DeviceName,
) -> SearchEncoder:
    """Encoder that asks models; what does not fit is said before anything is written."""
    if weights is not None and len(names) > 1:
        raise typer.BadParameter("--weights belong to one model; give one --model")
    needs_torch = any(not name.startswith("onnx:") for name in names)
    chosen = prepare_device(device) if needs_torch else "cpu"
    encoder = SearchEncoder(
        models=[
            ModelSource(name=name, weights=weights, preprocessing=preprocessing, device=chosen)
            for name in names
        ],
        keep=kept(KEEP if keep is None else keep),
        plan=plan,
        looks=looks,
        on_miss=on_miss,
        scaling=scaling,
    )
    _ = encoder.search
    return encoder


def kept(given: str) -> Keep:
    """Read ``--keep``: nats, ``decision`` or ``decision:MARGIN``; raises `typer.BadParameter`."""
    kind, _, margin = given.partition(":")
    try:
        if kind == "decision":
            return Keep(kind="decision", tolerance=float(margin) if margin else MARGIN)
        return Keep(tolerance=float(given))
    except ValueError:
        raise typer.BadParameter(
            f"--keep is a divergence in nats from 0, such as 0.2, or decision; got {given!r}"
        ) from None


def numbers(option: str, given: str | None) -> tuple[float, ...] | None:
    """Read numbers between spaces or commas; raises `typer.BadParameter`."""
    if given is None:
        return None
    try:
        return tuple(float(each) for each in given.replace(",", " ").split())
    except ValueError:
        raise typer.BadParameter(f"{option} is one number, or three, got {given!r}") from None


def load_profiles(paths: Sequence[Path]) -> list[Profile]:
    """Profiles of files, and of folders in the order of their names."""
    found: list[Profile] = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise ConfigurationError(f"the folder {path} holds no profiles (*.json)")
        found += map(Profile.load, files)
    return found


def restrict_to_model(profiles: Sequence[Profile], path: Path) -> list[Profile]:
    """Profiles whose files hold the frequencies alone that a model reads."""
    from bandwise.models.model import Model

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
