"""The smallest file of an image that keeps a model's answer, within a budget of looks.

    pixels ─→ models ─→ clean answers
      └─→ the candidate that is expected to save most ─→ bytes ─→ decode ─→ models ─→ distance
              ↑__________________ what its distance and size say of the others ____________┘

A look is one candidate written, decoded and shown to every model. The next one is chosen by its
expected improvement: the probability that it keeps the answer times the bytes that it would save.
Source: Jones, Schonlau and Welch, "Efficient global optimization of expensive black-box functions"
(1998), with the Gaussian of `Plan` in place of a process over settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bandwise import jpeg
from bandwise.errors import ConfigurationError, EncodingError
from bandwise.models.adapters import Model
from bandwise.search.answers import Keep, Scores, features
from bandwise.search.candidates import Pixels, ScaledImage
from bandwise.search.plan import FEATURES, Plan

OnMiss = Literal["source", "finest", "error"]

FLOOR = 1e-4
"""Added to a distance before its logarithm is taken."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of a file that a search has found.

    Attributes
    ----------
    distance
        The largest over models and both ways of decoding.
    kept
        Whether the answer is kept within the tolerance.
    decision_kept
        Whether every model's top class is that of the original.
    looks
        Candidates that were shown to the models, and files that were decoded the other way.
    candidate
        Its number in the plan; None for the source's own bytes.
    """

    size_bytes: int
    source_bytes: int | None
    distance: float
    kept: bool
    decision_kept: bool
    looks: int
    candidate: int | None

    def to_json(self) -> dict[str, Any]:
        """JSON values by name."""
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """A file and its record."""

    data: bytes
    record: Record


@dataclass(frozen=True)
class _Look:
    candidate: int
    data: bytes
    distance: float
    decision_kept: bool


class Search:
    """Finds small files that keep the answers of models.

    Parameters
    ----------
    models
        At least one; all have to keep their answers.
    looks
        Budget of looks an image.
    on_miss
        What an image gets that no look keeps: ``"source"``, its own bytes where they are a JPEG
        and the file of least distance otherwise; ``"finest"``, that file; ``"error"``, none.
    scaling
        Whether files may be smaller than the image in pixels.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        plan: Plan | None = None,
        keep: Keep | None = None,
        looks: int = 12,
        on_miss: OnMiss = "source",
        scaling: bool = True,
    ) -> None:
        if not models:
            raise ConfigurationError("at least one model is asked")
        if looks < 1:
            raise ConfigurationError(f"a search takes at least one look, got {looks}")
        self._models = list(models)
        self._plan = plan or Plan.built_in()
        self._keep = keep or Keep()
        self._looks = looks
        self._on_miss = on_miss
        self._scaling = scaling
        if self._keep.kind not in self._plan.expectations:
            raise ConfigurationError(
                f"the plan {self._plan.name!r} expects nothing of {self._keep.kind}; learn it anew"
            )

    def compress(
        self, pixels_u8: Pixels, *, source: bytes | None = None, icc: bytes | None = None
    ) -> Found:
        """Find the file of an image (height, width) or (height, width, 3).

        Parameters
        ----------
        source
            The image's own file, which is kept where nothing smaller keeps the answer.

        Raises
        ------
        ModelError
            When a model fails, or returns no finite scores.
        EncodingError
            When nothing keeps the answer and ``on_miss`` is ``"error"``.
        """
        clean = [model([pixels_u8])[0] for model in self._models]
        sides = [model.reading_side for model in self._models]
        known = [side for side in sides if side is not None]
        reading_side = max(known) if self._scaling and len(known) == len(sides) else None
        image = ScaledImage(pixels_u8, reading_side=reading_side, icc=icc)
        limits = [self._keep.limit(scores) for scores in clean]
        expected = _Expected(self._plan, self._keep, image, clean, limit=min(limits))
        looks: list[_Look] = []
        best: _Look | None = None
        for _ in range(self._looks):
            number = expected.most_promising(None if best is None else len(best.data))
            if number is None:
                break
            data = image.write(self._plan.candidates[number])
            look = self._look(number, data, jpeg.decode(data), clean, limits)
            looks.append(look)
            expected.add(look)
            if look.distance <= 1 and (best is None or len(look.data) < len(best.data)):
                best = look
        return self._settled(looks, clean, limits, source)

    def _look(
        self,
        number: int,
        data: bytes,
        decoded: Pixels,
        clean: Sequence[Scores],
        limits: Sequence[float],
    ) -> _Look:
        """Ask every model; the distance is the largest, as a multiple of the model's limit."""
        distance, decision_kept = 0.0, True
        for model, before, limit in zip(self._models, clean, limits, strict=True):
            after = model([decoded])
            ratio = self._keep.distances(before, after)[0] / max(limit, 1e-12)
            distance = max(distance, float(ratio))
            decision_kept &= int(after[0].argmax()) == int(before.argmax())
        return _Look(number, data, distance, decision_kept)

    def _settled(
        self,
        looks: Sequence[_Look],
        clean: Sequence[Scores],
        limits: Sequence[float],
        source: bytes | None,
    ) -> Found:
        """The smallest file that is kept under libjpeg's fast path too, or what a miss gets."""
        count = len(looks)
        seen: list[_Look] = []
        for look in sorted(looks, key=lambda look: len(look.data)):
            if look.distance > 1:
                continue
            fast = self._look(
                look.candidate, look.data, jpeg.decode(look.data, fast=True), clean, limits
            )
            count += 1
            if fast.distance <= 1:
                worse = max(look, fast, key=lambda each: each.distance)
                return self._found(worse, count, clean, source, kept=True)
            seen.append(fast)
        if self._on_miss == "error":
            raise EncodingError(
                f"none of {len(looks)} files keeps the answer; allow more looks or a larger "
                "tolerance"
            )
        if self._on_miss == "source" and source is not None and source.startswith(b"\xff\xd8\xff"):
            record = Record(
                size_bytes=len(source),
                source_bytes=len(source),
                distance=0.0,
                kept=True,
                decision_kept=True,
                looks=count,
                candidate=None,
            )
            return Found(source, record)
        worst = {look.candidate: look for look in (*looks, *seen)}
        nearest = min(worst.values(), key=lambda look: look.distance)
        return self._found(nearest, count, clean, source, kept=False)

    def _found(
        self, look: _Look, looks: int, clean: Sequence[Scores], source: bytes | None, *, kept: bool
    ) -> Found:
        limit = min(self._keep.limit(scores) for scores in clean)
        record = Record(
            size_bytes=len(look.data),
            source_bytes=None if source is None else len(source),
            distance=look.distance * limit,
            kept=kept,
            decision_kept=look.decision_kept,
            looks=looks,
            candidate=look.candidate,
        )
        return Found(look.data, record)


