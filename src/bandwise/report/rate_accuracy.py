"""The page of a rate–accuracy experiment: bytes of files against what a network makes of them.

Each builder makes one section of a `Study`, or None where there is nothing to show.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from bandwise.errors import ResultsError
from bandwise.frequency.tables import TableSet
from bandwise.report import rate_figures as figures
from bandwise.report.page import Page, Section
from bandwise.report.rate_figures import look_of, setting_words
from bandwise.report.rate_study import (
    CHOSEN_BY_IMAGE,
    HEADLINE_BOUND,
    Study,
    defined,
)
from bandwise.report.style import looks_of
from bandwise.report.table import ABSENT, Column, Table
from bandwise.report.wording import MISSED, above_originals, saved, seconds
from bandwise.results import (
    GUIDED,
    LEARNED,
    ORIGINAL,
    Example,
    LearnedTables,
    Learning,
    Measurement,
    Results,
)
from bandwise.statistics import Headline, OperatingPoint
from bandwise.wording import bound_in_words, quantity

TINY = 32
"""Side up to which headers and tables are most of a file, so that the payload is stated too."""

MAX_EXAMPLES = 8
SMALL_PIXELS = 100 * 100
"""Smaller images are enlarged with sharp edges, so that their pixels are seen."""


def page_of(results: Results) -> Page:
    """Put the page together; `ResultsError` where nothing is measured on test yet."""
    study = Study(results)
    if not study.codecs:
        begun = sum(each.codec != ORIGINAL for each in study.measured)
        raise ResultsError(
            f"nothing is measured on the test images yet, and {quantity(begun, 'setting')} on "
            "validation; run the command that wrote these results again, it goes on from there"
        )
    return Page(
        template="rate_accuracy.html",
        title=f"Bytes and accuracy on {study.dataset.name}",
        study=study,
        experiment=study.experiment,
        builders=SECTIONS,
    )


def summary(results: Results, *, bound: float = HEADLINE_BOUND) -> list[Table | str]:
    """Bytes and accuracy of each codec, what ours save, also with other and retrained networks.

    Savings are those where at most ``bound`` percentage points are lost on validation.
    """
    study = Study(results, bound=bound)
    items: list[Table | str] = [bytes_table(study, note=True), _bullets(study.sentences())]
    if not study.comparisons:
        items.append("No profile was measured, so nothing is compared.")
    for other in study.others:
        items += [
            f"The same files, learned and chosen for {study.network}, before the network "
            f"{other.network} ({_originals(other)}):",
            _bullets(other.sentences(short=True)),
        ]
    if study.retrained.codecs:
        items += [
            f"With {study.network} trained on from the same start with the files of each setting, "
            "tables and network learned together for bandwise, mean of "
            f"{quantity(study.retrained.seeds, 'seed')} (trained on for as long with those: "
            f"{_originals(study.retrained)}):",
            bytes_table(study.retrained),
            _bullets(study.retrained.sentences(short=True)),
        ]
    return [item for item in items if item]


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _originals(study: Study) -> str:
    return "" if study.original is None else f"originals {100 * study.original.accuracy:.2f} %"


def bytes_table(study: Study, *, note: bool = False) -> Table:
    """Bytes an image and test accuracy of each codec at each bound."""

    def chosen(bound: float) -> Callable[[str], OperatingPoint | None]:
        return lambda codec: study.choice(codec, bound)

    def written(choice: OperatingPoint) -> str:
        setting = study.find(choice.codec, choice.family, choice.label)
        payload = ""
        if tiny and setting and setting.payload_bytes is not None:
            payload = f" (payload {setting.payload_bytes / setting.images:,.0f} B)"
        mark = "" if choice.holds else MISSED
        size = f"{choice.mean_bytes.value:,.0f} B{payload}"
        return f"{size}, {100 * choice.accuracy.value:.2f} %{mark}"

    tiny = max((study.dataset.image_shape or (0, TINY + 1))[1:]) <= TINY
    return Table(
        title="Bytes an image and accuracy on test, settings chosen on validation",
        columns=[
            Column("codec", lambda codec: look_of(codec).label),
            *(Column(f"≤ {bound_in_words(b)} lost", chosen(b), written) for b in study.bounds),
        ],
        items=study.codecs,
        note=f"On {study.images:,} test images; {study.protocol} network {study.network}, "
        f"{_originals(study)}.{MISSED}: more is lost on test. {ABSENT}: no setting meets the "
        "bound on validation. Intervals are over test images, with the settings as they were "
        "chosen."
        if note
        else "",
    )


def savings_tables(study: Study) -> list[Table]:
    """What each of our codecs saves instead of each other one."""
    columns = [
        Column("instead of", lambda pair: look_of(pair[1]).label),
        *(Column(f"≤ {bound_in_words(b)}", _saving(study, b), saved) for b in study.bounds),
        Column("at equal divergence", _at_equal_divergence(study), saved),
        Column(
            "over the common range of accuracy",
            lambda pair: study.common_range(*pair),
            saved,
            absent="undefined",
        ),
    ]
    return [
        Table(
            title=f"Fewer bytes of {look_of(candidate).label} than of each other codec, % "
            "(95 % interval)",
            columns=columns,
            items=[(candidate, baseline) for baseline in baselines],
        )
        for candidate, baselines in study.comparisons.items()
    ]


def _saving(study: Study, bound: float) -> Callable[[tuple[str, str]], Headline | None]:
    return lambda pair: defined(study.saving(*pair, bound))


def _at_equal_divergence(study: Study) -> Callable[[tuple[str, str]], float | None]:
    return lambda pair: study.equal_divergence(*pair)


def outcome(study: Study) -> Section:
    """Say what was measured and what came out."""
    savings = {bound: defined(study.main_saving(bound=bound)) for bound in study.bounds}
    return Section(
        "outcome",
        "What came out",
        {
            "codecs": [look_of(codec).label for codec in study.codecs],
            "guided": any(codec in CHOSEN_BY_IMAGE for codec in study.codecs),
            "savings": {bound: saving for bound, saving in savings.items() if saving},
            "sentences": list(study.sentences()),
        },
    )


def sizes(study: Study) -> Section | None:
    """Bytes and accuracy of each codec at each bound, and what learned tables save."""
    choices = [
        choice
        for bound in study.bounds
        for codec in study.codecs
        if (choice := study.choice(codec, bound)) is not None
    ]
    if not choices:
        return None

    def measured(choice: OperatingPoint) -> Measurement:
        found = study.find(choice.codec, choice.family, choice.label)
        assert found is not None
        return found

    def payload(choice: OperatingPoint) -> float | None:
        found = measured(choice)
        return None if found.payload_bytes is None else found.payload_bytes / found.images

    table = Table(
        title="The settings that were chosen",
        columns=[
            Column("bound", lambda choice: choice.bound, bound_in_words),
            Column("setting", lambda c: setting_words(c.codec, c.family, c.label), words=True),
            Column("bytes an image", lambda choice: choice.mean_bytes.value, "{:,.0f}".format),
            Column("payload bytes", payload, "{:,.0f}".format),
            Column("bits per pixel", lambda c: measured(c).bits_per_pixel, "{:.3f}".format),
            Column("test accuracy minus the originals', points", above_originals),
        ],
        items=choices,
    )
    tables = [bytes_table(study, note=True), *savings_tables(study)]
    return Section("bytes", "Bytes at equal accuracy", {"tables": tables, "choices": table})


def _picture(study: Study) -> dict[str, Any] | None:
    """Accuracy against bytes: the figure, what it draws and what it shades."""
    curves = study.curves()
    if not curves:
        return None
    accuracy = None if study.original is None else study.original.accuracy
    return {
        "figure": figures.accuracy_curves(curves, accuracy, study.bounds[1:]),
        "drawn": [curve.look.label for curve in curves],
        "shaded": [curve.look.label for curve in curves if curve.ends is not None],
    }


def frozen(study: Study) -> Section | None:
    """Curves of a network that was trained on originals."""
    diverging = [curve for curve in study.curves() if curve.divergences]
    return Section(
        "frozen",
        "Frozen network",
        {
            "accuracy": _picture(study),
            "divergence": figures.divergence_curves(diverging) if diverging else None,
            "diverging": [curve.look.label for curve in diverging],
        },
    )


def retrained(study: Study) -> Section | None:
    """Curves of networks that were trained further on compressed images."""
    if not study.retrained.codecs:
        return None
    return Section(
        "retrained",
        "Retrained network",
        {
            "accuracy": _picture(study.retrained),
            "tables": [bytes_table(study.retrained), *savings_tables(study.retrained)],
        },
    )


def examples(study: Study) -> Section | None:
    """Images beside each other, each the file itself."""
    found = study.results.of(Example)
    if not found:
        return None
    files = {(each.index, each.codec): each for each in found}
    codecs = [codec for codec in (ORIGINAL, *study.codecs) if any(codec == c for _, c in files)]
    settings = {each.codec: (each.codec, each.family, each.setting_label) for each in found}
    rows = {
        index: [files.get((index, codec)) for codec in codecs]
        for index in list(dict.fromkeys(each.index for each in found))[:MAX_EXAMPLES]
    }
    return Section(
        "examples",
        "Single images",
        {
            "settings": [setting_words(*settings[codec]) for codec in codecs],
            "measured": [study.find(*settings[codec]) for codec in codecs],
            "rows": rows.values(),
            "small": any(each.pixels / each.images < SMALL_PIXELS for each in study.tested),
            "source": lambda each: (
                f"data:{each.media_type};base64,{base64.b64encode(each.data).decode()}"
            ),
        },
    )


def tables(study: Study) -> Section | None:
    """Learned tables beside those of libjpeg for files of the same size, and the importance."""
    profile = study.shown_profile
    if profile is None:
        return None
    important = next(
        (
            each
            for each in (profile, *study.results.of(LearnedTables))
            if each.importance and any(plane.max() > 0 for plane in each.importance.values())
        ),
        None,
    )
    ours = study.find(LEARNED, profile.family, profile.label)
    theirs = ours and study.libjpeg_of_size(ours.mean_bytes, profile.subsampling)
    if theirs is None and important is None:
        return None
    beside = None
    if theirs is not None:
        quality = theirs.setting["quality"]
        titles = "learned", f"libjpeg q{quality}"
        beside = figures.tables_beside(profile.tables, TableSet.ijg(quality), titles)
    content = {
        "profile": profile,
        "setting": setting_words(LEARNED, profile.family, profile.label),
        "ours": ours,
        "theirs": theirs,
        "beside": beside,
        "important": important,
        "importance": important and figures.importance(important.importance or {}),
    }
    return Section("tables", "What was learned", content)


def transfer(study: Study) -> Section | None:
    """Savings and curves on every other network."""
    if not study.others:
        return None
    seen = [study, *study.others]
    pairs = [
        (candidate, baseline)
        for candidate, baselines in study.comparisons.items()
        for baseline in baselines
        if any(baseline in other.comparisons.get(candidate, ()) for other in study.others)
    ]
    columns = [
        Column("comparison", lambda p: f"{look_of(p[0]).label} instead of {look_of(p[1]).label}")
    ]
    for each in seen:
        title = f"{each.network}: ≤ {bound_in_words(study.bound)}"
        columns += [
            Column(title, _saving(each, study.bound), saved),
            Column("at equal divergence", _at_equal_divergence(each), saved),
        ]
    table = Table(
        title="Fewer bytes on each network, % (95 % interval)", columns=columns, items=pairs
    )
    pictures = [(other.network, _picture(other)) for other in study.others]
    return Section(
        "transfer",
        "Transfer to another network",
        {"table": table, "pictures": pictures, "seen": seen, "guided": GUIDED in study.codecs},
    )


def estimates(study: Study) -> Section | None:
    """Estimated against real payload bytes."""
    found = [
        each
        for each in study.tested
        if each.estimated_payload_bytes is not None and each.payload_bytes is not None
    ]
    if not found:
        return None
    families = list(dict.fromkeys(each.family for each in found))
    errors = [abs(figures.estimate_error(each)) for each in found]
    return Section(
        "estimates",
        "Estimated and real bytes",
        {
            "figure": figures.estimates(found, looks_of(families)),
            "families": families,
            "errors": errors,
            "tolerance": figures.TOLERANCE_PERCENT,
            "inside": sum(error <= figures.TOLERANCE_PERCENT for error in errors),
        },
    )


def learning(study: Study) -> Section | None:
    """What learning took."""
    entries = study.results.of(Learning)
    table = Table(
        title="Time to learn",
        columns=[
            Column("way of learning", lambda entry: entry.family),
            Column("network", lambda entry: entry.network),
            Column("images", lambda entry: entry.images, "{:,}".format),
            Column("time", lambda entry: entry.seconds, seconds),
            Column(
                "settings",
                lambda entry: ", ".join(f"{name} {v}" for name, v in entry.settings.items()),
                words=True,
            ),
        ],
        items=entries,
    )
    return Section("learning", "Learning time", {"table": table}) if entries else None


SECTIONS = (
    outcome,
    sizes,
    frozen,
    retrained,
    examples,
    tables,
    transfer,
    estimates,
    learning,
)
"""In the order of the page; what may be concluded and the provenance follow."""
