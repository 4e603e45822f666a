"""Statistics of the paper's experiment, and what the paper reports."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from statistics import fmean

from bandwise.frequency.bands import Bands
from bandwise.report.paper_figures import VARIANTS, Weighting
from bandwise.report.wording import listing
from bandwise.results import Epoch, Results, Run, Sample
from bandwise.statistics import Gain, Spread, paired_gain
from bandwise.wording import quantity

PAPER_DATASET = "mnist"
PAPER_SEEDS = 3
PAPER_ACCURACY = {
    "static": Spread(0.9558, 0.0012, PAPER_SEEDS),
    "adaptive": Spread(0.9679, 0.0008, PAPER_SEEDS),
}
PAPER_GAIN, PAPER_TIME_RATIO = 0.0121, 2.9
PAPER_SECONDS = {"static": 827.0, "adaptive": 2395.0}
PAPER_BANDS = ("radial", 8)
PAPER_SETTINGS = {
    "epochs": 30,
    "batch_size": 128,
    "network_lr": 0.01,
    "momentum": 0.9,
    "band_lr": 0.001,
    "reconstruction_weight": 0.1,
    "validation_fraction": 0.2,
}
"""What the paper reports, for MNIST; accuracies and gain as shares."""

COMMAND_SETTINGS = (
    "epochs",
    "batch_size",
    "network_lr",
    "band_lr",
    "reconstruction_weight",
    "patience",
)
"""Settings that are options of the command of the same name; a null is written as 0."""


class Study:
    """Epochs and finished runs by variant, in the order of ``VARIANTS``; other variants are left.

    Only finished runs count in statistics. Accuracies and gains are shares.
    """

    def __init__(self, results: Results) -> None:
        self.experiment = results.experiment
        self.dataset = results.experiment.dataset
        self.on_paper_data = self.dataset.name == PAPER_DATASET
        self.samples = results.of(Sample)
        assert self.experiment.bands is not None
        self.bands: Bands = self.experiment.bands
        self.epochs: dict[str, dict[int, list[Epoch]]] = {}
        self.runs: dict[str, dict[int, Run]] = {}
        for name in VARIANTS:
            for epoch in results.of(Epoch):
                if epoch.variant == name:
                    self.epochs.setdefault(name, {}).setdefault(epoch.seed, []).append(epoch)
            if found := {run.seed: run for run in results.of(Run) if run.variant == name}:
                self.runs[name] = dict(sorted(found.items()))
        self.started = [name for name in VARIANTS if name in self.epochs or name in self.runs]
        self.seeds = sorted(
            {epoch.seed for epoch in results.of(Epoch)} | {run.seed for run in results.of(Run)}
        )

    def spread(self, variant: str, value: Callable[[Run], float]) -> Spread:
        """Summarise a value of the finished runs of a variant."""
        return Spread.of([value(run) for run in self.runs[variant].values()])

    def mean(self, variant: str, value: Callable[[Run], float]) -> float:
        """Mean of a value over the finished runs of a variant."""
        return self.spread(variant, value).mean

    def accuracy(self, variant: str) -> Spread:
        """Test accuracy over seeds."""
        return self.spread(variant, lambda run: run.test_accuracy)

    def per_class(self, variant: str) -> list[Spread]:
        """Test accuracy of each class, over seeds."""
        return [
            Spread.of(accuracies)
            for accuracies in zip(
                *(run.test_per_class for run in self.runs[variant].values()), strict=True
            )
        ]

    def weights(self, variant: str) -> list[Spread]:
        """Band weights at the best epoch, over seeds."""
        return [
            Spread.of(weights)
            for weights in zip(
                *(run.band_weights for run in self.runs[variant].values()), strict=True
            )
        ]

    def weighting(self, variant: str) -> Weighting:
        """The bands with the means of their weights."""
        return Weighting(self.bands, [weight.mean for weight in self.weights(variant)])

    def lowest_band(self, variant: str) -> float:
        """Weight of the lowest band divided by the mean weight."""
        means = self.weighting(variant).weights
        return means[0] / fmean(means)

    def gain(self, variant: str, baseline: str) -> Gain | None:
        """Test accuracy over that of a baseline, paired by seed; None without a common one."""
        accuracies = [
            {seed: run.test_accuracy for seed, run in self.runs.get(name, {}).items()}
            for name in (variant, baseline)
        ]
        names = [VARIANTS[name].label for name in (variant, baseline)]
        return paired_gain(names[0], accuracies[0], names[1], accuracies[1])

    def gains_over(self, baseline: str, variants: Iterable[str] = VARIANTS) -> dict[str, Gain]:
        """Gain of each of some other variants, as far as there is one."""
        found = {name: self.gain(name, baseline) for name in variants if name != baseline}
        return {name: gain for name, gain in found.items() if gain is not None}

    def time_ratio(self, *, of_epochs: bool = False) -> float | None:
        """Training time of adaptive divided by that of static; None where one is missing."""
        if not PAPER_ACCURACY.keys() <= self.runs.keys():
            return None
        value = seconds_an_epoch if of_epochs else seconds_of
        static, adaptive = (self.mean(name, value) for name in PAPER_ACCURACY)
        return adaptive / static if static > 0 else None

    def labels(self, variants: Iterable[str], *, comparable: bool | None = None) -> list[str]:
        """Names of variants, of those alone that belong on an axis with others or do not."""
        looks = [VARIANTS[name] for name in variants]
        return [look.label for look in looks if comparable in (None, look.comparable)]

    @property
    def smallest_weight(self) -> float | None:
        """Smallest mean weight of any variant."""
        found = [weight.mean for name in self.runs for weight in self.weights(name)]
        return min(found, default=None)

    @property
    def best_at_chance(self) -> float | None:
        """Best accuracy, where it is little above that of naming one class always."""
        found = [self.accuracy(name).mean for name in self.runs if VARIANTS[name].comparable]
        best = max(found, default=None)
        return best if best is not None and best <= 1 / len(self.dataset.classes) + 0.1 else None

    @property
    def unfinished(self) -> str:
        """Which runs have begun and not finished; empty where none."""
        states = [
            f"{VARIANTS[name].label}, seed {seed} (epoch {epochs[-1].epoch})"
            for name, by_seed in self.epochs.items()
            for seed, epochs in by_seed.items()
            if seed not in self.runs.get(name, {})
        ]
        if not states:
            return ""
        return (
            f"Not finished: {listing(states)}. Figures by epoch show what is there; tables and "
            "comparisons count finished runs only."
        )

    @property
    def paper_differences(self) -> list[str]:
        """Settings that differ from the paper's."""
        settings = self.experiment.settings
        found = [
            f"{name} {settings[name]} (paper: {value})"
            for name, value in PAPER_SETTINGS.items()
            if settings.get(name, value) != value
        ]
        if (self.bands.kind, self.bands.count) != PAPER_BANDS:
            kind, count = PAPER_BANDS
            found.append(f"{self.bands.count} {self.bands.kind} bands (paper: {count} {kind})")
        if len(self.seeds) != PAPER_SEEDS:
            found.append(f"{quantity(len(self.seeds), 'seed')} (paper: {PAPER_SEEDS})")
        return found

    @property
    def elsewhere(self) -> list[str]:
        """Runs that were made with other versions, data or on another machine."""
        expected = {
            "versions": self.experiment.versions,
            "machine": self.experiment.machine,
            "data_sha256": self.dataset.sha256,
        }
        return [
            f"{VARIANTS[name].label}, seed {seed}"
            for name, runs in self.runs.items()
            for seed, run in runs.items()
            if any(run.provenance.get(key, value) != value for key, value in expected.items())
        ]

    @property
    def command(self) -> str:
        """Command of the experiment, every setting written out."""
        experiment, options = self.experiment, self.dataset.options or {}
        command = ["bandwise", experiment.recipe, "--dataset", self.dataset.name]
        if size := options.get("image_size"):
            command += ["--image-size", str(size[0])]
        if colour := options.get("colour"):
            command += ["--colour", colour]
        command += ["--seeds", *map(str, self.seeds)]
        if set(self.started) == set(VARIANTS):
            command.append("--controls")
        elif not set(self.started) <= PAPER_ACCURACY.keys():
            command += ["--variants", *self.started]
        command += ["--bands", str(self.bands.count)]
        for name in COMMAND_SETTINGS:
            if name in experiment.settings:
                value = experiment.settings[name]
                command += [f"--{name.replace('_', '-')}", "0" if value is None else str(value)]
        return f"{shlex.join(command)} --out DIR"


def epochs_of(run: Run) -> float:
    """Epochs of a run."""
    return run.epochs


def seconds_of(run: Run) -> float:
    """Training time of a run."""
    return run.train_seconds


def seconds_an_epoch(run: Run) -> float:
    """Training time of an epoch."""
    return run.train_seconds / run.epochs
