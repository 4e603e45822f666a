"""The page of training from JPEG: networks on coefficients and on pixels, and on fewer frequencies.

Each builder makes one section of a `Study`, or None where there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from bandwise.errors import ResultsError
from bandwise.report import training_figures as figures
from bandwise.report.page import Page, Section
from bandwise.report.table import Column, Table
from bandwise.report.training_study import LEARNED, Selection, Study
from bandwise.report.wording import (
    ends,
    gain_in_points,
    p_value,
    percent,
    points,
    seconds,
    signed,
)
from bandwise.results import Results
from bandwise.statistics import Gain, Spread


def page_of(results: Results) -> Page:
    """Put the page together; `ResultsError` where no run has finished."""
    study = Study(results)
    if not study.runs:
        raise ResultsError(
            "no network is trained yet; run the command that wrote these results again, it goes on "
            "from there"
        )
    return Page(
        template="training.html",
        title=f"Training from JPEG on {study.dataset.name}",
        study=study,
        experiment=study.experiment,
        builders=SECTIONS,
    )


def summary(results: Results) -> list[Table | str]:
    """Networks on coefficients and pixels, and on fewer frequencies."""
    study = Study(results)
    items: list[Table | str] = [networks_table(study)] if study.whole else []
    items += ["\n".join(f"- {text}" for text in study.twin_sentences())]
    items += [selection_table(study, selection) for selection in study.selections]
    return [item for item in items if item]


def networks_table(study: Study) -> Table:
    """Accuracy and speed of each network on pixels and on every frequency."""
    return Table(
        title="Networks on every frequency and on pixels",
        columns=[
            Column("network", lambda setting: setting.name),
            Column("seeds", lambda setting: len(study.runs[setting])),
            Column(
                "parameters",
                lambda setting: next(iter(study.runs[setting].values())).parameters,
                "{:,}".format,
            ),
            Column("test accuracy", study.accuracy, percent),
            Column(
                "validation accuracy",
                lambda setting: study.spread(setting, lambda run: run.validation_curve[-1]),
                percent,
            ),
            Column("training images/s", study.rate, _rate),
            Column(
                "time an epoch",
                lambda setting: study.spread(setting, study.epoch_seconds).mean,
                seconds,
            ),
        ],
        items=study.whole,
    )


def selection_table(study: Study, selection: Selection) -> Table:
    """Accuracy and bytes by number of frequencies and rule, against all of them."""
    settings = [each for each in (selection.whole, *selection.settings) if each in study.runs]
    whole = f"all {study.frequencies}"
    return Table(
        title=f"{selection.network} by number of frequencies and rule",
        columns=[
            Column("frequencies", lambda each: whole if each.kept is None else each.inputs),
            Column("seeds", lambda each: len(study.runs[each])),
            Column("test accuracy", study.accuracy, percent),
            Column(
                "minus that of all, points (95 % interval)", study.cost, gain_in_points, absent=""
            ),
            Column("bytes a test file", study.file_bytes, "{:,.0f}".format),
            Column("fewer bytes, %", study.saving, lambda share: signed(100 * share), absent=""),
        ],
        items=settings,
    )


def _rate(spread: Spread) -> str:
    return f"{spread.mean:,.0f}" + ("" if spread.std is None else f" ± {spread.std:,.0f}")


def outcome(study: Study) -> Section:
    """Say what was trained and what came out."""
    sentences = [text for each in study.selections for text in study.rule_sentences(each)]
    return Section("outcome", "What came out", {"sentences": sentences})


def twins(study: Study) -> Section | None:
    """Every network on pixels or all frequencies, and each compared with its twin."""
    if not study.whole:
        return None

    def extremes(network: str) -> str | None:
        ratios = study.speed_ratios(network)
        return f"{min(ratios):.2f} to {max(ratios):.2f}" if len(ratios) > 1 else None

    gains = {network: gain for network in study.twins if (gain := study.twin_gain(network))}
    compared = Table(
        title="Coefficients against pixels, paired by seed",
        columns=[
            Column("network", str),
            Column("common seeds", lambda network: len(gains[network].seeds)),
            Column("test accuracy, points", lambda network: gains[network].mean, points),
            Column("95 % interval", lambda network: gains[network].interval, ends),
            Column("p", lambda network: p_value(gains[network])),
            Column(
                "images a second, ratio",
                lambda network: fmean(study.speed_ratios(network)),
                "{:.2f}".format,
            ),
            Column("lowest to highest seed", extremes),
        ],
        items=gains,
    )
    content = {"table": networks_table(study), "compared": compared if gains else None}
    return Section("twins", "Coefficients and pixels", content)


def curves(study: Study) -> Section | None:
    """Validation accuracy of twins by epoch and by time."""
    drawn = {network: figures.training_curves(study, network) for network in study.twins}
    return Section("training", "Training", {"figures": drawn}) if drawn else None


def kept(study: Study) -> Section | None:
    """Accuracy and bytes by number and rule."""
    if not study.selections:
        return None
    parts = []
    for selection in study.selections:
        others = [rule for rule in selection.rules if rule != LEARNED]

        def over(rule: str, each: Selection = selection) -> Callable[[int], Gain | None]:
            return lambda k: study.gain(each.setting(k, LEARNED), each.setting(k, rule))

        rules = Table(
            title=f"Test accuracy of {LEARNED} minus that of other rules, points (95 % interval)",
            columns=[
                Column("frequencies", str),
                *(Column(f"{LEARNED} − {rule}", over(rule), gain_in_points) for rule in others),
            ],
            items=selection.counts,
        )
        figure = figures.kept_accuracy(study, selection)
        compared = rules if others and LEARNED in selection.rules else None
        parts.append((selection, figure, selection_table(study, selection), compared))
    return Section("kept", "Fewer frequencies", {"parts": parts})


def chosen(study: Study) -> Section | None:
    """Maps of the frequencies that are kept."""
    maps = [(each, figures.kept_frequencies(study, each)) for each in study.selections]
    return Section("chosen", "Which frequencies are kept", {"maps": maps}) if maps else None


SECTIONS = (outcome, twins, curves, kept, chosen)
"""In the order of the page; what may be concluded and the provenance follow."""
