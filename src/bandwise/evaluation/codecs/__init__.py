"""Codecs to compare, each at its best settings, behind one small protocol."""

from __future__ import annotations

from collections.abc import Callable

from bandwise.evaluation.codecs.base import (
    QUALITIES,
    Codec,
    Pixels,
    Quantisation,
    Setting,
    TellsQuantisation,
)
from bandwise.evaluation.codecs.guided import GuidedCodec, libjpeg_ladder
from bandwise.evaluation.codecs.libjpeg import DownscaleCodec, LibjpegCodec
from bandwise.evaluation.codecs.optional import JpegliCodec, JpegXlCodec, MozJpegCodec
from bandwise.evaluation.codecs.pillow import AvifCodec, WebPCodec
from bandwise.evaluation.codecs.profiles import ProfileCodec, family_of

__all__ = [
    "BASELINES",
    "QUALITIES",
    "AvifCodec",
    "Codec",
    "DownscaleCodec",
    "GuidedCodec",
    "JpegXlCodec",
    "JpegliCodec",
    "LibjpegCodec",
    "MozJpegCodec",
    "Pixels",
    "ProfileCodec",
    "Quantisation",
    "Setting",
    "TellsQuantisation",
    "WebPCodec",
    "baselines",
    "family_of",
    "libjpeg_ladder",
    "unavailable",
]

BASELINES: dict[str, Callable[[int], Codec]] = {
    "libjpeg": lambda channels: LibjpegCodec(channels=channels),
    "downscale": lambda channels: DownscaleCodec(channels=channels),
    "jpegli": lambda channels: JpegliCodec(channels=channels),
    "mozjpeg": lambda channels: MozJpegCodec(channels=channels),
    "webp": lambda _: WebPCodec(),
    "avif": lambda channels: AvifCodec(channels=channels),
    "jpeg-xl": lambda _: JpegXlCodec(),
}
"""Codecs by name, each made for images of 1 or 3 channels."""


def baselines(channels: int) -> dict[str, Codec]:
    """Every baseline codec that this machine has, by name."""
    missing = unavailable()
    return {name: make(channels) for name, make in BASELINES.items() if name not in missing}


def unavailable() -> dict[str, str]:
    """Why a codec cannot be used here, by its name."""
    optional = (JpegliCodec, MozJpegCodec, WebPCodec, AvifCodec, JpegXlCodec)
    reasons = {codec.name: codec.unavailable() for codec in optional}
    return {name: reason for name, reason in reasons.items() if reason is not None}
