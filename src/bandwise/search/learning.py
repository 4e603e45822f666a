"""Learn a plan: what candidates do to images of a kind, measured once on some of them.

    images × candidates ──write, decode, ask──→ distances, bytes ──→ a Gaussian for each `Keep` kind

No labels are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.errors import ConfigurationError
from bandwise.models.adapters import Model
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.search.answers import Keep, Kind, features
from bandwise.search.candidates import Candidate, Pixels, ScaledImage
from bandwise.search.gaussian import Gaussian
from bandwise.search.plan import Plan
from bandwise.search.search import FLOOR

KINDS: tuple[Kind, ...] = ("divergence", "decision")
RANK = 16
LEAST_IMAGES = 20
ASKED_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What M candidates do to N images.

    Attributes
    ----------
    size_bytes
        (N, M) int64.
    pixels
        (N,) int64: pixels of each image at full side.
    distances
        Of each kind (N, M) float64, the largest over the models.
    features
        (N, 3): of the clean answers, the mean over the models.
    """

    size_bytes: NDArray[np.int64]
    pixels: NDArray[np.int64]
    distances: dict[Kind, NDArray[np.float64]]
    features: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join what was measured on different images."""
        return cls(
            size_bytes=np.concatenate([part.size_bytes for part in parts]),
            pixels=np.concatenate([part.pixels for part in parts]),
            distances={
                kind: np.concatenate([part.distances[kind] for part in parts]) for kind in KINDS
            },
            features=np.concatenate([part.features for part in parts]),
        )


def measure_image(
    pixels_u8: Pixels, models: Sequence[Model], candidates: Sequence[Candidate]
) -> Measured:
    """Write one image with every candidate and ask every model."""
    clean = [model([pixels_u8])[0] for model in models]
    sides = [model.reading_side for model in models]
    reading_side = None if None in sides else max(side for side in sides if side is not None)
    image = ScaledImage(pixels_u8, reading_side=reading_side)
    files = [image.write(candidate) for candidate in candidates]
    distances = {kind: np.zeros(len(candidates)) for kind in KINDS}
    for start in range(0, len(files), ASKED_AT_ONCE):
        decoded = [jpeg.decode(data) for data in files[start : start + ASKED_AT_ONCE]]
        part = slice(start, start + len(decoded))
        for model, before in zip(models, clean, strict=True):
            after = model(decoded)
            for kind in KINDS:
                found = Keep(kind=kind).distances(before, after)
                distances[kind][part] = np.maximum(distances[kind][part], found)
    height, width = image.size(1.0)
    return Measured(
        size_bytes=np.array([[len(data) for data in files]]),
        pixels=np.array([height * width]),
        distances={kind: values[None] for kind, values in distances.items()},
        features=np.mean([features(scores) for scores in clean], 0)[None],
    )


def learn_plan(
    images: Sequence[Pixels],
    models: Sequence[Model],
    *,
    name: str,
    candidates: Sequence[Candidate] | None = None,
    provenance: dict[str, Any] | None = None,
    progress: ProgressCallback = ignore_progress,
) -> Plan:
    """Learn what to expect of candidates from some images, at least 20.

    Parameters
    ----------
    candidates
        Those of the built-in plan if not given.

    Raises
    ------
    ConfigurationError
        For too few images.
    ModelError
        When a model fails.
    """
    if len(images) < LEAST_IMAGES:
        raise ConfigurationError(
            f"a plan is learned from at least {LEAST_IMAGES} images, got {len(images)}; leave out "
            "the plan to use the built-in one"
        )
    tried = list(Plan.built_in().candidates if candidates is None else candidates)
    parts = []
    for done, pixels_u8 in enumerate(images, start=1):
        parts.append(measure_image(pixels_u8, models, tried))
        progress(Progress(stage="measuring candidates", done=done, total=len(images)))
    return fitted_plan(Measured.joined(parts), tried, name=name, provenance=provenance)


def fitted_plan(
    measured: Measured,
    candidates: Sequence[Candidate],
    *,
    name: str,
    provenance: dict[str, Any] | None = None,
) -> Plan:
    """Fit a plan's Gaussians to what was measured."""
    sizes = np.log(measured.size_bytes / measured.pixels[:, None])
    return Plan(
        name=name,
        candidates=list(candidates),
        expectations={
            kind: Gaussian.fit(
                np.concatenate(
                    [np.log(measured.distances[kind] + FLOOR), sizes, measured.features], 1
                ),
                RANK,
            )
            for kind in KINDS
        },
        provenance=provenance or {},
    )
