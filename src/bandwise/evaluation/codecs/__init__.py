"""Codecs to compare, each at its best settings, behind one small base class."""

from __future__ import annotations

from collections.abc import Collection

from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs.base import (
    QUALITIES,
    Codec,
    Pixels,
    Quantisation,
    Setting,
    as_array,
)
from bandwise.evaluation.codecs.foreign import (
    AvifCodec,
    JpegliCodec,
    JpegXlCodec,
    MozJpegCodec,
    WebPCodec,
)
from bandwise.evaluation.codecs.standard import (
    DownscaleCodec,
    GuidedCodec,
    LibjpegCodec,
    ProfileCodec,
    family_of,
    libjpeg_ladder,
)
from bandwise.results import LIBJPEG

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
    "WebPCodec",
    "as_array",
    "baselines",
    "family_of",
    "libjpeg_ladder",
    "sweep",
    "unavailable",
]

BASELINES: dict[str, type[Codec]] = {
    codec.name: codec
    for codec in (
        *(LibjpegCodec, DownscaleCodec, JpegliCodec, MozJpegCodec),
        *(WebPCodec, AvifCodec, JpegXlCodec),
    )
}
"""Codecs by name."""


def baselines(channels: int) -> dict[str, Codec]:
    """Every baseline codec that this machine has, by name, for images of 1 or 3 channels."""
    missing = unavailable()
    return {
        name: make(channels=channels) for name, make in BASELINES.items() if name not in missing
    }


def unavailable() -> dict[str, str]:
    """Why a codec cannot be used here, by its name."""
    reasons = {name: codec.unavailable() for name, codec in BASELINES.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def sweep(
    channels: int, *, names: Collection[str] | None = None, every: int = 1, libjpeg_every: int = 1
) -> list[tuple[Codec, list[Setting]]]:
    """Baseline codecs with the settings to measure.

    Parameters
    ----------
    names
        Codecs, or families of one; every codec that this machine has if not given.
    every, libjpeg_every
        Of each family's settings take every so many-th; libjpeg, which the others are compared
        with, has a number of its own.

    Raises
    ------
    ConfigurationError
        For a name that is unknown or whose codec is not installed.
    """
    available, missing = baselines(channels), unavailable()
    wanted = set(available if names is None else names)
    found: set[str] = set()
    work: list[tuple[Codec, list[Setting]]] = []
    for name, codec in available.items():
        families: dict[str, list[Setting]] = {}
        for setting in codec.settings():
            families.setdefault(setting.family, []).append(setting)
        chosen = [family for family in families if {name, family} & wanted]
        step = libjpeg_every if name == LIBJPEG else every
        if chosen:
            found |= {name, *chosen}
            work.append((codec, [one for family in chosen for one in families[family][::step]]))
    for name in wanted - found:
        if name in missing:
            raise ConfigurationError(f"the codec {name!r} cannot be used: {missing[name]}")
        raise ConfigurationError(
            f"there is no codec or family {name!r}; codecs are {', '.join(available)}"
        )
    return work
