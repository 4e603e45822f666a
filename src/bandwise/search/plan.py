"""Plans: what a search tries and what it expects, as a checked JSON file.

    {"format": "bandwise-plan", "schema": 1, "name": ..., "candidates": [...],
     "expectations": {"divergence": {...}, "decision": {...}}, "provenance": {...}}

A plan names no model: expectations are corrected by what an image's looks show, so that a plan that
was learned with one model serves others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bandwise.errors import BandwiseError, PlanError
from bandwise.files import parse_json, write_json
from bandwise.search.answers import Kind
from bandwise.search.candidates import Candidate
from bandwise.search.gaussian import Gaussian

FORMAT, SCHEMA = "bandwise-plan", 1

FEATURES = 3
"""Quantities of the clean answer behind those of the candidates: `answers.features`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Candidates of an image and what to expect of them.

    Attributes
    ----------
    candidates
        M ways to write an image.
    expectations
        By what is kept, a Gaussian of 2·M + 3 quantities: logarithms of each candidate's distance,
        logarithms of its bytes a pixel of the image at full side, and the features of the answer.
    provenance
        JSON values: model, images, settings, versions.

    Raises
    ------
    PlanError
        Where the parts do not fit together.
    """

    name: str
    candidates: Sequence[Candidate]
    expectations: Mapping[Kind, Gaussian]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = 2 * len(self.candidates) + FEATURES
        for kind, gaussian in self.expectations.items():
            shapes = (gaussian.mean.shape, gaussian.deviation.shape, gaussian.loadings.shape[:1])
            if not self.candidates or shapes != ((size,),) * 3:
                raise PlanError(
                    f"{len(self.candidates)} candidates need expectations of {size} quantities, "
                    f"those of {kind} have {gaussian.mean.shape[0]}; learn the plan again"
                )

    @cached_property
    def sha256(self) -> str:
        """Hash of what determines the bytes."""
        entry = {key: value for key, value in self.to_json().items() if key != "provenance"}
        return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back; expectations with five digits."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "name": self.name,
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "expectations": {
                kind: {
                    "mean": _five_digits(gaussian.mean),
                    "deviation": _five_digits(gaussian.deviation),
                    "loadings": _five_digits(gaussian.loadings),
                }
                for kind, gaussian in self.expectations.items()
            },
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a decoded JSON object; `PlanError` says what is wrong with it."""
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise PlanError(f'this is no plan: its "format" is not {FORMAT!r}')
        if value.get("schema") != SCHEMA:
            raise PlanError(
                f"it has schema {value.get('schema')!r}, this version of bandwise reads {SCHEMA}; "
                "learn the plan again, or upgrade bandwise"
            )
        try:
            return cls(
                name=str(value["name"]),
                candidates=[
                    Candidate.from_json(each, f"candidate {number}")
                    for number, each in enumerate(value["candidates"], start=1)
                ],
                expectations={
                    kind: _gaussian(value["expectations"][kind])
                    for kind in ("divergence", "decision")
                    if kind in value["expectations"]
                },
                provenance=dict(value.get("provenance", {})),
            )
        except (KeyError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, BandwiseError) else repr(error)
            raise PlanError(f"it is damaged ({reason}); learn the plan again") from error

    def save(self, path: Path) -> None:
        """Write the plan to a file, atomically; `OutputError` where that cannot be done."""
        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a plan's file; `PlanError` names the file and what is wrong with it."""
        try:
            return cls.from_json(parse_json(path.read_bytes()))
        except OSError as error:
            raise PlanError(f"cannot read the plan {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise PlanError(f"{path}: {error}") from error

    @classmethod
    def built_in(cls) -> Self:
        """The plan that comes with the package, for photographs and class scores."""
        text = resources.files("bandwise.search").joinpath("plan.json").read_bytes()
        return cls.from_json(parse_json(text))


def _five_digits(array: NDArray[np.float64]) -> Any:
    return np.vectorize(lambda number: float(f"{number:.5g}"))(array).tolist()


def _gaussian(value: Mapping[str, Any]) -> Gaussian:
    arrays = {
        name: np.asarray(value[name], np.float64) for name in ("mean", "deviation", "loadings")
    }
    if arrays["loadings"].ndim != 2 or not all(np.isfinite(each).all() for each in arrays.values()):
        raise PlanError("its expectations are not finite numbers of the expected shape")
    if not (arrays["deviation"] > 0).all():
        raise PlanError("a deviation of its expectations is not above 0")
    return Gaussian(**arrays)
