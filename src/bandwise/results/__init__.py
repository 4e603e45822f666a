"""Results of experiments: typed records with provenance, kept as JSON lines in one file.

    experiment ──Results.open──→ Results ──add──→ results.jsonl      (resumed by the same call)
    results.jsonl ──Results.load──→ Results ──of(Measurement)──→ statistics, report

Results are the only bridge to the report: every figure can be redrawn without a model.
"""

from bandwise.results.records import (
    GUIDED,
    GUIDED_LIBJPEG,
    LEARNED,
    LIBJPEG,
    ORIGINAL,
    PROTOCOLS,
    SPLITS,
    DatasetInfo,
    Epoch,
    Example,
    Experiment,
    LearnedTables,
    Learning,
    Measurement,
    Protocol,
    Run,
    Sample,
    Split,
    Trained,
    TrainedSetting,
)
from bandwise.results.rows import SCHEMA, Record, Row, digest, read_rows, write_rows
from bandwise.results.store import RESULTS_NAME, Results, check_output_folder

__all__ = [
    "GUIDED",
    "GUIDED_LIBJPEG",
    "LEARNED",
    "LIBJPEG",
    "ORIGINAL",
    "PROTOCOLS",
    "RESULTS_NAME",
    "SCHEMA",
    "SPLITS",
    "DatasetInfo",
    "Epoch",
    "Example",
    "Experiment",
    "LearnedTables",
    "Learning",
    "Measurement",
    "Protocol",
    "Record",
    "Results",
    "Row",
    "Run",
    "Sample",
    "Split",
    "Trained",
    "TrainedSetting",
    "check_output_folder",
    "digest",
    "read_rows",
    "write_rows",
]
