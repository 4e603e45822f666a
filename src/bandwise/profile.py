"""Profiles: what learning produces and encoding consumes, as a JSON file.

    {"format": "bandwise-profile", "schema": 1, "name": ..., "tables": {"luma": 8×8, "chroma": 8×8},
     "subsampling": "4:2:0", "rate_distortion": {"slope": ..., "sensitivity": {"luma": 8×8, ...}},
     "provenance": {...}, "curve": [...]}

Tables and sensitivities are in natural order. Where frequencies are dropped, the schema is 2 and
"frequencies" lists those that are kept, numbered as in `bandwise.frequency.selection`. A file is
read with every value checked, because profiles travel between people.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bandwise.errors import BandwiseError, ProfileError
from bandwise.files import parse_json, write_json
from bandwise.frequency.coefficients import COMPONENTS, LUMA_SAMPLING, Subsampling
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import BLOCK, TableSet

FORMAT = "bandwise-profile"
SCHEMA = 2
GREY_COMPONENTS, COLOUR_COMPONENTS = COMPONENTS[1], COMPONENTS[3]


@dataclass(frozen=True, kw_only=True, eq=False)
class RateDistortion:
    """Task-weighted rate–distortion optimised quantisation: minimise ½ Σ F (x − x̂)² + λ · bits.

    `lagrangian` is λ in nats a bit, "slope" in files. `sensitivity` maps "luma" (and, for colour,
    "cb" and "cr") to F, (8, 8) float64 in nats a squared coefficient, natural order, read-only: the
    Fisher information of the task's output about each coefficient. Any array-like is taken. Raises
    `ProfileError` for other components or shapes, and for values that are negative or not finite.
    """

    lagrangian: float
    sensitivity: Mapping[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        lagrangian = _non_negative("λ (slope) of rate_distortion", self.lagrangian)
        if set(self.sensitivity) not in (set(GREY_COMPONENTS), set(COLOUR_COMPONENTS)):
            raise ProfileError(
                f"the sensitivity is given for {sorted(self.sensitivity)}; "
                'give "luma" for grey images, or "luma", "cb" and "cr" for colour'
            )
        checked = {name: _sensitivity(name, value) for name, value in self.sensitivity.items()}
        object.__setattr__(self, "lagrangian", lagrangian)
        object.__setattr__(self, "sensitivity", checked)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a decoded JSON object with the keys "slope" and "sensitivity"."""
        entry = _checked_object("rate_distortion", value, required={"slope", "sensitivity"})
        sensitivity = entry["sensitivity"]
        if not isinstance(sensitivity, dict):
            raise ProfileError(f"the sensitivity is an object, got {_summary(sensitivity)}")
        return cls(lagrangian=entry["slope"], sensitivity=sensitivity)

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back, exactly."""
        return {
            "slope": self.lagrangian,
            "sensitivity": {
                name: self.sensitivity[name].tolist()
                for name in COLOUR_COMPONENTS
                if name in self.sensitivity
            },
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """Quantisation of a class of images, and where it comes from.

    `tables` without chroma are for grey images alone. Of each image `frequencies` are kept, None
    for all, and the others are zero in its file. `provenance` (hashes of data and network,
    settings, versions, date) and `curve` (measured points) are JSON values. Raises `ProfileError`
    where the parts do not fit together.
    """

    name: str
    tables: TableSet
    subsampling: Subsampling = "4:2:0"
    rate_distortion: RateDistortion | None = None
    frequencies: Frequencies | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    curve: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ProfileError(f"the name of a profile is a word or two, got {self.name!r}")
        if self.subsampling not in tuple(LUMA_SAMPLING):
            raise ProfileError(
                f"the subsampling is {_summary(self.subsampling)}; "
                f"use one of {', '.join(LUMA_SAMPLING)}"
            )
        if self.rate_distortion and set(self.rate_distortion.sensitivity) != set(self.components):
            raise ProfileError(
                f"the tables are for {', '.join(self.components)}, the sensitivity is for "
                f"{', '.join(self.rate_distortion.sensitivity)}; give both for the same components"
            )
        if self.frequencies and self.frequencies.chroma and self.tables.chroma is None:
            raise ProfileError(
                "frequencies of chroma are kept, and the tables are for grey images; "
                "keep those below 64, or use tables for colour"
            )
        provenance, curve = _checked_origin(self.provenance, self.curve)
        object.__setattr__(self, "provenance", provenance)
        object.__setattr__(self, "curve", curve)

    @property
    def components(self) -> tuple[str, ...]:
        """Components of the images that the profile can encode; colour includes grey."""
        return GREY_COMPONENTS if self.tables.chroma is None else COLOUR_COMPONENTS

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Of each component (8, 8), natural order: which frequencies are kept."""
        if self.frequencies is None:
            return dict.fromkeys(self.components, np.ones((BLOCK, BLOCK), np.bool_))
        return {name: self.frequencies.mask(name) for name in self.components}

    @property
    def sha256(self) -> str:
        """Hash of what determines the bytes: tables, subsampling, optimisation, frequencies."""
        return hashlib.sha256(
            json.dumps(self._quantisation(), sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    def keeping(self, frequencies: Frequencies) -> Self:
        """Profile whose files hold these frequencies alone, as a network reads them."""
        return replace(self, frequencies=frequencies)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a decoded JSON object; `ProfileError` says what is wrong with it."""
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise ProfileError(f'this is no profile: its "format" is not {FORMAT!r}')
        schema = value.get("schema")
        if type(schema) is not int or schema < 1:
            raise ProfileError(f'its "schema" is a number from 1, got {_summary(schema)}')
        if schema > SCHEMA:
            raise ProfileError(
                f"it has schema {schema}, this version of bandwise reads up to {SCHEMA}; "
                "use the version that wrote it"
            )
        entry = _checked_object(
            "a profile",
            value,
            required={"format", "schema", "name", "tables", "subsampling"},
            optional={"rate_distortion", "provenance", "curve"}
            | ({"frequencies"} if schema > 1 else set()),
        )
        rate_distortion = entry.get("rate_distortion")
        try:
            tables = TableSet.from_json(entry["tables"])
        except BandwiseError as error:
            raise ProfileError(f"in its tables, {error}") from error
        return cls(
            name=entry["name"],
            tables=tables,
            subsampling=entry["subsampling"],
            rate_distortion=(
                None if rate_distortion is None else RateDistortion.from_json(rate_distortion)
            ),
            frequencies=_frequencies(entry.get("frequencies")),
            provenance=entry.get("provenance", {}),
            curve=entry.get("curve", []),
        )

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back, exactly; of the oldest schema that can hold it."""
        return {
            "format": FORMAT,
            "schema": 1 if self.frequencies is None else SCHEMA,
            "name": self.name,
            **self._quantisation(),
            "provenance": self.provenance,
            "curve": list(self.curve),
        }

    def save(self, path: Path) -> None:
        """Write the profile to a file, atomically; `OutputError` where that cannot be done."""
        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a profile's file; `ProfileError` names the file and what is wrong with it."""
        try:
            return cls.from_json(parse_json(path.read_bytes()))
        except OSError as error:
            problem = f"cannot read the profile {path}: {error.strerror or error}"
            raise ProfileError(problem) from error
        except ProfileError as error:
            raise ProfileError(f"{path}: {error}") from error
        except ValueError as error:
            raise ProfileError(
                f"{path} is not JSON, or only the beginning of it ({error}); write the profile "
                "again"
            ) from error

    def _quantisation(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "tables": self.tables.to_json(),
            "subsampling": self.subsampling,
            "rate_distortion": self.rate_distortion and self.rate_distortion.to_json(),
        }
        if self.frequencies is not None:
            entry["frequencies"] = list(self.frequencies.kept)
        return entry


def _frequencies(value: object) -> Frequencies | None:
    """Read the frequencies that a profile keeps, None for all; raises `ProfileError`."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(type(index) is int for index in value):
        raise ProfileError(f"its frequencies are a list of integers, got {_summary(value)}")
    try:
        return Frequencies(tuple(value))
    except BandwiseError as error:
        raise ProfileError(f"in its frequencies, {error}") from error


def _sensitivity(component: str, value: ArrayLike) -> NDArray[np.float64]:
    what = f"the sensitivity of {component}"
    try:
        given = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise ProfileError(f"{what} is 8 rows of 8 numbers, got {_summary(value)}") from None
    if given.shape != (BLOCK, BLOCK) or given.dtype.kind not in "iuf":
        raise ProfileError(f"{what} is 8 rows of 8 numbers, got {given.dtype} {given.shape}")
    array = given.astype(np.float64)
    if not (np.isfinite(array) & (array >= 0)).all():
        raise ProfileError(f"{what} has a value that is negative or not finite; use numbers ≥ 0")
    array.flags.writeable = False
    return array


def _non_negative(what: str, value: object) -> float:
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e300 else math.nan
    if isinstance(value, bool) or not number >= 0:
        raise ProfileError(f"{what} is a number ≥ 0, got {_summary(value)}")
    return number


def _checked_origin(
    provenance: object, curve: object
) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """Copies of a profile's provenance and curve; `ProfileError` where they are no JSON."""
    if not isinstance(provenance, Mapping):
        raise ProfileError(f"the provenance is an object, got {_summary(provenance)}")
    if not isinstance(curve, list | tuple) or not all(isinstance(each, Mapping) for each in curve):
        raise ProfileError(f"the curve is a list of objects, got {_summary(curve)}")
    points = _json_copy("curve", [dict(point) for point in curve])
    return _json_copy("provenance", dict(provenance)), tuple(points)


def _checked_object(
    what: str,
    value: object,
    *,
    required: Set[str],
    optional: Set[str] = frozenset(),
) -> dict[str, Any]:
    """Read an object that has these entries and no others; `ProfileError` otherwise."""
    if not isinstance(value, dict):
        raise ProfileError(f"{what} is an object, got {_summary(value)}")
    if missing := required - value.keys():
        raise ProfileError(f"{what} lacks {', '.join(sorted(missing))}; write the profile again")
    if unknown := value.keys() - required - optional:
        raise ProfileError(f"{what} has the unknown entry {min(unknown)!r}; remove it")
    return value


def _json_copy(what: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ProfileError(f"the {what} of a profile holds JSON values alone ({error})") from error


def _summary(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
