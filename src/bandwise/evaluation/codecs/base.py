"""What every codec is to an evaluation: settings, and pixels to bytes and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bandwise import jpeg
from bandwise.images import from_planes

Pixels = NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) RGB."""


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


class Codec(ABC):
    """Pixels to the bytes of a whole file and back, in memory; called from several threads."""

    name: str

    @abstractmethod
    def settings(self) -> list[Setting]:
        """Every setting to be measured, families together."""

    @abstractmethod
    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """Encode an image as a file with everything that its decoder needs."""

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of the original's shape, which the receiver knows; those of a JPEG file here."""
        return jpeg.decode(data)


def as_array(pixels_u8: Tensor) -> Pixels:
    """(C, H, W) uint8 as codecs take it: (H, W) grey or contiguous (H, W, 3) RGB."""
    return from_planes(pixels_u8.numpy())
