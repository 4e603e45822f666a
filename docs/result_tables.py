"""Parts of the documentation that state results: Markdown from the rows of a results file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bandwise.cli.summary import gain_lines, percent
from bandwise.measures import (
    GUIDED,
    GUIDED_LIBJPEG,
    LEARNED,
    LIBJPEG,
    ONE_TABLE,
    ORIGINAL,
    DivergenceSaving,
    Headline,
    Interval,
    OperatingPoint,
    Point,
    Undefined,
    bound_in_words,
    headline,
    operating_point,
    part_name,
    points_of,
    saving_at_equal_divergence,
)
from bandwise.report import paper
from bandwise.report.adaptive import adaptive_summary, holds_codebooks
from bandwise.report.adaptive.sections.outcome import verdict
from bandwise.report.adaptive.summary import LEVELS, AdaptiveSummary
from bandwise.report.rate_accuracy import holds_points
from bandwise.report.rate_accuracy.codecs import in_order, look_of
from bandwise.report.rate_accuracy.records import main_network, parse_rate_records
from bandwise.report.records import parse_records
from bandwise.report.straight import holds_trained, straight_summary
from bandwise.report.straight.records import Setting
from bandwise.report.straight.sections.outcome import SHARED, speed
from bandwise.report.straight.summary import Selection, StraightSummary
from bandwise.report.summary import Summary, summarise
from bandwise.report.wording import finding

BOUNDS = (0.0, 0.5, 1.0)
"""Columns of the table: points of accuracy that may be lost."""

BOUND = 1.0
"""What the sentences below it speak of."""

COMPARISONS = {
    LEARNED: (LIBJPEG, "mozjpeg", "jpegli", "webp", "avif", "jpeg-xl"),
    GUIDED: (LIBJPEG, GUIDED_LIBJPEG, "mozjpeg", "jpegli", "webp", "avif", "jpeg-xl"),
}
"""Codecs that each of ours is compared with, as far as they were measured."""

TRANSFERS = {LEARNED: (LIBJPEG,), GUIDED: (LIBJPEG, GUIDED_LIBJPEG)}
"""The same where another network looks at the files."""

TINY = 32
"""Side up to which headers and tables are most of a file, so that the payload is stated too."""

MISSED = "†"
NONE = "–"

FIGURES = {
    "mnist": ("accuracy", "bands"),
    "clothing128": ("frozen",),
    "straight-from-jpeg": ("training-resnet", "kept-resnet-small"),
    "adaptive": ("savings", "divergence"),
}
"""Figures of the report that the documentation shows, by the name of the results."""

FIGURE_NAMES = {"frozen": "rate", "training-resnet": "training", "kept-resnet-small": "kept"}
"""Names in docs/figures where they are not the report's."""


