"""Profiles that give each image its own tables: a codebook of ladders and the policy that chooses.

    {"format": "bandwise-profile", "schema": 3, "name": ..., "subsampling": "4:2:0",
     "codebook": [[tables, ...], ...], "policy": {...}, "slope": ..., "positions": ...,
     "provenance": {...}, "curve": [...]}

An entry of the codebook is a ladder: the tables of one kind of image from large files to small.
With more than one position from rung to rung there are tables between the two as well. Whatever is
chosen is an ordinary `Profile`, and so every file an ordinary JPEG.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bandwise.coefficients import Subsampling
from bandwise.errors import BandwiseError, EncodingError, ProfileError
from bandwise.files import write_atomically
from bandwise.frequencies import Frequencies
from bandwise.policy import Policy
from bandwise.profile import (
    CODEBOOK_SCHEMA,
    FORMAT,
    Profile,
    checked_object,
    checked_origin,
    frequencies_from_json,
    read_profile_json,
)
from bandwise.tables import TableSet

Codebook = tuple[tuple[TableSet, ...], ...]
"""M ladders of R rungs each."""

POSITIONS_MAX = 256
"""Positions from one rung to the next, at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptiveProfile:
    """A codebook of tables and a policy that chooses for each image, by what is predicted of it.

    Attributes
    ----------
    codebook
        M ladders of R tables each, as the policy counts them.
    slope
        λ, the price of a bit in nats: an image gets the rung of its ladder with the least predicted
        divergence + λ · bits.
    positions
        Positions from one rung to the next, 1 to `POSITIONS_MAX`: 1 for rungs alone; with more, an
        image may get tables between two rungs (`TableSet.towards`).
    frequencies
        Those that files hold, None for all.
    provenance, curve
        JSON values, as in `Profile`.

    Raises
    ------
    ProfileError
        Where the parts do not fit together.
    """

    name: str
    codebook: Codebook
    policy: Policy
    slope: float
    positions: int = 1
    subsampling: Subsampling = "4:2:0"
    frequencies: Frequencies | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    curve: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        if {len(ladder) for ladder in self.codebook} != {self.policy.rungs} or (
            len(self.codebook) != self.policy.ladders
        ):
            raise ProfileError(
                f"the codebook has {len(self.codebook)} ladders, the policy is for "
                f"{self.policy.ladders} of {self.policy.rungs} rungs each; learn the profile again"
            )
        if not 0 <= self.slope < np.inf:
            raise ProfileError(f"the slope is a number ≥ 0, got {self.slope}")
        if type(self.positions) is not int or not 1 <= self.positions <= POSITIONS_MAX:
            raise ProfileError(
                f"positions from one rung to the next are 1 to {POSITIONS_MAX}, got "
                f"{self.positions!r}"
            )
        provenance, curve = checked_origin(self.provenance, self.curve)
        object.__setattr__(self, "provenance", provenance)
        object.__setattr__(self, "curve", curve)
        if len(self.components) != self.policy.channels:
            raise ProfileError(
                "the tables and the policy are for images with another number of components; "
                "learn the profile again"
            )

    @property
    def components(self) -> tuple[str, ...]:
        """Components of the images that the profile can encode; colour includes grey."""
        return self._rungs[0].components

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """Every profile that an image may get: of each ladder its rungs, and what lies between."""
        return self._profiles_of(self.positions)

    @cached_property
    def _rungs(self) -> tuple[Profile, ...]:
        return self._profiles_of(1)

    def _profiles_of(self, positions: int) -> tuple[Profile, ...]:
        """Of each ladder its tables with those between, so many from one rung to the next."""
        return tuple(
            Profile(
                name=f"{self.name}, ladder {number}, rung {1 + position / positions:g}",
                tables=tables,
                subsampling=self.subsampling,
                frequencies=self.frequencies,
            )
            for number, ladder in enumerate(self.codebook, start=1)
            for position, tables in enumerate(_filled(ladder, positions))
        )

    def choice(self, pixels_u8: NDArray[np.uint8]) -> tuple[int, float]:
        """Ladder and rung, from 0, of an image (height, width) or (height, width, 3).

        The rung is a multiple of 1 / `positions`.
        """
        colour = self.policy.channels == 3
        if colour != (pixels_u8.ndim == 3):
            if not colour:
                raise EncodingError(
                    f"a colour image with the profile {self.name!r} for grey images; convert the "
                    "image to grey, or learn a profile from colour images"
                )
            pixels_u8 = np.repeat(pixels_u8[..., None], 3, axis=2)
        return self.policy.choice(pixels_u8, self.slope, self.positions)

    def profile_for(self, pixels_u8: NDArray[np.uint8]) -> Profile:
        """Profile for an image; `EncodingError` for a colour image where all are for grey."""
        return self.rung(*self.choice(pixels_u8))

    def rung(self, ladder: int, rung: float) -> Profile:
        """Profile of a rung of a ladder, both from 0, or of one of the places between two rungs."""
        of_each = len(self.profiles) // self.policy.ladders
        return self.profiles[ladder * of_each + round(rung * self.positions)]

    @cached_property
    def sha256(self) -> str:
        """Hash of what determines the bytes."""
        return hashlib.sha256(
            json.dumps(self._choosing(), sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    def at(self, slope: float) -> Self:
        """The same with another price of a bit."""
        return replace(self, slope=slope)

    def keeping(self, frequencies: Frequencies) -> Self:
        """The same, with files that hold these frequencies alone."""
        return replace(self, frequencies=frequencies)

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back."""
        return {
            "format": FORMAT,
            "schema": CODEBOOK_SCHEMA,
            "name": self.name,
            **self._choosing(),
            "provenance": dict(self.provenance),
            "curve": [dict(point) for point in self.curve],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a decoded JSON object of schema 3; `ProfileError` says what is wrong with it."""
        entry = checked_object(
            "a profile",
            value,
            required={"format", "schema", "name", "codebook", "subsampling", "policy", "slope"},
            optional={"positions", "frequencies", "provenance", "curve"},
        )
        codebook = entry["codebook"]
        if not isinstance(codebook, list) or not all(isinstance(each, list) for each in codebook):
            raise ProfileError("its codebook is a list of lists of tables; write the profile again")
        try:
            ladders = tuple(tuple(map(TableSet.from_json, ladder)) for ladder in codebook)
        except BandwiseError as error:
            raise ProfileError(f"in its codebook, {error}") from error
        slope = entry["slope"]
        if type(slope) not in (int, float) or not abs(slope) < 1e300:
            raise ProfileError("its slope is a number ≥ 0, got another value")
        return cls(
            name=entry["name"],
            codebook=ladders,
            policy=Policy.from_json(entry["policy"]),
            slope=float(slope),
            positions=entry.get("positions", 1),
            subsampling=entry["subsampling"],
            frequencies=frequencies_from_json(entry.get("frequencies")),
            provenance=entry.get("provenance", {}),
            curve=entry.get("curve", []),
        )

    def save(self, path: Path) -> None:
        """Write the profile to a file, atomically; `OutputError` where that cannot be done."""
        write_atomically(path, json.dumps(self.to_json(), allow_nan=False).encode())

    def _choosing(self) -> dict[str, Any]:
        kept = {} if self.frequencies is None else {"frequencies": list(self.frequencies.kept)}
        between = {} if self.positions == 1 else {"positions": self.positions}
        return {
            **kept,
            **between,
            "codebook": [[tables.to_json() for tables in ladder] for ladder in self.codebook],
            "subsampling": self.subsampling,
            "policy": self.policy.to_json(),
            "slope": self.slope,
        }


def _filled(ladder: Sequence[TableSet], positions: int) -> Iterator[TableSet]:
    """Yield the tables of a ladder with those between, ``positions`` from one rung to the next."""
    for start, end in pairwise(ladder):
        yield start
        for step in range(1, positions):
            yield start.towards(end, step / positions)
    yield ladder[-1]


def load_profile(path: Path) -> Profile | AdaptiveProfile:
    """Read a profile's file, of one set of tables or of a codebook; raises `ProfileError`."""
    return read_profile_json(path, _any_from_json)


def _any_from_json(value: object) -> Profile | AdaptiveProfile:
    if isinstance(value, dict) and _is_codebook(value):
        return AdaptiveProfile.from_json(value)
    return Profile.from_json(value)


def _is_codebook(value: Mapping[str, Any]) -> bool:
    return value.get("format") == FORMAT and value.get("schema") == CODEBOOK_SCHEMA
