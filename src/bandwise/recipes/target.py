"""The profile that meets a target: chosen on validation, reported on test, in real bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from bandwise.adaptive import AdaptiveProfile
from bandwise.data import Dataset, with_validation
from bandwise.errors import ConfigurationError, TargetError
from bandwise.evaluation import (
    AdaptiveCodec,
    Codec,
    EvaluationConfig,
    ProfileCodec,
    check_folder,
    evaluate,
)
from bandwise.measures import (
    ADAPTIVE,
    LEARNED,
    ORIGINAL,
    Point,
    Undefined,
    best_point,
    bound_in_words,
    points_of,
)
from bandwise.profile import Profile
from bandwise.recipes.codebooks import CodebookConfig, Material, learned_codebook
from bandwise.recipes.learning import BESIDE, LearnConfig, learned_profiles
from bandwise.recipes.networks import prepare_network, weights_path
from bandwise.recipes.stages import Listener, measuring, silent
from bandwise.results import read_rows


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

    def limit_bytes(self, pixels: int) -> float:
        """Mean bytes an image of so many pixels may have; infinite where accuracy is the target."""
        if self.rate_bpp is not None:
            return self.rate_bpp * pixels / 8
        return math.inf if self.size_bytes is None else self.size_bytes

    def chosen(
        self, points: Sequence[Point], pixels: int, *, codec: str = LEARNED
    ) -> Point | Undefined:
        """Point on validation that meets the target; ``pixels`` is those of an image."""
        if self.drop is not None:
            best = best_point(points, codec, self.drop)
            return best or Undefined(
                reason=f"no profile is within {bound_in_words(self.drop)} on validation"
            )
        limit = self.limit_bytes(pixels)
        within = [
            point
            for point in points
            if point.split == "validation" and point.named(codec) and point.mean_bytes <= limit
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
        The whole curve that it was chosen from; none where it chooses for each image.
    weights
        Those of the network.
    """

    profile: Profile | AdaptiveProfile
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
    dataset = with_validation(dataset, seed=config.seed)
    network = prepare_network(config, dataset, out / "networks", listener=listener)
    profiles = learned_profiles(config, dataset, network, out / "profiles", listener=listener)
    codec = ProfileCodec(profiles)
    found = _chosen(
        config, dataset, network, codec, target, out, profiles=profiles, listener=listener
    )
    (profile,) = (profile for profile in profiles if profile.name == found.chosen.label)
    return found.learned(profile, profiles, config, out)


def learn_adaptive(
    config: LearnConfig,
    codebook: CodebookConfig,
    dataset: Dataset,
    target: Target,
    out: Path,
    *,
    listener: Listener = silent,
) -> Learned:
    """Learn tables for each image, and choose the price of a bit that meets the target.

    Everything is kept in ``out``; the same call goes on from there. Raises as `learn_profile`.
    """
    check_folder(out, beside=BESIDE)
    dataset = with_validation(dataset, seed=config.seed)
    network = prepare_network(config, dataset, out / "networks", listener=listener)
    material = Material(
        config, dataset, network, images=codebook.images, seed=codebook.seed, listener=listener
    )
    book = learned_codebook(codebook, material, out / "profiles")
    codec = AdaptiveCodec(book, config.slopes, name=ADAPTIVE)
    found = _chosen(config, dataset, network, codec, target, out, listener=listener)
    return found.learned(codec.profile(found.chosen.label), (), config, out)


@dataclass(frozen=True, kw_only=True)
class _Choice:
    points: Sequence[Point]
    chosen: Point
    results: Path

    def learned(
        self,
        profile: Profile | AdaptiveProfile,
        profiles: Sequence[Profile],
        config: LearnConfig,
        out: Path,
    ) -> Learned:
        test = {point.label: point for point in self.points if point.split == "test"}
        return Learned(
            profile=replace(profile, curve=[_summary(point) for point in self.points]),
            profiles=tuple(profiles),
            chosen=self.chosen,
            test=test[self.chosen.label],
            original_test=test[ORIGINAL],
            results=self.results,
            weights=config.weights or weights_path(config, out / "networks"),
        )


def _chosen(
    config: LearnConfig,
    dataset: Dataset,
    network: nn.Module,
    codec: Codec,
    target: Target,
    out: Path,
    *,
    profiles: Sequence[Profile] = (),
    listener: Listener,
) -> _Choice:
    """Measure every setting of a codec, and choose the one that meets the target."""
    settings = codec.settings()
    results = evaluate(
        EvaluationConfig(network=config.network, seed=config.seed, device=config.device),
        dataset,
        network,
        [(codec, settings)],
        out,
        profiles=profiles,
        beside=BESIDE,
        listener=measuring(listener),
    )
    names = {(setting.family, setting.label) for setting in settings}
    rows = [row for row in read_rows(results) if row.get("seed") == config.seed]
    points = [
        point
        for point in points_of(rows, network=config.network)
        if point.codec == ORIGINAL or (point.family, point.label) in names
    ]
    chosen = target.chosen(points, math.prod(dataset.image_shape[1:]), codec=codec.name)
    if isinstance(chosen, Undefined):
        raise TargetError(
            f"{chosen.reason}; allow a larger drop or more bytes, or learn with other slopes "
            f"(now {min(config.slopes):g} to {max(config.slopes):g})"
        )
    return _Choice(points=points, chosen=chosen, results=results)


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
