"""Statistics of networks that were trained from JPEG, on coefficients or on pixels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean, median

from bandwise.frequency.tables import FREQUENCIES
from bandwise.report.wording import finding, listing, unfinished
from bandwise.results import Results, Trained, TrainedSetting
from bandwise.statistics import Gain, Spread, paired_gain
from bandwise.wording import quantity

COEFFICIENTS, PIXELS = "coefficients", "pixels"

LEARNED = "importance"
"""The rule that asks a trained network."""

SHARED = "by the clock on a machine that several runs shared"


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
    def whole(self) -> TrainedSetting:
        """The same network on every frequency."""
        return TrainedSetting(self.network, COEFFICIENTS)

    def setting(self, kept: int, rule: str) -> TrainedSetting:
        """The network on ``kept`` frequencies by ``rule``."""
        return TrainedSetting(self.network, COEFFICIENTS, kept, rule)

    @property
    def settings(self) -> list[TrainedSetting]:
        """Every number by every rule."""
        return [self.setting(kept, rule) for kept in self.counts for rule in self.rules]


class Study:
    """Finished runs by setting and seed. Accuracies and gains are shares."""

    def __init__(self, results: Results) -> None:
        self.experiment = results.experiment
        self.dataset = results.experiment.dataset
        self.channels = self.dataset.channels or 3
        self.frequencies = self.channels * FREQUENCIES
        training = self.experiment.settings.get("training", {})
        self.small_share = float(training.get("small_share", 0))
        self.runs: dict[TrainedSetting, dict[int, Trained]] = {}
        for run in results.of(Trained):
            self.runs.setdefault(run.setting, {})[run.seed] = run
        self.seeds = sorted({seed for runs in self.runs.values() for seed in runs})
        self.whole = [setting for setting in self.runs if setting.kept is None]
        self.twins = [
            setting.network
            for setting in self.whole
            if setting.reads == COEFFICIENTS and setting._replace(reads=PIXELS) in self.runs
        ]
        fewer = [setting for setting in self.runs if setting.kept is not None]
        self.selections = [
            Selection(
                network=network,
                counts=tuple(sorted({s.kept or 0 for s in fewer if s.network == network})[::-1]),
                rules=tuple(dict.fromkeys(s.rule or "" for s in fewer if s.network == network)),
            )
            for network in dict.fromkeys(setting.network for setting in fewer)
        ]

    def costs(self, selection: Selection) -> dict[int, Gain]:
        """Gain over all frequencies of each number of them, by the main rule."""
        found = {k: self.cost(selection.setting(k, selection.main_rule)) for k in selection.counts}
        return {kept: gain for kept, gain in found.items() if gain is not None}

    @property
    def unfinished(self) -> str:
        """Which runs are missing beside those that have finished; empty where none."""
        expected = [*self.whole, *(s for each in self.selections for s in each.settings)]
        absent = {s: [x for x in self.seeds if x not in self.runs.get(s, {})] for s in expected}
        states = [f"{s.name}, seeds {listing(seeds)}" for s, seeds in absent.items() if seeds]
        counts = Counter(setting.network for setting in self.runs)
        states += [f"what {s.name} is compared with" for s in self.runs if counts[s.network] == 1]
        return unfinished(states)

    def spread(self, setting: TrainedSetting, value: Callable[[Trained], float]) -> Spread:
        """Summarise a value of the finished runs of a setting."""
        return Spread.of([value(run) for run in self.runs[setting].values()])

    def accuracy(self, setting: TrainedSetting) -> Spread:
        """Test accuracy over seeds."""
        return self.spread(setting, lambda run: run.test_accuracy)

    def rate(self, setting: TrainedSetting) -> Spread:
        """Images a second in training, over seeds."""
        return self.spread(setting, lambda run: run.images / self.epoch_seconds(run))

    def file_bytes(self, setting: TrainedSetting) -> float:
        """Mean bytes of a test file that holds what the network reads, over seeds."""
        return self.spread(setting, lambda run: run.mean_file_bytes).mean

    def saving(self, setting: TrainedSetting) -> float | None:
        """Share of a test file's bytes that goes with the frequencies that are not read."""
        whole = setting._replace(kept=None, rule=None)
        if setting == whole or whole not in self.runs:
            return None
        return 1 - self.file_bytes(setting) / self.file_bytes(whole)

    def gain(self, setting: TrainedSetting, baseline: TrainedSetting) -> Gain | None:
        """Test accuracy over that of another setting, paired by seed; None without a common one."""
        accuracies = [
            {seed: run.test_accuracy for seed, run in self.runs.get(each, {}).items()}
            for each in (setting, baseline)
        ]
        return paired_gain(setting.name, accuracies[0], baseline.name, accuracies[1])

    def both(self, network: str) -> tuple[TrainedSetting, TrainedSetting]:
        """A network on every frequency, and its twin on pixels."""
        return TrainedSetting(network, COEFFICIENTS), TrainedSetting(network, PIXELS)

    def cost(self, setting: TrainedSetting) -> Gain | None:
        """Gain of fewer frequencies over all of them."""
        if setting.kept is None:
            return None
        return self.gain(setting, setting._replace(kept=None, rule=None))

    def small_epochs(self, epochs: int) -> int:
        """How many of the first epochs are on smaller images."""
        return math.ceil(self.small_share * epochs)

    def epoch_seconds(self, run: Trained) -> float:
        """Median time of the epochs on images of full size, of the last where there is none."""
        return median(run.train_seconds[min(self.small_epochs(run.epochs), run.epochs - 1) :])

    def elapsed_seconds(self, run: Trained) -> list[float]:
        """Time at the end of each epoch, were each as long as the median of its image size.

        Machines pause now and then, and one epoch of minutes would shift all after it.
        """
        small = min(self.small_epochs(run.epochs), run.epochs - 1)
        typical = [median(run.train_seconds[:small])] * small if small else []
        typical += [self.epoch_seconds(run)] * (run.epochs - small)
        return list(accumulate(typical))

    def speed_ratios(self, network: str) -> list[float]:
        """Images a second on coefficients divided by those on pixels, one a common seed."""
        ours, theirs = (self.runs.get(setting, {}) for setting in self.both(network))
        return [
            self.epoch_seconds(theirs[seed]) / self.epoch_seconds(run)
            for seed, run in ours.items()
            if seed in theirs
        ]

    def speed(self, network: str) -> str:
        """``1.62 times as many images a second (1.58 to 1.66 over 3 seeds)``."""
        ratios = self.speed_ratios(network)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f} over {quantity(len(ratios), 'seed')}"
        of_seeds = f" ({spread})" if len(ratios) > 1 else " (one seed)"
        return f"{fmean(ratios):.2f} times as many images a second{of_seeds}"

    def twin_sentences(self) -> Iterator[str]:
        """How each network on coefficients does against its twin on pixels."""
        for network in self.twins:
            if gain := self.gain(*self.both(network)):
                yield (
                    f"In test accuracy, {finding(gain)}. Training on coefficients handles "
                    f"{self.speed(network)}, {SHARED}."
                )