class _Expected:
    """What is expected of an image's candidates, corrected by every look."""

    def __init__(
        self,
        plan: Plan,
        keep: Keep,
        image: ScaledImage,
        clean: Sequence[Scores],
        *,
        limit: float,
    ) -> None:
        self._gaussian = plan.expectations[keep.kind]
        self._count = len(plan.candidates)
        self._limit = limit
        height, width = image.size(1.0)
        self._pixels = height * width
        first = 2 * self._count
        self._indices = list(range(first, first + FEATURES))
        self._values = list(np.mean([features(scores) for scores in clean], 0))
        self._open = np.ones(self._count, bool)

    def add(self, look: _Look) -> None:
        """Take in the distance and the bytes of a look."""
        self._indices += [look.candidate, self._count + look.candidate]
        self._values += [
            np.log(look.distance * self._limit + FLOOR),
            np.log(len(look.data) / self._pixels),
        ]
        self._open[look.candidate] = False

    def most_promising(self, best_bytes: int | None) -> int | None:
        """Number of the candidate with the largest expected improvement; None where all have none.

        That is the probability of keeping the answer times the bytes saved, until a file is found
        from the largest candidate.
        """
        mean, deviation = self._gaussian.given(self._indices, self._values)
        size = np.exp(mean[self._count : 2 * self._count]) * self._pixels
        distance = slice(0, self._count)
        probability = ndtr((np.log(self._limit + FLOOR) - mean[distance]) / deviation[distance])
        reference = size.max() if best_bytes is None else best_bytes
        gain: NDArray[np.float64] = np.where(
            self._open, probability * np.maximum(reference - size, 0), -1
        )
        number = int(gain.argmax())
        if gain[number] > 0:
            return number
        if best_bytes is None and self._open.any():
            return int(np.where(self._open, probability, -1).argmax())
        return None
