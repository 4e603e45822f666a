"""A search as an encoder of whole data sets, and what one quality for all would have needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.encoding import EncodedImage, encode_pixels
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import TableSet
from bandwise.models.adapters import Model
from bandwise.models.loading import ModelSource
from bandwise.profile import Profile
from bandwise.search.answers import Keep
from bandwise.search.candidates import Pixels
from bandwise.search.plan import Plan
from bandwise.search.search import OnMiss, Search

SAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:4:4")
QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95)


@dataclass(frozen=True, kw_only=True)
class SearchEncoder:
    """Writes each image as the smallest file that keeps the models' answers: an `ImageEncoder`.

    The models are loaded when the first image comes, in whichever process that is, so that an
    encoder travels to other processes without them.

    Attributes
    ----------
    plan
        File of a plan; the built-in one if not given.
    """

    models: Sequence[ModelSource]
    keep: Keep
    plan: Path | None = None
    looks: int = 12
    on_miss: OnMiss = "source"
    scaling: bool = True

    @cached_property
    def loaded(self) -> list[Model]:
        """The models; raises `ConfigurationError` for one that cannot be loaded."""
        models = [source.load() for source in self.models]
        if any(source.device == "cpu" for source in self.models):
            _use_one_thread(in_worker=parent_process() is not None)
        return models

    @cached_property
    def search(self) -> Search:
        """The search with its models."""
        return Search(
            self.loaded,
            plan=self._plan,
            keep=self.keep,
            looks=self.looks,
            on_miss=self.on_miss,
            scaling=self.scaling,
        )

    @cached_property
    def profiles(self) -> Sequence[Profile]:
        """Tables and chroma sampling of every candidate."""
        return tuple(candidate.profile for candidate in self._plan.candidates)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What determines the bytes beside the profiles."""
        return {
            "models": [_named(model) for model in self.loaded],
            "plan_sha256": self._plan.sha256,
            "keep": self.keep.kind,
            "tolerance": self.keep.tolerance,
            "looks": self.looks,
            "on_miss": self.on_miss,
            "scaling": self.scaling,
        }

    def encode(
        self, pixels_u8: NDArray[np.uint8], *, icc: bytes | None = None, source: bytes | None = None
    ) -> EncodedImage:
        """Return the file that the search finds, with its record; raises as `Search.compress`."""
        found = self.search.compress(pixels_u8, source=source, icc=icc)
        return EncodedImage(found.data, found.record.to_json())

    @cached_property
    def _plan(self) -> Plan:
        return Plan.built_in() if self.plan is None else Plan.load(self.plan)

    def __getstate__(self) -> dict[str, Any]:
        """All but what other processes load for themselves."""
        loaded = ("loaded", "search")
        return {name: value for name, value in vars(self).items() if name not in loaded}


def quality_of_equal_divergence(
    images_u8: Sequence[Pixels], model: Model, divergence: float
) -> tuple[float, float, str] | None:
    """One libjpeg quality with the same mean divergence, its mean bytes a file, and its sampling.

    The smaller of 4:2:0 and 4:4:4, in the smallest container; between two qualities both are
    interpolated. None where no quality diverges as much, or as little.

    Parameters
    ----------
    divergence
        Mean KL(original || file) in nats.
    """
    found = []
    for subsampling in SAMPLINGS:
        profiles = [
            Profile(name="libjpeg", tables=TableSet.ijg(quality), subsampling=subsampling)
            for quality in QUALITIES
        ]
        nats, sizes = [], []
        for pixels_u8 in images_u8:
            files = [encode_pixels(pixels_u8, profile) for profile in profiles]
            scores = model([pixels_u8, *map(jpeg.decode, files)])
            nats.append(Keep().distances(scores[0], scores[1:]))
            sizes.append([len(data) for data in files])
        falling = np.minimum.accumulate(np.mean(nats, 0))
        if falling[-1] <= divergence <= falling[0]:
            quality = float(np.interp(-divergence, -falling, QUALITIES))
            logarithm = np.interp(quality, QUALITIES, np.log(np.mean(sizes, 0)))
            found.append((quality, float(np.exp(logarithm)), str(subsampling)))
    return min(found, key=lambda each: each[1], default=None)


def _named(model: Model) -> str:
    """Name of a model with a hash of its weights and preprocessing."""
    identity = json.dumps(model.identity, sort_keys=True)
    return f"{model.name} ({hashlib.sha256(identity.encode()).hexdigest()[:16]})"


def _use_one_thread(*, in_worker: bool) -> None:
    """Give each model one PyTorch thread: images are searched side by side."""
    import sys

    if "torch" in sys.modules or in_worker:
        import torch

        torch.set_num_threads(1)
