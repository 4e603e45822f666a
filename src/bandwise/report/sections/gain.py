"""The gain over static, and what the controls say it is made of."""

from __future__ import annotations

from bandwise.measures import quantity
from bandwise.report import figures, paper
from bandwise.report.blocks import Block, Picture, Points, Section, Table, Text
from bandwise.report.summary import Gain, Summary
from bandwise.report.variants import CONTROLS, EXTENSIONS, VARIANTS
from bandwise.report.wording import (
    finding,
    interval,
    listing,
    p_value,
    percent,
    points,
    sentence,
)


def gain_section(summary: Summary) -> Section | None:
    """Paired gains over static, and over no weighting."""
    over_static = list(summary.gains_over("static"))
    over_none = [
        gain
        for name in ("adaptive", "mean-one", "static")
        if (gain := summary.gain(name, "none")) is not None
    ]
    over_adaptive = [
        gain for name in EXTENSIONS if (gain := summary.gain(name, "adaptive")) is not None
    ]
    listed = [*over_static, *over_adaptive, *over_none]
    if not listed:
        return None
    blocks: list[Block] = []
    if gain := summary.gain("adaptive", "static"):
        blocks.append(Text(sentence(finding(gain))))
    drawn = [gain for gain in over_static if VARIANTS[gain.variant].comparable]
    if drawn:
        blocks.append(_gain_picture(summary, drawn))
    rows = [
        [
            f"{VARIANTS[gain.variant].label} − {VARIANTS[gain.baseline].label}",
            points(gain.mean),
            interval(gain),
            p_value(gain),
            str(len(gain.seeds)),
        ]
        for gain in listed
    ]
    blocks.append(
        Table(
            caption="Differences in test accuracy, paired by seed",
            head=["", "points", "95 % interval", "p", "seeds"],
            rows=rows,
        )
    )
    blocks.append(Text(_test_note(listed)))
    return Section(anchor="gain", title="The gain", blocks=blocks)


def controls_section(summary: Summary) -> Section | None:
    """What each control changes, and what the controls say about the gain."""
    names = [name for name in summary.variants if name in CONTROLS]
    if not names:
        return None
    table = Table(
        caption="Every variant, and how it differs",
        head=["variant", "test accuracy", "lowest band ÷ mean", "seeds", "how it differs"],
        rows=[
            [
                VARIANTS[name].label,
                percent(item.accuracy),
                f"{item.lowest_band:.2f}",
                str(len(item.seeds)),
                VARIANTS[name].meaning,
            ]
            for name, item in summary.variants.items()
        ],
        text_columns=frozenset({4}),
    )
    count = summary.records.experiment.bands.count
    blocks: list[Block] = [
        Text(
            "Adaptive differs from static in more than one way: its weights see the task, they see "
            "the reconstruction term, and they change the scale of the network's input. The "
            f"controls take these apart. With K = {count} bands, static divides every coefficient "
            f"by {count}."
        ),
        table,
        Points(_control_findings(summary)),
    ]
    return Section(anchor="controls", title="What the gain is made of", blocks=blocks)


def _gain_picture(summary: Summary, gains: list[Gain]) -> Picture:
    on_papers_data = paper.applies_to(summary.records.experiment.dataset.name)
    reference = paper.GAIN if on_papers_data else None
    with_interval = any(gain.interval is not None for gain in gains)
    left_out = [
        VARIANTS[gain.variant].label
        for gain in summary.gains_over("static")
        if not VARIANTS[gain.variant].comparable
    ]
    return Picture(
        name="gain",
        title="Gain in test accuracy over static",
        alt="; ".join(f"{VARIANTS[gain.variant].label} {points(gain.mean)}" for gain in gains),
        caption="Large marks are means, small strokes single seeds"
        + (", lines 95 % intervals of the mean." if with_interval else ".")
        + (f" Not drawn: {listing(left_out)}." if left_out else ""),
        figure=figures.gains(gains, reference=reference),
    )


def _test_note(gains: list[Gain]) -> str:
    counts = sorted({len(gain.seeds) for gain in gains if gain.interval is not None})
    if not counts:
        return "No interval or p-value: they need two seeds in common with unequal differences."
    freedom = listing(
        f"{quantity(count, 'seed')} give {count - 1} "
        f"{'degree' if count == 2 else 'degrees'} of freedom"
        for count in counts
    )
    return (
        f"Two-sided paired t-tests: {freedom}, so intervals are wide and a p-value says little "
        "about a small effect."
        if counts[-1] <= 5
        else f"Two-sided paired t-tests: {freedom}."
    )


def _control_findings(summary: Summary) -> list[str]:
    """What each control says, as far as its runs are there."""
    findings = []

    def state(variant: str, baseline: str, remark: str) -> None:
        if gain := summary.gain(variant, baseline):
            findings.append(sentence(f"{remark}: {finding(gain)}"))

    state("none", "static", "Leaving the weights out altogether")
    state("adaptive", "none", "Learning them, against leaving them out")
    state("mean-one", "none", "Learning them at equal scale, against leaving them out")
    state("task-only", "adaptive", "Without the reconstruction term")
    state("reconstruction-only", "adaptive", "Without the task")
    rivals = [gain for gain in summary.gains_over("adaptive") if gain.variant in CONTROLS]
    if rivals:
        best = max(rivals, key=lambda gain: gain.mean)
        findings.append(sentence(f"The control that does best beside adaptive: {finding(best)}"))
    if shuffled := summary.variants.get("shuffled"):
        chance = 1 / len(summary.records.experiment.dataset.classes)
        text = (
            f"With shuffled labels accuracy is {percent(shuffled.accuracy)} (one class in "
            f"{len(summary.records.experiment.dataset.classes)} is {100 * chance:.1f} %), and the "
            f"lowest band ends at {shuffled.lowest_band:.2f} times the mean weight"
        )
        if learned := summary.variants.get("adaptive"):
            text += f"; with true labels at {learned.lowest_band:.2f} times"
        findings.append(f"{text}.")
    return findings
