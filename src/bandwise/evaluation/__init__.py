"""Rate against accuracy in real bytes: codecs, points, and whole evaluations."""

from bandwise.evaluation.codecs import (
    Codec,
    GuidedCodec,
    ProfileCodec,
    Setting,
    baselines,
    family_of,
    libjpeg_ladder,
    sweep,
    unavailable,
)
from bandwise.evaluation.examples import example_rows
from bandwise.evaluation.ledger import Ledger, check_folder
from bandwise.evaluation.points import Conditions, measure, original_row, recode
from bandwise.evaluation.run import (
    SPLITS,
    EvaluationConfig,
    Step,
    evaluate,
    profile_row,
)

__all__ = [
    "SPLITS",
    "Codec",
    "Conditions",
    "EvaluationConfig",
    "GuidedCodec",
    "Ledger",
    "ProfileCodec",
    "Setting",
    "Step",
    "baselines",
    "check_folder",
    "evaluate",
    "example_rows",
    "family_of",
    "libjpeg_ladder",
    "measure",
    "original_row",
    "profile_row",
    "recode",
    "sweep",
    "unavailable",
]
