"""Ways to write one image: scale × chroma sampling × quantisation tables.

    pixels ──resize──→ ──colour or grey──→ encode_pixels ──→ the smallest container

A candidate is a value of a plan; what it makes of an image is a pure function of the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bandwise.encoding import encode_pixels
from bandwise.errors import PlanError
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """One way to write an image.

    Attributes
    ----------
    side
        Short side of the file, as a multiple of the short side at which the model reads; never
        more than the image's own. None for the image's own size.
    profile
        Tables and chroma sampling; of grey ones, colour images become grey.
    """

    side: float | None
    profile: Profile

    @property
    def is_grey(self) -> bool:
        """Whether files have luma alone."""
        return self.profile.tables.chroma is None

    def to_json(self) -> dict[str, Any]:
        """Object that `from_json` reads back."""
        return {
            "side": self.side,
            "tables": self.profile.tables.to_json(),
            "subsampling": self.profile.subsampling,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], name: str) -> Self:
        """Read an object of `to_json`; raises `PlanError`, `TableError` and `ProfileError`."""
        side = value["side"]
        if side is not None and not (isinstance(side, int | float) and 0 < side <= 64):
            raise PlanError(f"the side of a candidate is above 0, up to 64, got {side!r}")
        profile = Profile(
            name=name,
            tables=TableSet.from_json(value["tables"]),
            subsampling=value["subsampling"],
        )
        return cls(side=side, profile=profile)


class ScaledImage:
    """An image in the sizes and colours that candidates ask for, each made once.

    Parameters
    ----------
    pixels_u8
        (height, width) grey or (height, width, 3) RGB.
    reading_side
        Short side at which the model reads, None where that is not known: no image is scaled.
    """

    def __init__(
        self, pixels_u8: Pixels, *, reading_side: int | None, icc: bytes | None = None
    ) -> None:
        self.pixels_u8 = pixels_u8
        self._reading_side = reading_side
        self._icc = icc
        self._made: dict[tuple[int, int, bool], Pixels] = {}

    def size(self, side: float | None) -> tuple[int, int]:
        """(height, width) of the file of a candidate's ``side``."""
        height, width = self.pixels_u8.shape[:2]
        if side is None or self._reading_side is None:
            return height, width
        factor = min(1.0, side * self._reading_side / min(height, width))
        return max(1, round(factor * height)), max(1, round(factor * width))

    def write(self, candidate: Candidate) -> bytes:
        """JPEG file of a candidate."""
        grey_source = self.pixels_u8.ndim == 2
        pixels_u8 = self._pixels(*self.size(candidate.side), candidate.is_grey and not grey_source)
        # A grey image needs no ICC profile of colour values.
        icc = None if candidate.is_grey and not grey_source else self._icc
        return encode_pixels(pixels_u8, candidate.profile, icc=icc)

    def _pixels(self, height: int, width: int, to_grey: bool) -> Pixels:
        key = (height, width, to_grey)
        if key not in self._made:
            image = Image.fromarray(self.pixels_u8)
            if to_grey:
                image = image.convert("L")
            if (height, width) != self.pixels_u8.shape[:2]:
                image = image.resize((width, height), Image.Resampling.LANCZOS)
            self._made[key] = np.asarray(image)
        return self._made[key]
