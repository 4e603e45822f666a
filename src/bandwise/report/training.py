"""The page of training from JPEG: networks on coefficients and on pixels, and on fewer frequencies.

Each builder makes one section of a `Study`, or None where there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
from bandwise.results import Results, TrainedSetting
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
    items.append("\n".join(f"- {text}" for text in study.twin_sentences()))
    for selection in study.selections:
        items += selection_tables(study, selection)
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


def selection_tables(study: Study, selection: Selection) -> list[Table]:
    """Accuracy and bytes by number of frequencies and by rule, against all of them."""

    def accuracy(setting: TrainedSetting) -> str:
        gain = study.cost(setting)
        return percent(study.accuracy(setting)) + (f"\n{gain_in_points(gain)}" if gain else "")

    def size(setting: TrainedSetting) -> str:
        saving = study.saving(setting)
        less = "" if saving is None else f" ({signed(100 * saving)} %)"
        return f"{study.file_bytes(setting):,.0f} B{less}"

    at, of = "", ""
    if selection.whole in study.runs:
        at = f" at {percent(study.accuracy(selection.whole))}"
        of = f" of {study.file_bytes(selection.whole):,.0f} B"
    titles = {
        f"Test accuracy of {selection.network} on fewer of {study.frequencies} frequencies (then "
        f"points above all of them{at}, 95 % interval)": accuracy,
        "Mean size of a test file with the others set to zero (in brackets: how much less than "
        f"whole files{of})": size,
    }
    return [
        Table(
            title=title,
            columns=[
                Column("frequencies", str),
                *(
                    Column(f"by {rule}", partial(_trained, study, selection, rule), write)
                    for rule in selection.rules
                ),
            ],
            items=selection.counts,
        )
        for title, write in titles.items()
    ]


def _trained(study: Study, selection: Selection, rule: str, kept: int) -> TrainedSetting | None:
    setting = selection.setting(kept, rule)
    return setting if setting in study.runs else None


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
        parts.append((selection, figure, selection_tables(study, selection), compared))
    return Section("kept", "Fewer frequencies", {"parts": parts})


def chosen(study: Study) -> Section | None:
    """Maps of the frequencies that are kept."""
    maps = [(each, figures.kept_frequencies(study, each)) for each in study.selections]
    return Section("chosen", "Which frequencies are kept", {"maps": maps}) if maps else None


SECTIONS = (outcome, twins, curves, kept, chosen)
"""In the order of the page; what may be concluded and the provenance follow."""
