"""Statistics of the runs: accuracy, speed, bytes, and what differs between settings.

Accuracies and gains are fractions; a gain of 0.01 is one percentage point.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from statistics import fmean, median

from bandwise.frequencies import FREQUENCIES
from bandwise.report.straight.records import (
    COEFFICIENTS,
    PIXELS,
    Run,
    Runs,
    Setting,
    StraightRecords,
)
from bandwise.report.summary import Gain, Spread, gain_of

LEARNED = "importance"
"""The rule that asks a trained network."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A network that was trained on fewer frequencies: how many, most first, and by which rules."""

    network: str
    counts: tuple[int, ...]
    rules: tuple[str, ...]

    @property
    def main_rule(self) -> str:
        """Importance, or the first other rule where it is not among them."""
        return LEARNED if LEARNED in self.rules else self.rules[0]

    @property
    def whole(self) -> Setting:
        """The same network on every frequency."""
        return Setting(self.network, COEFFICIENTS)

    def setting(self, kept: int, rule: str) -> Setting:
        """The network on ``kept`` frequencies by ``rule``."""
        return Setting(self.network, COEFFICIENTS, kept, rule)


@dataclass(frozen=True, eq=False)
class StraightSummary:
    """All statistics of a results file."""

    records: StraightRecords

    @property
    def runs(self) -> Mapping[Setting, Runs]:
        """Finished runs of each setting, by seed."""
        return self.records.runs

    @property
    def frequencies(self) -> int:
        """How many frequencies the images have."""
        return self.records.channels * FREQUENCIES

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Every seed that a run has finished with."""
        return tuple(sorted({seed for runs in self.runs.values() for seed in runs}))

    @cached_property
    def whole(self) -> tuple[Setting, ...]:
        """Settings on pixels or every frequency."""
        return tuple(setting for setting in self.runs if setting.kept is None)

    @cached_property
    def twins(self) -> tuple[str, ...]:
        """Networks that were trained on coefficients and on pixels."""
        return tuple(
            setting.network
            for setting in self.whole
            if setting.reads == COEFFICIENTS and Setting(setting.network, PIXELS) in self.runs
        )

    @cached_property
    def selections(self) -> tuple[Selection, ...]:
        """Networks that were trained on fewer frequencies."""
        fewer = [setting for setting in self.runs if setting.kept is not None]
        return tuple(
            Selection(
                network=network,
                counts=tuple(
                    sorted({each.kept or 0 for each in fewer if each.network == network})[::-1]
                ),
                rules=tuple(
                    dict.fromkeys(each.rule or "" for each in fewer if each.network == network)
                ),
            )
            for network in dict.fromkeys(setting.network for setting in fewer)
        )

    @property
    def alone(self) -> list[Setting]:
        """Settings whose network has no other, so that nothing can be compared with them."""
        counts = Counter(setting.network for setting in self.runs)
        return [setting for setting in self.runs if counts[setting.network] == 1]

    @property
    def missing(self) -> dict[Setting, list[int]]:
        """Seeds without a finished run, of settings of which another seed or rule has one."""
        expected = [
            *self.whole,
            *(
                selection.setting(kept, rule)
                for selection in self.selections
                for kept in selection.counts
                for rule in selection.rules
            ),
        ]
        absent = {
            setting: [seed for seed in self.seeds if seed not in self.runs.get(setting, {})]
            for setting in expected
        }
        return {setting: seeds for setting, seeds in absent.items() if seeds}

    def accuracy(self, setting: Setting) -> Spread:
        """Test accuracy over seeds."""
        return Spread.of([run.test_accuracy for run in self.runs[setting].values()])

    def validation(self, setting: Setting) -> Spread:
        """Validation accuracy of the last epoch over seeds."""
        return Spread.of([run.validation_curve[-1] for run in self.runs[setting].values()])

    def gain(self, setting: Setting, baseline: Setting) -> Gain | None:
        """Test accuracy of one setting minus that of another, paired by seed."""
        accuracies = [
            {seed: run.test_accuracy for seed, run in self.runs.get(each, {}).items()}
            for each in (setting, baseline)
        ]
        return gain_of(setting.name, accuracies[0], baseline.name, accuracies[1])

    def twin_gain(self, network: str) -> Gain | None:
        """`gain` of coefficients over pixels."""
        return self.gain(Setting(network, COEFFICIENTS), Setting(network, PIXELS))

    def epoch_seconds(self, run: Run) -> float:
        """Median time of the epochs on images of full size, of all where there is none such."""
        small = min(self.small_epochs(len(run.train_seconds)), len(run.train_seconds) - 1)
        return median(run.train_seconds[small:])

    def elapsed_seconds(self, run: Run) -> list[float]:
        """Time at the end of each epoch, were each as long as the median of its image size.

        Machines pause now and then, and one epoch of minutes would shift all after it.
        """
        epochs = len(run.train_seconds)
        small = min(self.small_epochs(epochs), epochs - 1)
        typical = [median(run.train_seconds[:small])] * small if small else []
        typical += [self.epoch_seconds(run)] * (epochs - small)
        return list(accumulate(typical))

    def small_epochs(self, epochs: int) -> int:
        """How many of the first epochs are on smaller images."""
        return math.ceil(self.records.small_share * epochs)

    def rate(self, setting: Setting) -> Spread:
        """Images a second in training, over seeds."""
        return Spread.of(
            [run.images / self.epoch_seconds(run) for run in self.runs[setting].values()]
        )

    def speed_ratios(self, network: str) -> tuple[float, ...]:
        """Images a second on coefficients divided by those on pixels, one a common seed."""
        ours = self.runs.get(Setting(network, COEFFICIENTS), {})
        theirs = self.runs.get(Setting(network, PIXELS), {})
        return tuple(
            self.epoch_seconds(theirs[seed]) / self.epoch_seconds(run)
            for seed, run in ours.items()
            if seed in theirs
        )

    def file_bytes(self, setting: Setting) -> float:
        """Mean bytes of a test file that holds what the network reads, over seeds."""
        return fmean(run.file_bytes for run in self.runs[setting].values())

    def saving(self, setting: Setting) -> float | None:
        """Share of a test file's bytes that goes with the frequencies that are not read."""
        whole = setting._replace(kept=None, rule=None)
        if whole not in self.runs:
            return None
        return 1 - self.file_bytes(setting) / self.file_bytes(whole)
