"""What every codec is to an evaluation: settings, and pixels to bytes and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bandwise.coefficients import Subsampling
from bandwise.images import from_planes
from bandwise.tables import TableSet

Pixels = NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) RGB."""

QUALITIES = (*range(3, 41), *range(42, 61, 2), *range(65, 96, 5))
"""Sweep of qualities on libjpeg's scale: every one where files are small."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a codec.

    Parameters
    ----------
    family
        What is swept together and drawn as one curve; begins with the codec's name.
    label
        Name within the family, unique there.
    options
        What the setting means to its codec; JSON-able.
    """

    family: str
    label: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Codec(Protocol):
    """Pixels to the bytes of a whole file and back, in memory; called from several threads."""

    @property
    def name(self) -> str:
        """Codec of the rows."""
        ...

    def settings(self) -> Sequence[Setting]:
        """Every setting to be measured, families together."""
        ...

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """Encode an image as a file with everything that its decoder needs."""
        ...

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels of the original's shape, which the receiver knows."""
        ...


class Quantisation(NamedTuple):
    """How every file of a setting is quantised; grey images take the luma table alone."""

    tables: TableSet
    subsampling: Subsampling


@runtime_checkable
class TellsQuantisation(Protocol):
    """A codec that says how it quantises, so that its payload can be estimated without it."""

    def quantisation(self, setting: Setting) -> Quantisation | None:
        """Tables of a setting; None where they do not determine a sequential file's payload."""
        ...


def sampled(subsamplings: Sequence[Subsampling], channels: int) -> Iterable[tuple[str, str]]:
    """Yield each chroma subsampling and how it shows in a family; grey has none to show."""
    if channels == 1:
        return [(subsamplings[0], "")]
    return [(subsampling, f" {subsampling}") for subsampling in subsamplings]


def as_array(pixels_u8: Tensor) -> Pixels:
    """(C, H, W) uint8 as codecs take it: (H, W) grey or contiguous (H, W, 3) RGB."""
    return from_planes(pixels_u8.numpy())


def pixels_key(pixels_u8: Pixels) -> bytes:
    """Identity of an image's size and pixels."""
    return hashlib.sha256(repr(pixels_u8.shape).encode() + pixels_u8.tobytes()).digest()
