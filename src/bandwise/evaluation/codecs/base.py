"""What every codec is to an evaluation: settings, and pixels to bytes and back."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bandwise import jpeg
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import TableSet
from bandwise.images import from_planes

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


class Quantisation(NamedTuple):
    """How every file of a setting is quantised; grey images take the luma table alone."""

    tables: TableSet
    subsampling: Subsampling


class Codec(ABC):
    """Pixels to the bytes of a whole file and back, in memory; called from several threads.

    Parameters
    ----------
    channels
        Those of the images, 1 or 3.
    qualities
        What is swept, on the codec's own scale; its whole sweep if not given.
    subsamplings
        Chroma subsamplings that are measured; grey images have none.
    """

    name: str
    sweep: ClassVar[Sequence[float]] = QUALITIES
    package: ClassVar[str | None] = None
    """Package that the codec needs beside those of bandwise."""

    def __init__(
        self,
        *,
        channels: int = 3,
        qualities: Sequence[float] | None = None,
        subsamplings: Sequence[Subsampling] = ("4:2:0", "4:4:4"),
    ) -> None:
        self.channels = channels
        self.qualities = self.sweep if qualities is None else tuple(qualities)
        self._subsamplings = tuple(subsamplings)

    @abstractmethod
    def settings(self) -> list[Setting]:
        """Every setting to be measured, families together."""

    @abstractmethod
    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """Encode an image as a file with everything that its decoder needs."""

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of the original's shape, which the receiver knows; those of a JPEG file here."""
        return jpeg.decode(data)

    def quantisation(self, setting: Setting) -> Quantisation | None:  # noqa: ARG002
        """Tables of a setting; None where they do not determine a sequential file's payload."""
        return None

    @classmethod
    def unavailable(cls) -> str | None:
        """Why the codec cannot be used on this machine, or None."""
        if cls.package is not None and importlib.util.find_spec(cls.package) is None:
            return f"the package {cls.package} is not installed (pip install {cls.package})"
        return None

    def subsamplings(self) -> Iterator[tuple[Subsampling, str]]:
        """Chroma subsamplings, each with how it shows in a family; grey has none to show."""
        if self.channels == 1:
            yield self._subsamplings[0], ""
        else:
            yield from ((each, f" {each}") for each in self._subsamplings)


def as_array(pixels_u8: Tensor) -> Pixels:
    """(C, H, W) uint8 as codecs take it: (H, W) grey or contiguous (H, W, 3) RGB."""
    return from_planes(pixels_u8.numpy())
