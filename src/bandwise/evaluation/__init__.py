"""Rate against accuracy in real bytes: codecs, measurements, and whole evaluations."""

from bandwise.evaluation.codecs import (
    Codec,
    GuidedCodec,
    ProfileCodec,
    Setting,
    as_array,
    baselines,
    family_of,
    libjpeg_ladder,
    sweep,
    unavailable,
)
from bandwise.evaluation.examples import examples
from bandwise.evaluation.measuring import Conditions, measure, measure_original, recode
from bandwise.evaluation.run import EvaluationConfig, describe_profile, evaluate, is_measured

__all__ = [
    "Codec",
    "Conditions",
    "EvaluationConfig",
    "GuidedCodec",
    "ProfileCodec",
    "Setting",
    "as_array",
    "baselines",
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
