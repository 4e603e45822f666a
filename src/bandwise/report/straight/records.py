"""Rows of networks that were trained on JPEG files, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from bandwise.errors import ConfigurationError
from bandwise.frequencies import Frequencies
from bandwise.report.facts import Facts, facts_of
from bandwise.report.fields import Fields, fields_of, only_experiment

COEFFICIENTS, PIXELS = "coefficients", "pixels"


class Setting(NamedTuple):
    """A network and what it reads; ``kept`` and ``rule`` are None for everything."""

    network: str
    reads: str
    kept: int | None = None
    rule: str | None = None

    @property
    def name(self) -> str:
        """Such as ``resnet on pixels`` or ``resnet-small on 24 frequencies by energy``."""
        if self.kept is None:
            return f"{self.network} on {self.reads}"
        frequencies = "frequency" if self.kept == 1 else "frequencies"
        return f"{self.network} on {self.kept} {frequencies} by {self.rule}"

    @property
    def inputs(self) -> str:
        """What is read, in short: ``pixels`` or ``24 by energy``."""
        return self.reads if self.kept is None else f"{self.kept} by {self.rule}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run; accuracies are fractions, ``validation_curve`` and seconds one an epoch.

    ``file_bytes`` is the mean size of the test files with only what is read left in them.
    """

    seed: int
    frequencies: Frequencies | None
    parameters: int
    images: int
    validation_curve: tuple[float, ...]
    train_seconds: tuple[float, ...]
    test_accuracy: float
    file_bytes: float


Runs = Mapping[int, Run]
"""By seed."""


@dataclass(frozen=True, kw_only=True)
class StraightRecords:
    """Everything that such a results file says, in the order of the rows.

    ``small_share`` is the share of the epochs, the first ones, that is on smaller images.
    """

    facts: Facts
    channels: int
    small_share: float
    runs: Mapping[Setting, Runs]


def parse_straight_records(rows: Sequence[Mapping[str, Any]]) -> StraightRecords:
    """Check rows and give them types; rows of other kinds are left alone.

    Raises
    ------
    ResultsError
        If there is not exactly one experiment, a field is missing or of another kind, or a run is
        there twice. The message names the line and the field.
    """
    fields = fields_of(rows)
    experiment = only_experiment(fields)
    runs: dict[Setting, dict[int, Run]] = {}
    for row in fields:
        if row.record == "trained":
            setting, run = _setting(row), _run(row)
            of_setting = runs.setdefault(setting, {})
            if run.seed in of_setting:
                raise row.error("seed", f"{setting.name}, seed {run.seed}, is there twice")
            of_setting[run.seed] = run
    return StraightRecords(
        facts=facts_of(experiment),
        channels=experiment.child("dataset").integer("channels"),
        small_share=experiment.child("settings").child("training").fraction("small_share"),
        runs=runs,
    )


def _setting(row: Fields) -> Setting:
    reads = row.text("reads")
    if reads not in (COEFFICIENTS, PIXELS):
        raise row.error("reads", f"expected {COEFFICIENTS} or {PIXELS}, got {reads!r}")
    if not row.has("kept"):
        return Setting(row.text("network"), reads)
    return Setting(row.text("network"), reads, row.integer("kept"), row.text("rule"))


def _run(row: Fields) -> Run:
    epochs = row.integer("epochs")
    sizes = row.integers("test_bytes")
    if epochs < 1:
        raise row.error("epochs", f"expected 1 or more, got {epochs}")
    if not sizes or min(sizes) < 1:
        raise row.error("test_bytes", "expected sizes of 1 byte or more")
    seconds = row.numbers("train_seconds", epochs)
    if min(seconds) <= 0:
        raise row.error("train_seconds", f"expected times above 0, got {min(seconds)}")
    return Run(
        seed=row.integer("seed"),
        frequencies=_frequencies(row) if row.has("frequencies") else None,
        parameters=row.integer("parameters"),
        images=row.integer("images"),
        validation_curve=row.numbers("validation_curve", epochs),
        train_seconds=seconds,
        test_accuracy=row.fraction("test_accuracy"),
        file_bytes=fmean(sizes),
    )


def _frequencies(row: Fields) -> Frequencies:
    try:
        return Frequencies(row.integers("frequencies"))
    except ConfigurationError as error:
        raise row.error("frequencies", str(error)) from error
