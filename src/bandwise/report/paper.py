"""The page of the paper's experiment: band weights that are static, learned, or controls.

Each builder makes one section of a `Study`, or None where there is nothing to show.
"""

from __future__ import annotations

import numpy as np

from bandwise.report import paper_figures as figures
from bandwise.report import wording
from bandwise.report.page import Page, Section
from bandwise.report.paper_figures import VARIANTS
from bandwise.report.paper_study import (
    PAPER_ACCURACY,
    PAPER_GAIN,
    PAPER_SECONDS,
    PAPER_TIME_RATIO,
    Study,
    epochs_of,
    seconds_an_epoch,
    seconds_of,
)
from bandwise.report.table import Column, Table
from bandwise.results import Results
from bandwise.statistics import Spread

CITATION = "Adaptive frequency band learning for task-specific neural network compression"

MAX_TABLE_BANDS = 64


def _mean_percent(spread: Spread) -> str:
    return f"{100 * spread.mean:.2f}"


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
    by_class = {name: study.per_class(name) for name in study.runs}
    drawn = {name: spreads for name, spreads in by_class.items() if VARIANTS[name].comparable}
    if not drawn:
        return None
    names = study.dataset.classes
    columns = [
        Column(VARIANTS[name].label, spreads.__getitem__, _mean_percent)
        for name, spreads in by_class.items()
    ]
    table = Table(
        title="Test accuracy by class, % (mean over seeds)",
        columns=[Column("class", names.__getitem__), *columns],
        items=range(len(names)),
    )
    figure = figures.class_accuracies(names, drawn)
    return Section(
        "classes", "Classes", {"figure": figure, "table": table, "most": figures.MAX_CLASSES}
    )


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


def images(study: Study) -> Section | None:
    """Test images and their spectra after weighting."""
    weightings = {
        VARIANTS[name].label: study.weighting(name) for name in study.runs if name != "none"
    }
    shape = study.dataset.image_shape or ()
    if not study.samples or not weightings or study.bands.shape != shape[1:]:
        return None
    content = {
        "variants": list(weightings),
        "images": figures.weighted_images(study.samples, weightings),
        "spectra": figures.weighted_spectra(study.samples, weightings),
    }
    return Section("images", "What single images look like", content)


SECTIONS = (
    outcome,
    beside_paper,
    gains,
    controls,
    training,
    classes,
    weights,
    images,
)
"""In the order of the page; what may be concluded and the provenance follow."""
