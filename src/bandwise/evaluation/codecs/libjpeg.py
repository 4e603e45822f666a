"""libjpeg with its own tables, at the best it can do, and downscaling before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

from bandwise import jpeg
from bandwise.coefficients import Subsampling
from bandwise.encoding import encode_pixels
from bandwise.evaluation.codecs.base import QUALITIES, Pixels, Quantisation, Setting, sampled
from bandwise.measures import LIBJPEG
from bandwise.profile import Profile
from bandwise.tables import TableSet

CONTAINERS: dict[str, dict[str, Any]] = {
    "baseline": {"progressive": False},
    "progressive": {"progressive": True},
    "smallest": {"container": "smallest"},
    "compact": {"progressive": False, "shared_huffman": True, "jfif": False},
}
"""How the same coefficients are stored, so that the decoded pixels are the same.

Options of `bandwise.jpeg.encode`; "smallest" is the choice image by image that
`bandwise.encoding.encode_pixels` makes for profiles too. A compact file has one pair of Huffman
tables and no JFIF marker: the shortest header.
"""

DOWNSCALE_SIDES = (Fraction(1, 2), Fraction(5, 8), Fraction(3, 4), Fraction(7, 8))
DOWNSCALE_QUALITIES = (5, 8, 10, 12, 15, 18, 21, 25, 30, 35, 40, 50, 60, 70, 80, 90)


class LibjpegCodec:
    """libjpeg's tables with optimised Huffman codes: 4:2:0 and 4:4:4, stored in every way.

    The families "libjpeg compact" and "... smallest" show what headers and containers cost apart
    from what tables save.
    """

    name = LIBJPEG

    def __init__(
        self,
        *,
        channels: int,
        qualities: Sequence[int] = QUALITIES,
        subsamplings: Sequence[Subsampling] = ("4:2:0", "4:4:4"),
    ) -> None:
        self._channels = channels
        self._qualities = tuple(qualities)
        self._subsamplings = tuple(subsamplings)

    def settings(self) -> list[Setting]:
        """Each subsampling with each way of storing, over the qualities."""
        return [
            Setting(
                family=(
                    "libjpeg compact" if container == "compact" else f"libjpeg{shown} {container}"
                ),
                label=f"q{quality}{shown}" if container == "compact" else f"q{quality}",
                options={"quality": quality, "subsampling": subsampling, **stored},
            )
            for subsampling, shown in sampled(self._subsamplings, self._channels)
            for container, stored in CONTAINERS.items()
            for quality in self._qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file."""
        return _encode(pixels_u8, setting.options)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of a JPEG file."""
        return jpeg.decode(data)

    def quantisation(self, setting: Setting) -> Quantisation | None:
        """Tables of a quality; None for progressive files."""
        if setting.options.get("progressive"):
            return None
        options = setting.options
        return Quantisation(TableSet.ijg(options["quality"]), options["subsampling"])


class DownscaleCodec:
    """Scale down by Lanczos, store as libjpeg 4:2:0, scale back to the size by bicubic filter."""

    name = "downscale"

    def __init__(
        self,
        *,
        channels: int,
        sides: Sequence[Fraction] = DOWNSCALE_SIDES,
        qualities: Sequence[int] = DOWNSCALE_QUALITIES,
    ) -> None:
        self._channels = channels
        self._sides = tuple(sides)
        self._qualities = tuple(qualities)

    def settings(self) -> list[Setting]:
        """Each share of the side, as baseline and compact file, over the qualities."""
        return [
            Setting(
                family=f"downscale {side}{'' if container == 'baseline' else ' ' + container}",
                label=f"q{quality}",
                options={
                    "side": str(side),
                    "quality": quality,
                    "subsampling": "4:2:0",
                    **CONTAINERS[container],
                },
            )
            for side in self._sides
            for container in ("baseline", "compact")
            for quality in self._qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file of the smaller image; its sides are rounded, at least 1."""
        options = dict(setting.options)
        side = Fraction(options.pop("side"))
        height, width = (max(1, round(side * length)) for length in pixels_u8.shape[:2])
        return _encode(_resized(pixels_u8, height, width, Image.Resampling.LANCZOS), options)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels scaled back to the height and width of `shape`."""
        return _resized(jpeg.decode(data), shape[0], shape[1], Image.Resampling.BICUBIC)


def _encode(pixels_u8: Pixels, options: Mapping[str, Any]) -> bytes:
    given = dict(options)
    tables = TableSet.ijg(given.pop("quality"))
    if "container" not in given:
        return jpeg.encode(pixels_u8, tables, **given)
    profile = Profile(name="libjpeg", tables=tables, subsampling=given.pop("subsampling"))
    return encode_pixels(pixels_u8, profile, **given)


def _resized(pixels_u8: Pixels, height: int, width: int, method: Image.Resampling) -> Pixels:
    return np.asarray(Image.fromarray(pixels_u8).resize((width, height), method))
