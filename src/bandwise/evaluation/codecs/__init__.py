"""Codecs to compare, each at its best settings, behind one small base class."""

from bandwise.evaluation.codecs.base import Codec, Pixels, Setting, as_array
from bandwise.evaluation.codecs.baselines import BASELINES, BaselineCodec, sweep, unavailable
from bandwise.evaluation.codecs.profiles import (
    GuidedCodec,
    ProfileCodec,
    family_of,
    libjpeg_ladder,
)

__all__ = [
    "BASELINES",
    "BaselineCodec",
    "Codec",
    "GuidedCodec",
    "Pixels",
    "ProfileCodec",
    "Setting",
    "as_array",
    "family_of",
    "libjpeg_ladder",
    "sweep",
    "unavailable",
]
