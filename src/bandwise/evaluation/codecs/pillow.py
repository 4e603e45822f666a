"""WebP and AVIF as Pillow writes them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, features

from bandwise.coefficients import Subsampling
from bandwise.evaluation.codecs.base import Pixels, Setting, sampled

WEBP_QUALITIES = (*range(0, 40, 2), *range(40, 60, 5), *range(60, 100, 10))
AVIF_QUALITIES = (*range(0, 60, 4), 60, 70, 80)
AVIF_SPEED = 6
"""Pillow's default. At 128×128 pixels speed 4 took 5 times as long for files within 1 %."""


class WebPCodec:
    """Lossy WebP with the slowest, smallest method."""

    name = "webp"

    def __init__(self, *, qualities: Sequence[int] = WEBP_QUALITIES) -> None:
        self._qualities = tuple(qualities)

    def settings(self) -> list[Setting]:
        """One family; WebP's chroma is always 4:2:0."""
        return [
            Setting(family="webp", label=f"q{quality}", options={"quality": quality, "method": 6})
            for quality in self._qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """WebP file with a VP8 (lossy) bitstream."""
        return _saved(pixels_u8, "WEBP", lossless=False, **setting.options)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels, grey where `shape` is: WebP itself has colour alone."""
        return _opened(data, "WEBP", shape)

    @staticmethod
    def unavailable() -> str | None:
        """Why it cannot be used, or None."""
        return None if features.check("webp") else "this Pillow was built without WebP"


class AvifCodec:
    """AVIF with 4:2:0 and 4:4:4 chroma; 4:0:0 for grey."""

    name = "avif"

    def __init__(
        self,
        *,
        channels: int,
        qualities: Sequence[int] = AVIF_QUALITIES,
        subsamplings: Sequence[Subsampling] = ("4:2:0", "4:4:4"),
        speed: int = AVIF_SPEED,
    ) -> None:
        self._channels = channels
        self._qualities = tuple(qualities)
        self._subsamplings = tuple(subsamplings)
        self._speed = speed

    def settings(self) -> list[Setting]:
        """Each subsampling over the qualities."""
        return [
            Setting(
                family=f"avif{shown}",
                label=f"q{quality}",
                options={
                    "quality": quality,
                    "subsampling": "4:0:0" if self._channels == 1 else subsampling,
                    "speed": self._speed,
                },
            )
            for subsampling, shown in sampled(self._subsamplings, self._channels)
            for quality in self._qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """AVIF file, made on one thread."""
        return _saved(pixels_u8, "AVIF", max_threads=1, **setting.options)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels, grey where `shape` is."""
        return _opened(data, "AVIF", shape)

    @staticmethod
    def unavailable() -> str | None:
        """Why it cannot be used, or None."""
        return None if features.check("avif") else "this Pillow was built without AVIF"


def _saved(pixels_u8: Pixels, kind: str, **options: Any) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels_u8).save(stream, kind, **options)
        return stream.getvalue()


def _opened(data: bytes, kind: str, shape: tuple[int, ...]) -> Pixels:
    with Image.open(io.BytesIO(data), formats=[kind]) as image:
        return np.asarray(image.convert("L" if len(shape) == 2 else "RGB"))