def results_part(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown of what a results file says, of whichever kind."""
    if holds_codebooks(rows):
        return adaptive_part(name, rows)
    if holds_trained(rows):
        return straight_part(name, rows)
    return rate_part(name, rows) if holds_points(rows) else training_part(rows)


def figure_path(name: str, figure: str) -> str:
    """Path of a figure of the results called ``name``, from the root."""
    return f"docs/figures/{name}-{FIGURE_NAMES.get(figure, figure)}.png"


def training_part(rows: Sequence[Mapping[str, Any]]) -> str:
    """Test accuracy of each variant, and the gains that the experiment is about."""
    summary = summarise(parse_records(rows))
    return "\n\n".join([accuracy_table(summary), *(f"{line}." for line in gain_lines(summary))])


def accuracy_table(summary: Summary) -> str:
    """Test accuracy of each variant, beside the paper's on its data set."""
    of_paper = paper.ACCURACY if summary.records.experiment.dataset.name == paper.DATASET else {}
    header = ["variant", "seeds", "test accuracy", "gain over static (95 % interval)"]
    rows = [header + ["paper"] * bool(of_paper)]
    for name, variant in summary.variants.items():
        cells = [name, str(len(variant.seeds)), percent(variant.accuracy), ""]
        if (gain := summary.gain(name, "static")) and name != "static":
            cells[3] = f"{100 * gain.mean:+.2f}"
            if gain.interval is not None:
                cells[3] += " ({:+.2f} to {:+.2f})".format(*(100 * end for end in gain.interval))
        if of_paper:
            mean, std = of_paper.get(name, (None, None))
            cells.append("" if mean is None else f"{mean:.2%} ± {std:.2%}")
        rows.append(cells)
    return _table(rows)


def rate_part(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Bytes and accuracy of each codec, what the learned ones save, and the figure."""
    network = main_network(parse_rate_records(rows))
    points = points_of(rows, network=network)
    (original,) = (p for p in points if (p.codec, p.split) == (ORIGINAL, "test"))
    note = (
        f"Bytes an image and accuracy on {len(original.image_correct):,} test images, settings "
        f"chosen on validation; frozen network {network}, originals {original.accuracy:.2%}. "
        f"{MISSED}: more is lost on test. {NONE}: no setting meets the bound on validation. "
        "Intervals are over test images, with the settings as they were chosen."
    )
    parts = [
        bytes_table(points, _payloads(rows, network)),
        note,
        _listed(savings(points, COMPARISONS)),
    ]
    for other in sorted({str(row["network"]) for row in rows if row["record"] == "point"}):
        if other != network:
            parts += _transfer(rows, other, network)
    parts += _retrained(rows, network)
    alt = f"Test accuracy against bytes an image of every codec on {name}, beside the originals'"
    figures = (f"![{alt}]({figure_path(name, figure)})" for figure in FIGURES.get(name, ()))
    return "\n\n".join([*parts, *figures])


def straight_part(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Networks on coefficients and pixels, fewer frequencies, bytes of files, and the figure."""
    summary = straight_summary(rows)
    parts = [twins_table(summary), _listed(_twin_sentences(summary))]
    for selection in summary.selections:
        accuracy, size = "", ""
        if selection.whole in summary.runs:
            accuracy = f" at {percent(summary.accuracy(selection.whole))}"
            size = f" of {summary.file_bytes(selection.whole):,.0f} B"
        parts += [
            f"Test accuracy of {selection.network} on fewer of {summary.frequencies} frequencies "
            f"(in brackets: points above all of them{accuracy}, 95 % interval):",
            kept_table(summary, selection),
            "Mean size of a test file with the others set to zero (in brackets: how much less than "
            f"whole files{size}):",
            file_bytes_table(summary, selection),
        ]
    alts = {
        "training": "Validation accuracy of {} on coefficients and on pixels, by epoch and by time",
        "kept": "Test accuracy of {} by how many frequencies are kept, and by bytes of a file",
    }
    figures = []
    for figure in FIGURES.get(name, ()):
        kind, _, network = figure.partition("-")
        figures.append(f"![{alts[kind].format(network)}]({figure_path(name, figure)})")
    return "\n\n".join([*filter(None, parts), *figures])


def adaptive_part(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """What every way of choosing tables by image saves, how sure that is, and the figures."""
    summary = adaptive_summary(rows)
    original = summary.original()
    accuracy = "" if original is None else f", originals {original.accuracy:.2%}"
    note = (
        f"Test images of {summary.records.rate.facts.dataset_name} "
        f"([results/{name}](../results/{name}/results.jsonl)), settings chosen on validation for "
        f"≤ {bound_in_words(BOUND)} lost; "
        f"frozen network {summary.network}{accuracy}. Means over seeds of learning with their "
        f"standard deviation; fewer bytes than *{part_name(ONE_TABLE)}*, paired by seed, with the "
        f"95 % interval of the mean over seeds. {MISSED}: more is lost on test with some seed. "
        f"{NONE}: not defined."
    )
    alts = {
        "savings": "Bytes saved against one table for all images by every way of choosing",
        "divergence": "Divergence of the network's output against bytes an image",
    }
    figures = (
        f"![{alts[figure]}]({figure_path(name, figure).removeprefix('docs/')})"
        for figure in FIGURES.get(name, ())
    )
    return "\n\n".join([parts_table(summary), note, verdict(summary), *figures])


def parts_table(summary: AdaptiveSummary) -> str:
    """Bytes, accuracy and savings of each way of choosing."""
    titles = ["fewer bytes", "over common accuracies", "at equal divergence"]
    rows = [["tables by", "seeds", "bytes, accuracy", *titles]]
    for family in (*summary.families, *summary.bounds):
        size = summary.size_bytes(family, BOUND)
        accuracy = summary.accuracy(family, BOUND)
        cells = [part_name(family), str(len(summary.seeds_of(family))), NONE]
        if size is not None and accuracy is not None:
            spread = "" if size.std is None else f" ± {size.std:,.0f}"
            mark = "" if summary.holds(family, BOUND) else f" {MISSED}"
            cells[2] = f"{size.mean:,.0f}{spread} B, {percent(accuracy)}{mark}"
        for level in LEVELS:
            gain = summary.gain(family, level)
            if family == ONE_TABLE:
                cells.append("")
            elif gain is None:
                cells.append(NONE)
            else:
                cells.append(f"{100 * gain.mean:.1f} %")
                if gain.interval is not None:
                    cells[-1] += " ({:.1f} to {:.1f})".format(*(100 * e for e in gain.interval))
        rows.append(cells)
    return _table(rows)


def _twin_sentences(summary: StraightSummary) -> Iterator[str]:
    """How each network on coefficients does against its twin on pixels."""
    for network in summary.twins:
        if gain := summary.twin_gain(network):
            yield (
                f"In test accuracy, {finding(gain)}. Training on coefficients handles "
                f"{speed(summary, network)}, {SHARED}."
            )


def twins_table(summary: StraightSummary) -> str:
    """Accuracy and speed of each network on pixels and on every frequency."""
    rows = [["network", "seeds", "test accuracy", "training images/s"]]
    for setting in summary.whole:
        rows.append(
            [
                setting.name,
                str(len(summary.runs[setting])),
                percent(summary.accuracy(setting)),
                f"{summary.rate(setting).mean:,.0f}",
            ]
        )
    return _table(rows)


def kept_table(summary: StraightSummary, selection: Selection) -> str:
    """Test accuracy by number and rule, with the paired difference from all frequencies."""

    def cell(setting: Setting) -> str:
        text = percent(summary.accuracy(setting))
        gain = summary.gain(setting, selection.whole)
        if gain is None:
            return text
        text += f" ({100 * gain.mean:+.2f}"
        if gain.interval is not None:
            text += ", {:+.2f} to {:+.2f}".format(*(100 * end for end in gain.interval))
        return f"{text})"

    return _selection_table(summary, selection, cell)


def file_bytes_table(summary: StraightSummary, selection: Selection) -> str:
    """Mean bytes of test files by number and rule."""

    def cell(setting: Setting) -> str:
        text = f"{summary.file_bytes(setting):,.0f} B"
        saving = summary.saving(setting)
        return text if saving is None else f"{text} ({100 * saving:.1f} %)"

    return _selection_table(summary, selection, cell)


def _selection_table(
    summary: StraightSummary, selection: Selection, cell: Callable[[Setting], str]
) -> str:
    rows = [["frequencies", *(f"by {rule}" for rule in selection.rules)]]
    for kept in selection.counts:
        settings = [selection.setting(kept, rule) for rule in selection.rules]
        rows.append(
            [str(kept), *(cell(each) if each in summary.runs else NONE for each in settings)]
        )
    return _table(rows)


def _transfer(rows: Sequence[Mapping[str, Any]], network: str, learned_for: str) -> list[str]:
    """Savings where a network looks at files that were learned and chosen for another."""
    points = points_of(rows, network=network)
    (original,) = (p for p in points if (p.codec, p.split) == (ORIGINAL, "test"))
    note = (
        f"The same files, learned and chosen for {learned_for}, before the network {network} "
        f"(originals {original.accuracy:.2%}):"
    )
    return [note, _listed(savings(points, TRANSFERS))]


def _retrained(rows: Sequence[Mapping[str, Any]], network: str) -> list[str]:
    """Bytes and savings where the network is trained on with the files that it is shown."""
    points = points_of(rows, network=network, protocol="retrained")
    if not points:
        return []
    (original,) = (p for p in points if (p.codec, p.split) == (ORIGINAL, "test"))
    note = (
        f"With {network} trained on from the same start with the files of each setting, tables and "
        f"network learned together for bandwise, mean of {len(original.seeds)} seeds; trained on "
        f"for as long with originals it has {original.accuracy:.2%}:"
    )
    sentences = savings(points, TRANSFERS, divergence=False)
    return [note, bytes_table(points), _listed(sentences)]


def _listed(sentences: Iterator[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def bytes_table(points: Sequence[Point], payloads: Mapping[str, float] | None = None) -> str:
    """Bytes an image and test accuracy of each codec at each bound.

    ``payloads``: mean bytes without headers and tables, by family and label, to state as well.
    """
    header = ["codec", *(f"≤ {bound_in_words(bound)} lost" for bound in BOUNDS)]
    rows = [header]
    for codec in in_order(point.codec for point in points):
        chosen = (operating_point(points, codec, bound) for bound in BOUNDS)
        rows.append([look_of(codec).label, *(_cell(each, payloads or {}) for each in chosen)])
    return _table(rows)


def _payloads(rows: Sequence[Mapping[str, Any]], network: str) -> dict[str, float]:
    """Mean bytes of a test file without headers and tables, where images are tiny."""
    _, height, width = rows[0]["dataset"]["image_shape"]
    if max(height, width) > TINY:
        return {}
    return {
        f"{row['family']} {row['label']}": row["payload_bytes"] / row["images"]
        for row in rows
        if row["record"] == "point" and row["split"] == "test" and row["network"] == network
        if row.get("payload_bytes") is not None
    }


def savings(
    points: Sequence[Point],
    comparisons: Mapping[str, Sequence[str]],
    *,
    divergence: bool = True,
) -> Iterator[str]:
    """Sentences on what each learned codec saves against those that it is compared with.

    Equal divergence is that from a network's output on originals, which a network that was trained
    on with files does not aim at.
    """
    measured = {point.codec for point in points}
    for candidate, baselines in comparisons.items():
        for baseline in baselines:
            if {candidate, baseline} <= measured:
                found = headline(points, BOUND, candidate=candidate, baseline=baseline)
                equal = None
                if divergence:
                    equal = saving_at_equal_divergence(
                        points, BOUND, candidate=candidate, baseline=baseline
                    )
                yield _sentence(candidate, baseline, found, equal)


def _sentence(
    candidate: str,
    baseline: str,
    found: Headline | Undefined,
    equal: DivergenceSaving | Undefined | None,
) -> str:
    ours, theirs = look_of(candidate).label, look_of(baseline).label
    if isinstance(found, Undefined):
        text = f"{ours} against {theirs}: no saving can be stated, {found.reason}"
    else:
        text = (
            f"**{ours}** needs {_fewer(found.saving)} than {theirs} "
            f"at ≤ {bound_in_words(BOUND)} lost"
        )
    if isinstance(equal, DivergenceSaving):
        text += f", {_share(equal.saving)} at equal divergence"
    if not isinstance(found, Undefined) and not found.holds:
        sides = ((ours, found.candidate), (theirs, found.baseline))
        missed = [f"{label} {side.drop.value:.2f}" for label, side in sides if not side.holds]
        text += f" {MISSED} (points lost on test: {', '.join(missed)})"
    return text + "."


def _cell(chosen: OperatingPoint | Undefined, payloads: Mapping[str, float]) -> str:
    if isinstance(chosen, Undefined):
        return NONE
    mark = "" if chosen.holds else f" {MISSED}"
    payload = payloads.get(f"{chosen.family} {chosen.label}")
    of_which = "" if payload is None else f" (payload {payload:,.0f} B)"
    return f"{chosen.mean_bytes.value:,.0f} B{of_which}, {chosen.accuracy.value:.2%}{mark}"


def _fewer(saving: Interval) -> str:
    """``23.1 % fewer bytes (95 % interval 20.0 to 26.2)``; turned round where it is more."""
    sign = 1 if saving.value >= 0 else -1
    low, high = sorted((sign * saving.low, sign * saving.high))
    return f"{_share(saving.value)} bytes (95 % interval {100 * low:.1f} to {100 * high:.1f} %)"


def _share(saving: float) -> str:
    return f"{100 * abs(saving):.1f} % {'fewer' if saving >= 0 else 'more'}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    header, *rest = rows
    lines = [header, ["---"] * len(header), *rest]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
