"""Fewer frequencies: what they cost in accuracy, what they save in bytes, and which they are."""

from __future__ import annotations

from bandwise.report.blocks import Block, Picture, Section, Table, Text
from bandwise.report.straight import figures, heatmaps
from bandwise.report.straight.records import Setting
from bandwise.report.straight.summary import LEARNED, Selection, StraightSummary
from bandwise.report.wording import ABSENT, interval, listing, percent, points

RULES = {
    LEARNED: "importance keeps those without which the output of a network that was trained on "
    "all of them, with the same seed, would change most",
    "energy": "energy keeps those with the largest mean square over the training images",
    "zigzag": "zigzag keeps the first ones of each component in zigzag order, whatever the images",
}
"""What each rule does."""


def kept_section(summary: StraightSummary) -> Section | None:
    """Accuracy and bytes by number and rule."""
    if not summary.selections:
        return None
    blocks: list[Block] = []
    for selection in summary.selections:
        meanings = "; ".join(RULES[rule] for rule in selection.rules if rule in RULES)
        blocks += [
            Text(
                f"{selection.network} was trained anew on fewer of {summary.frequencies} "
                f"frequencies{f': {meanings}' if meanings else ''}. Luma's mean is always kept."
            ),
            _picture(summary, selection),
            _table(summary, selection),
        ]
        if LEARNED in selection.rules and len(selection.rules) > 1:
            blocks.append(_rules_table(summary, selection))
    blocks.append(
        Text(
            "Test accuracies are means ± sample standard deviations over seeds; differences are "
            "paired by seed, with 95 % intervals of a paired t-test. Bytes are those of the test "
            "files, written anew with the same tables and integers, the other frequencies set to "
            "zero, each in the smallest container, headers included; whole files are written in "
            "the same way. The network's output is the same on both."
        )
    )
    return Section(anchor="kept", title="Fewer frequencies", blocks=blocks)


def chosen_section(summary: StraightSummary) -> Section | None:
    """Maps of the frequencies that are kept."""
    pictures = [
        Picture(
            name=f"chosen-{selection.network}",
            title=f"Frequencies that {selection.network} reads",
            alt=f"Which of {summary.frequencies} frequencies are kept by "
            f"{listing(selection.rules)}, for {listing(selection.counts)} of them.",
            caption="An 8×8 map a component, the zero frequency at its top left, horizontal "
            "frequencies to the right. The darker, the more seeds keep the frequency; only "
            "importance can differ between seeds.",
            figure=heatmaps.kept_frequencies(summary, selection),
        )
        for selection in summary.selections
    ]
    title = "Which frequencies are kept"
    return Section(anchor="chosen", title=title, blocks=pictures) if pictures else None


def _picture(summary: StraightSummary, selection: Selection) -> Picture:
    return Picture(
        name=f"kept-{selection.network}",
        title=f"Test accuracy of {selection.network} on fewer frequencies",
        alt=f"Test accuracy against the number of frequencies kept and against bytes a file, by "
        f"{listing(selection.rules)}.",
        caption="Symbols are means over seeds, short dashes the seeds, whiskers 95 % intervals of "
        "the mean by Student's t; the tables have those of paired differences. On the left, rules "
        "are moved apart a little so that their whiskers can be seen.",
        figure=figures.kept_accuracy(summary, selection),
    )


def _table(summary: StraightSummary, selection: Selection) -> Table:
    settings = [
        selection.whole,
        *(selection.setting(kept, rule) for kept in selection.counts for rule in selection.rules),
    ]
    return Table(
        caption=f"{selection.network} by number of frequencies and rule",
        head=[
            "frequencies",
            "seeds",
            "test accuracy",
            "minus that of all, points",
            "95 % interval",
            "bytes a test file",
            "fewer bytes, %",
        ],
        rows=[_row(summary, each, selection) for each in settings if each in summary.runs],
    )


def _row(summary: StraightSummary, setting: Setting, selection: Selection) -> list[str]:
    gain = None if setting.kept is None else summary.gain(setting, selection.whole)
    saving = None if setting.kept is None else summary.saving(setting)
    return [
        f"all {summary.frequencies}" if setting.kept is None else setting.inputs,
        str(len(summary.runs[setting])),
        percent(summary.accuracy(setting)),
        *(("", "") if gain is None else (points(gain.mean), interval(gain))),
        f"{summary.file_bytes(setting):,.0f}",
        "" if saving is None else f"{100 * saving:.1f}".replace("-", "−"),
    ]


def _rules_table(summary: StraightSummary, selection: Selection) -> Table:
    """Importance minus every other rule, at every number."""
    others = [rule for rule in selection.rules if rule != LEARNED]
    rows = []
    for kept in selection.counts:
        cells = [str(kept)]
        for rule in others:
            gain = summary.gain(selection.setting(kept, LEARNED), selection.setting(kept, rule))
            cells.append(ABSENT if gain is None else f"{points(gain.mean)}\n({interval(gain)})")
        rows.append(cells)
    return Table(
        caption=f"Test accuracy of {LEARNED} minus that of other rules, points (95 % interval)",
        head=["frequencies", *(f"{LEARNED} − {rule}" for rule in others)],
        rows=rows,
    )
