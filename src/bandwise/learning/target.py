"""The profile that meets a target: chosen on validation, reported on test, in real bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bandwise.data import Dataset, with_validation
from bandwise.errors import ConfigurationError, TargetError
from bandwise.evaluation import EvaluationConfig, ProfileCodec, evaluate
from bandwise.learning.networks import prepare_network, weights_path
from bandwise.learning.profiles import ALLOWED_ENTRIES, LearnConfig, learn_profiles
from bandwise.profile import Profile
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.results import LEARNED, ORIGINAL, Measurement, Results, check_output_folder
from bandwise.statistics import Undefined, best_point, merge_seeds
from bandwise.wording import bound_in_words


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

    def choose(self, measured: Sequence[Measurement], *, pixels: int) -> Measurement | Undefined:
        """Measurement on validation that meets the target, of images of so many ``pixels``."""
        if self.drop is not None:
            best = best_point(measured, LEARNED, self.drop)
            return best or Undefined(
                reason=f"no profile is within {bound_in_words(self.drop)} on validation"
            )
        limit = self.size_bytes if self.rate_bpp is None else self.rate_bpp * pixels / 8
        assert limit is not None
        within = [
            each
            for each in measured
            if each.split == "validation" and each.named(LEARNED) and each.mean_bytes <= limit
        ]
        if not within:
            return Undefined(reason=f"no profile needs at most {limit:,.0f} bytes on validation")
        return min(within, key=lambda each: (each.divergence, each.mean_bytes))


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
    chosen: Measurement
    test: Measurement
    original_test: Measurement
    results: Results
    weights: Path


def learn_profile(
    config: LearnConfig,
    dataset: Dataset,
    target: Target,
    out: Path,
    *,
    progress: ProgressCallback = ignore_progress,
) -> Learned:
    """Learn profiles, measure them on real files and choose the one that meets the target.

    Everything is kept in ``out``; the same call goes on from there. Raises `TargetError` when no
    profile meets the target on validation; `OutputError` when ``out`` cannot be written or holds
    something else.
    """
    check_output_folder(out, allowed_entries=ALLOWED_ENTRIES)
    dataset = with_validation(dataset, seed=config.seed)
    network = prepare_network(config, dataset, out / "networks", progress=progress)
    profiles, _ = learn_profiles(config, dataset, network, out / "profiles", progress=progress)
    codec = ProfileCodec(profiles)
    results = evaluate(
        EvaluationConfig(network=config.network, seed=config.seed, device=config.device),
        dataset,
        network,
        [(codec, codec.settings())],
        out,
        profiles=profiles,
        allowed_entries=ALLOWED_ENTRIES,
        progress=progress,
    )
    keys = {(codec.name, each.family, each.label) for each in codec.settings()}
    measured = merge_seeds(
        each
        for each in results.of(Measurement)
        if (each.network, each.seed) == (config.network, config.seed)
        and (each.codec == ORIGINAL or each.setting_key in keys)
    )
    chosen = target.choose(measured, pixels=math.prod(dataset.image_shape[1:]))
    if isinstance(chosen, Undefined):
        raise TargetError(
            f"{chosen.reason}; allow a larger drop or more bytes, or learn with other slopes "
            f"(now {min(config.lagrangians):g} to {max(config.lagrangians):g})"
        )
    (profile,) = (profile for profile in profiles if profile.name == chosen.label)
    test = {each.label: each for each in measured if each.split == "test"}
    return Learned(
        profile=replace(profile, curve=[_curve_entry(each) for each in measured]),
        profiles=profiles,
        chosen=chosen,
        test=test[chosen.label],
        original_test=test[ORIGINAL],
        results=results,
        weights=config.weights or weights_path(config, out / "networks"),
    )


def _curve_entry(measured: Measurement) -> dict[str, Any]:
    """Measurement as a profile's curve keeps it."""
    names = ("codec", "label", "split", "images", "accuracy", "agreement", "divergence")
    entry = {name: getattr(measured, name) for name in names}
    return entry | {"mean_bytes": None if measured.size_bytes is None else measured.mean_bytes}
