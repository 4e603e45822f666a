"""The page of the paper's experiment: band weights that are static, learned, or controls.

Each builder makes one section of a `Study`, or None where there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

import numpy as np

from bandwise.frequency.bands import Bands
from bandwise.report import paper_figures as figures
from bandwise.report import wording
from bandwise.report.page import Page, Section
from bandwise.report.paper_figures import VARIANTS, Weighting
from bandwise.report.table import Column, Table
from bandwise.results import Epoch, Results, Run
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


class Study:
    """Epochs and finished runs by variant, in the order of ``VARIANTS``; other variants are left.

    Only finished runs count in statistics. Accuracies and gains are shares.
    """

    def __init__(self, results: Results) -> None:
        self.experiment = results.experiment
        self.dataset = results.experiment.dataset
        self.on_paper_data = self.dataset.name == PAPER_DATASET
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

    def spreads(self, variant: str, values: Callable[[Run], Sequence[float]]) -> list[Spread]:
        """Summarise each of several values of the finished runs of a variant."""
        of_runs = [values(run) for run in self.runs[variant].values()]
        return [Spread.of(each) for each in zip(*of_runs, strict=True)]

    def weights(self, variant: str) -> list[Spread]:
        """Band weights at the best epoch, over seeds."""
        return self.spreads(variant, lambda run: run.band_weights)

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
        return wording.unfinished(states)


def epochs_of(run: Run) -> float:
    """Epochs of a run."""
    return run.epochs


def seconds_of(run: Run) -> float:
    """Training time of a run."""
    return run.train_seconds


def seconds_an_epoch(run: Run) -> float:
    """Training time of an epoch."""
    return run.train_seconds / run.epochs


CITATION = "Adaptive frequency band learning for task-specific neural network compression"

MAX_TABLE_BANDS = 64


def page_of(results: Results) -> Page:
    """Put the page together."""
    study = Study(results)
    return Page(
        template="paper.html",
        title=f"Band weights on {study.dataset.name}",
        study=study,
        experiment=study.experiment,
        builders=SECTIONS,
    )


def summary(results: Results) -> list[Table | str]:
    """Accuracy and time of each variant, the gain and the ratio of times."""
    study = Study(results)
    items: list[Table | str] = [variants_table(study)] if study.runs else []
    if gain := study.gain("adaptive", "static"):
        items.append(f"{wording.gain_line(gain)}.")
    return items


def variants_table(study: Study) -> Table:
    """Accuracy, gain over static and time of each variant, beside the paper's on its data set."""
    columns = [
        Column("variant", lambda name: VARIANTS[name].label),
        Column("seeds", lambda name: len(study.runs[name])),
        Column("test accuracy", study.accuracy, wording.percent),
        Column(
            "gain over static (95 % interval)",
            lambda name: study.gain(name, "static") if name != "static" else None,
            wording.gain_in_points,
            absent="",
        ),
        Column("paper", PAPER_ACCURACY.get, wording.percent, absent=""),
        Column("lowest band ÷ mean", study.lowest_band, "{:.2f}".format),
        Column("epochs", lambda name: study.mean(name, epochs_of), "{:.0f}".format),
        Column("training time", lambda name: study.mean(name, seconds_of), wording.seconds),
        Column("an epoch", lambda name: study.mean(name, seconds_an_epoch), wording.seconds),
    ]
    if not study.on_paper_data:
        del columns[4]
    ratio, an_epoch = study.time_ratio(), study.time_ratio(of_epochs=True)
    return Table(
        title="Test accuracy by variant",
        columns=columns,
        items=study.runs,
        note=f"Training time adaptive ÷ static: {an_epoch:.2f} an epoch, {ratio:.2f} a run."
        if ratio
        else "",
    )


def outcome(study: Study) -> Section:
    """Say what was run and what came out."""
    table = variants_table(study) if study.runs else None
    return Section("outcome", "What came out", {"table": table})


def beside_paper(study: Study) -> Section | None:
    """What the paper reports on the same data set."""
    if not study.on_paper_data or study.gain("adaptive", "static") is None:
        return None
    theirs = {"gain": PAPER_GAIN, "seconds": PAPER_SECONDS, "ratio": PAPER_TIME_RATIO}
    return Section("paper", "Beside the paper", {"citation": CITATION, **theirs})


