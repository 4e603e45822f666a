"""Names of the ways in which images get tables of their own, as rows have them."""

from __future__ import annotations

import re

ADAPTIVE, ORACLE = "bandwise adaptive", "oracle"

_PREFIX = f"{ADAPTIVE}: "
_WITH_RATE = " + rate"
_CODEBOOK = re.compile(rf"{re.escape(_PREFIX)}codebook of (\d+)(?:{re.escape(_WITH_RATE)})?")

ONE_TABLE, SCALE, RATE, CONTINUOUS = (
    f"{_PREFIX}{part}" for part in ("one table", "scale", "rate", "continuous rate")
)
"""One rung for all images; one table scaled for each; a rung for each, or any place between two."""


def codebook_family(size: int, *, rate: bool) -> str:
    """Ladders for `size` kinds of images, with a rung for each image or one for all."""
    if size == 1:
        return RATE if rate else ONE_TABLE
    return f"{_PREFIX}codebook of {size}{_WITH_RATE * rate}"


def bands_family(count: int, learned: str) -> str:
    """One rung of tables of few bands for all images; `learned` says what of them."""
    return f"{_PREFIX}{count} bands, {learned}"


def codebook_size(family: str) -> int | None:
    """Kinds of images of a codebook; None for what is none, or has one."""
    found = _CODEBOOK.fullmatch(family)
    return None if found is None else int(found[1])


def without_rate(family: str) -> str:
    """The same codebook with one rung for all images."""
    return family.removesuffix(_WITH_RATE)


def part_name(family: str) -> str:
    """Family without what all have in common: ``rate``, ``codebook of 8``, ``oracle``."""
    return family.removeprefix(_PREFIX)
