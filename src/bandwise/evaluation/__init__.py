"""Rate against accuracy in real bytes: codecs, points, and whole evaluations."""

from bandwise.evaluation.codecs import (
    AdaptiveCodec,
    CodebookCodec,
    Codec,
    GuidedCodec,
    OracleCodec,
    ProfileCodec,
    Setting,
    as_array,
    baselines,
    family_of,
    libjpeg_ladder,
    sweep,
    unavailable,
)
from bandwise.evaluation.costs import Costs, rung_costs
from bandwise.evaluation.examples import end_rows, example_rows
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
    "AdaptiveCodec",
    "CodebookCodec",
    "Codec",
    "Conditions",
    "Costs",
    "EvaluationConfig",
    "GuidedCodec",
    "Ledger",
    "OracleCodec",
    "ProfileCodec",
    "Setting",
    "Step",
    "as_array",
    "baselines",
    "check_folder",
    "end_rows",
    "evaluate",
    "example_rows",
    "family_of",
    "libjpeg_ladder",
    "measure",
    "original_row",
    "profile_row",
    "recode",
    "rung_costs",
    "sweep",
    "unavailable",
]
