"""Rate against accuracy in real bytes: codecs, measurements, and whole evaluations."""

from bandwise.evaluation.codecs import (
    BaselineCodec,
    Codec,
    GuidedCodec,
    ProfileCodec,
    Setting,
    as_array,
    family_of,
    libjpeg_ladder,
    sweep,
    unavailable,
)
from bandwise.evaluation.examples import examples
from bandwise.evaluation.measuring import Conditions, measure, measure_original, recode
from bandwise.evaluation.run import EvaluationConfig, describe_profile, evaluate, is_measured

__all__ = [
    "BaselineCodec",
    "Codec",
    "Conditions",
    "EvaluationConfig",
    "GuidedCodec",
    "ProfileCodec",
    "Setting",
    "as_array",
    "describe_profile",
    "evaluate",
    "examples",
    "family_of",
    "is_measured",
    "libjpeg_ladder",
    "measure",
    "measure_original",
    "recode",
    "sweep",
    "unavailable",
]