def gains(study: Study) -> Section | None:
    """Paired gains over static, and over no weighting."""
    over_static = study.gains_over("static")
    over_none = study.gains_over("none", ("adaptive", "mean-one", "static"))
    listed = [*over_static.values(), *over_none.values()]
    if not listed:
        return None
    table = Table(
        title="Differences in test accuracy, paired by seed",
        columns=[
            Column("", lambda gain: f"{gain.variant} − {gain.baseline}"),
            Column("points", lambda gain: gain.mean, wording.points),
            Column("95 % interval", lambda gain: gain.interval, wording.ends),
            Column("p", wording.p_value),
            Column("seeds", lambda gain: len(gain.seeds)),
        ],
        items=listed,
    )
    drawn = {name: gain for name, gain in over_static.items() if VARIANTS[name].comparable}
    reference = PAPER_GAIN if study.on_paper_data else None
    content = {
        "drawn": drawn.values(),
        "figure": figures.gains(drawn, reference=reference) if drawn else None,
        "hidden": study.labels(over_static, comparable=False),
        "table": table,
        "counts": sorted({len(gain.seeds) for gain in listed if gain.interval is not None}),
    }
    return Section("gain", "The gain", content)


def controls(study: Study) -> Section | None:
    """What the controls say about the gain."""
    names = [name for name in study.runs if name not in PAPER_ACCURACY]
    if not names:
        return None
    compared = {
        "Leaving the weights out altogether": ("none", "static"),
        "Learning them, against leaving them out": ("adaptive", "none"),
        "Learning them at equal scale, against leaving them out": ("mean-one", "none"),
        "Without the reconstruction term": ("task-only", "adaptive"),
        "Without the task": ("reconstruction-only", "adaptive"),
    }
    found = {remark: gain for remark, pair in compared.items() if (gain := study.gain(*pair))}
    if rivals := study.gains_over("adaptive", names):
        best = max(rivals.values(), key=lambda gain: gain.mean)
        found["The control that does best beside adaptive"] = best
    return Section("controls", "What the gain is made of", {"gains": found})


def training(study: Study) -> Section | None:
    """Curves by epoch."""
    if not study.epochs:
        return None
    last = [epochs[-1] for by_seed in study.epochs.values() for epochs in by_seed.values()]
    tested = any(epoch.test_accuracy is not None for epoch in last)
    content = {
        "losses": figures.losses(study.epochs),
        "accuracy": figures.accuracies(study.epochs) if tested else None,
    }
    return Section("training", "Training", content)


def classes(study: Study) -> Section | None:
    """Accuracy of each class."""
    if not study.runs:
        return None
    names = study.dataset.classes
    columns = [
        Column(
            VARIANTS[name].label,
            study.spreads(name, lambda run: run.test_per_class).__getitem__,
            wording.percent,
        )
        for name in study.runs
    ]
    table = Table(
        title="Test accuracy by class (mean ± sample standard deviation over seeds)",
        columns=[Column("class", names.__getitem__), *columns],
        items=range(len(names)),
    )
    return Section("classes", "Classes", {"table": table})


def weights(study: Study) -> Section | None:
    """How the band weights moved, and where they ended."""
    moved = {name: by_seed for name, by_seed in study.epochs.items() if VARIANTS[name].learned}
    ended = {
        VARIANTS[name].label: study.weighting(name) for name in study.runs if VARIANTS[name].learned
    }
    table = None
    if study.runs and study.bands.count <= MAX_TABLE_BANDS:
        spreads = {name: study.weights(name) for name in study.runs if name != "none"}
        coefficients = np.bincount(study.bands.plane.ravel(), minlength=study.bands.count)
        table = Table(
            title="Band weights at the best epoch (mean ± sample standard deviation over seeds)",
            columns=[
                Column("band", lambda k: k + 1),
                Column("coefficients", coefficients.__getitem__),
                *(
                    Column(VARIANTS[name].label, each.__getitem__, wording.plain)
                    for name, each in spreads.items()
                ),
            ],
            items=range(study.bands.count),
        )
    if not moved and table is None and not ended:
        return None
    content = {
        "moved": study.labels(moved),
        "histories": figures.weight_histories(moved) if moved else None,
        "ended": list(ended),
        "planes": figures.band_planes(ended) if ended else None,
        "table": table,
    }
    return Section("weights", "Band weights", content)


SECTIONS = (
    outcome,
    beside_paper,
    gains,
    controls,
    training,
    classes,
    weights,
)
"""In the order of the page; what may be concluded and the provenance follow."""
