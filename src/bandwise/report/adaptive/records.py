"""Rows of an experiment with tables chosen for each image, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwise.bands import Rings
from bandwise.errors import ConfigurationError, TableError
from bandwise.report.fields import Fields, fields_of
from bandwise.report.rate_accuracy.records import RateRecords, parse_rate_records
from bandwise.tables import TableSet


@dataclass(frozen=True, kw_only=True)
class Codebook:
    """Ladders of tables, one a kind of images, from large files to small.

    ``kinds`` counts the training images of each kind, ``multiplications`` those that the policy
    takes for an image. ``rings`` has the price of a bit of each rung and the bands of its tables by
    component, where they have few.
    """

    family: str
    seed: int
    ladders: tuple[tuple[TableSet, ...], ...]
    kinds: tuple[int, ...]
    multiplications: int
    seconds: float
    rings: tuple[tuple[float, Mapping[str, Rings]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Ladder and rung, from 0, that each image of a split gets at a setting; both (N,).

    Rungs are fractions where tables lie between two.
    """

    family: str
    label: str
    split: str
    seed: int
    ladders: NDArray[np.int64]
    rungs: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AdaptiveRecords:
    """Everything that such a results file says; ``rate`` holds what was measured on files."""

    rate: RateRecords
    codebooks: tuple[Codebook, ...]
    choices: tuple[Choices, ...]


def parse_adaptive_records(rows: Sequence[Mapping[str, Any]]) -> AdaptiveRecords:
    """Check rows and give them types; rows of other kinds are left alone.

    Raises
    ------
    ResultsError
        Where `parse_rate_records` does, and for a field that is missing or of another kind.
    """
    fields = fields_of(rows)
    return AdaptiveRecords(
        rate=parse_rate_records(rows),
        codebooks=tuple(_codebook(row) for row in fields if row.record == "codebook"),
        choices=tuple(_choices(row) for row in fields if row.record == "choices"),
    )


def _codebook(row: Fields) -> Codebook:
    value = row.value("codebook")
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(each, list) for each in value)
    ):
        raise row.error("codebook", "expected a list of lists of tables")
    try:
        ladders = tuple(tuple(map(TableSet.from_json, ladder)) for ladder in value)
    except TableError as error:
        raise row.error("codebook", str(error)) from error
    if len({len(ladder) for ladder in ladders}) > 1 or not ladders[0]:
        raise row.error("codebook", "expected ladders of equally many tables")
    kinds = row.integers("kinds")
    if len(kinds) != len(ladders):
        raise row.error("kinds", f"expected {len(ladders)} counts, got {len(kinds)}")
    return Codebook(
        family=row.text("family"),
        seed=row.integer("seed"),
        ladders=ladders,
        kinds=kinds,
        multiplications=row.integer("multiplications"),
        seconds=row.number("seconds"),
        rings=_rings(row, len(ladders[0])),
    )


def _rings(row: Fields, rungs: int) -> tuple[tuple[float, Mapping[str, Rings]], ...]:
    """Price and bands of each rung; none in rows of tables that have a step a frequency."""
    if not row.has("rings"):
        return ()
    value = row.value("rings")
    try:
        rings = tuple(
            {
                name: Rings(edges=tuple(each["edges"]), exponent=each["exponent"])
                for name, each in one.items()
            }
            for one in value
        )
    except (AttributeError, KeyError, TypeError, ConfigurationError) as error:
        raise row.error("rings", f"expected edges and exponent by component ({error})") from error
    shapes = {tuple((name, len(each.edges)) for name, each in one.items()) for one in rings}
    if len(rings) != rungs or len(shapes) != 1 or not next(iter(shapes)):
        raise row.error("rings", f"expected bands of {rungs} rungs, alike in number")
    return tuple(zip(row.numbers("slopes", rungs), rings, strict=True))


def _choices(row: Fields) -> Choices:
    ladders = np.array(row.integers("ladders"), np.int64)
    rungs = np.array(row.numbers("rungs", len(ladders)), np.float64)
    if not len(rungs) or min(ladders.min(), rungs.min()) < 0:
        raise row.error("rungs", "expected a ladder and a rung, from 0, of every image")
    return Choices(
        family=row.text("family"),
        label=row.text("label"),
        split=row.text("split"),
        seed=row.integer("seed"),
        ladders=ladders,
        rungs=rungs,
    )
