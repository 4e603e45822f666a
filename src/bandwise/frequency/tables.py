"""Quantisation tables: checked values, zigzag order, and the tables that libjpeg ships.

A table holds one step per frequency in *natural* order: row `v` is the vertical frequency,
column `u` the horizontal one. Files store tables in zigzag order, which libjpeg takes care of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bandwise.errors import TableError

BLOCK = 8
"""Samples along one side of a JPEG block."""

FREQUENCIES = BLOCK * BLOCK
"""Of a component."""

STEP_MIN, STEP_MAX = 1, 255
"""Steps that a baseline, 8-bit quantisation table can hold (ITU-T T.81, B.2.4.1)."""


def zigzag_order(size: int = BLOCK) -> tuple[int, ...]:
    """Natural (row-major) index of each position of the zigzag scan of a `size`×`size` block.

    Anti-diagonals `v + u = d` in order of `d`; odd ones run downwards, even ones upwards
    (ITU-T T.81, Figure A.6).
    """
    order = []
    for d in range(2 * size - 1):
        rows = range(max(0, d - size + 1), min(d, size - 1) + 1)
        order += [v * size + d - v for v in (rows if d % 2 else reversed(rows))]
    return tuple(order)


ZIGZAG = zigzag_order()

# ITU-T T.81, Annex K, Tables K.1 and K.2: natural order.
_ANNEX_K_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_ANNEX_K_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * BLOCK for _ in range(4)),
)


@dataclass(frozen=True)
class QuantTable:
    """Quantisation steps of one component: 64 integers 1..255 in natural order.

    Raises `TableError` for another count, a value that is not an integer, or one out of range.
    """

    values: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.values) != FREQUENCIES:
            raise TableError(
                f"a quantisation table has 64 steps, got {len(self.values)}; "
                "give 8 rows of 8 in natural order"
            )
        for index, value in enumerate(self.values):
            if type(value) is not int or not STEP_MIN <= value <= STEP_MAX:
                v, u = divmod(index, BLOCK)
                raise TableError(
                    f"the step at frequency (v={v}, u={u}) is {value!r}; a baseline table holds "
                    f"integers {STEP_MIN}..{STEP_MAX}; round it and clamp it to them"
                )

    @classmethod
    def from_array(cls, array: ArrayLike) -> Self:
        """Table of an integer array of shape (8, 8), natural order; nothing is rounded."""
        steps = np.asarray(array)
        if steps.shape != (BLOCK, BLOCK):
            raise TableError(f"a quantisation table has shape (8, 8), got {steps.shape}")
        return cls(tuple(steps.ravel().tolist()))

    @classmethod
    def from_steps(cls, steps: ArrayLike) -> Self:
        """Nearest valid table of real-valued steps of shape (8, 8): rounded, clamped to 1..255."""
        real = np.asarray(steps, dtype=np.float64)
        if np.isnan(real).any():
            raise TableError("a step is not a number; a table needs 64 real steps")
        return cls.from_array(np.clip(np.rint(real), STEP_MIN, STEP_MAX).astype(np.int64))

    @classmethod
    def from_json(cls, rows: object) -> Self:
        """Table of a decoded JSON value: 8 lists of 8 integers, natural order."""
        if not isinstance(rows, list) or len(rows) != BLOCK:
            raise TableError(f"a quantisation table is a list of 8 rows, got {_summary(rows)}")
        for row in rows:
            if not isinstance(row, list) or len(row) != BLOCK:
                raise TableError(f"a row of a quantisation table has 8 steps, got {_summary(row)}")
        return cls(tuple(chain.from_iterable(rows)))

    @cached_property
    def array(self) -> NDArray[np.int32]:
        """Steps of shape (8, 8), natural order, read-only."""
        steps = np.array(self.values, dtype=np.int32).reshape(BLOCK, BLOCK)
        steps.flags.writeable = False
        return steps

    def to_json(self) -> list[list[int]]:
        """8 rows of 8 steps; `from_json` reads it back."""
        return [list(self.values[start : start + BLOCK]) for start in range(0, 64, BLOCK)]


@dataclass(frozen=True, kw_only=True)
class TableSet:
    """Tables of an image: luma, and one chroma table for Cb and Cr (None: grey images only)."""

    luma: QuantTable
    chroma: QuantTable | None = None

    @classmethod
    def ijg(cls, quality: int) -> Self:
        """Tables that libjpeg uses for colour at a quality of 1..100."""
        return cls(luma=ijg_luma(quality), chroma=ijg_chroma(quality))

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Tables of a decoded JSON object with the keys "luma" and, for colour, "chroma"."""
        if not isinstance(value, dict) or "luma" not in value or value.keys() - {"luma", "chroma"}:
            raise TableError(
                f'tables are an object with "luma" and optionally "chroma", got {_summary(value)}'
            )
        chroma = value.get("chroma")
        return cls(
            luma=QuantTable.from_json(value["luma"]),
            chroma=None if chroma is None else QuantTable.from_json(chroma),
        )

    def to_json(self) -> dict[str, list[list[int]] | None]:
        """Object that `from_json` reads back."""
        return {
            "luma": self.luma.to_json(),
            "chroma": None if self.chroma is None else self.chroma.to_json(),
        }


def ijg_luma(quality: int) -> QuantTable:
    """Luma table of libjpeg at a quality of 1..100."""
    return _ijg_scaled(_ANNEX_K_LUMA, quality)


def ijg_chroma(quality: int) -> QuantTable:
    """Chroma table of libjpeg at a quality of 1..100."""
    return _ijg_scaled(_ANNEX_K_CHROMA, quality)


def flat(step: int) -> QuantTable:
    """Table with the same step at every frequency."""
    return QuantTable((step,) * FREQUENCIES)


def _ijg_scaled(base: Sequence[Sequence[int]], quality: int) -> QuantTable:
    """Scale a table as the IJG software does: quality 50 is the table itself, 100 is all ones."""
    if not 1 <= quality <= 100:
        raise TableError(f"quality is an integer 1..100, got {quality!r}")
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return QuantTable(
        tuple(
            min(max((step * percent + 50) // 100, STEP_MIN), STEP_MAX)
            for step in chain.from_iterable(base)
        )
    )


def _summary(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
