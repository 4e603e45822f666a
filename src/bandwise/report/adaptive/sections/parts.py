"""Part by part: what codebook, scale and rate save, and how much there was to save."""

from __future__ import annotations

from bandwise.measures import (
    GUIDED,
    ONE_TABLE,
    ORACLE,
    Headline,
    bound_in_words,
    part_name,
    setting_in_words,
)
from bandwise.report.adaptive import figures
from bandwise.report.adaptive.sections.outcome import KNOWS, WITHIN
from bandwise.report.adaptive.summary import (
    BOUND,
    BOUNDS,
    EQUAL_DIVERGENCE,
    LEVELS,
    AdaptiveSummary,
    Level,
)
from bandwise.report.blocks import Block, Picture, Section, Table, Text
from bandwise.report.rate_accuracy.sections.savings import (
    MISSED,
    amount_cell,
    difference,
    percent,
)
from bandwise.report.summary import Gain, Spread
from bandwise.report.wording import ABSENT, listing

NOTE = (
    "Means ± sample standard deviations over seeds of learning. Savings pair both sides by seed; "
    "the interval is that of their mean by Student's t and covers what learning draws at random, "
    "not the choice of test images, which the table seed by seed covers. "
    f"{MISSED.strip()}: with at least one seed the bound, met on validation, is missed on test. "
    "Which setting meets a bound on validation is chance of a few images, and a saving at a bound "
    "has that chance on both sides. Over common accuracies: BD-rate with its sign turned, the mean "
    "over the test accuracies that both sides reach of log-bytes, whatever was chosen; undefined "
    "where the ranges hardly overlap. At equal divergence: where the network's output differs as "
    f"much from that on originals as with one table chosen for ≤ {WITHIN}, interpolated between "
    "settings; it varies less from "
    "sample to sample than accuracy does. What needs the network or the labels at the encoder is "
    "of one seed, and is there to say how much could be saved. An oracle has no sensible "
    "divergence: it is after right decisions, whatever becomes of the output."
)

RECOVERED_NOTE = (
    "What a policy saves ÷ what is saved by asking the network, or by knowing the labels, with the "
    "same ladder: (B_one − B_policy) ÷ (B_one − B_bound), B being bytes an image. All of the one "
    "seed that the bounds were measured with. The oracle keeps the smallest file that is decided "
    "rightly, luck included: a file may be decided rightly by chance where the original is not, so "
    "that no policy can come near it."
)


def parts_section(summary: AdaptiveSummary) -> Section:
    """Every way of choosing: bytes, accuracy, and savings against one table."""
    names = [*summary.families, *summary.bounds]
    picture = Picture(
        name="savings",
        title="Bytes saved against one table for all images",
        alt=f"Saving in percent of {listing(part_name(n) for n in names if n != ONE_TABLE)}, at "
        f"most {WITHIN} below the originals, over common accuracies and at equal divergence.",
        caption="Short dashes are seeds of learning, dots their mean, lines the 95 % interval of "
        "the mean, cut where they are wide. Grey: what needs the network or the labels at the "
        "encoder.",
        figure=figures.savings(summary),
    )
    return Section(
        anchor="parts",
        title="What each part saves",
        blocks=[picture, _parts(summary, names), Text(NOTE), _at_bounds(summary, names)],
    )


def bounds_section(summary: AdaptiveSummary) -> Section | None:
    """How much of what could be saved the policies recover; then every seed for itself."""
    blocks: list[Block] = []
    if summary.bounds:
        blocks += [_recovered(summary), Text(RECOVERED_NOTE)]
    return Section(
        anchor="bounds",
        title="What there was to save" if summary.bounds else "Seed by seed",
        blocks=[*blocks, _by_seed(summary)],
    )


def _parts(summary: AdaptiveSummary, names: list[str]) -> Table:
    rows = [
        [
            part_name(name),
            str(len(summary.seeds_of(name))),
            bytes_cell(summary.size_bytes(name, BOUND)),
            accuracy_cell(summary, name, BOUND),
            *(
                "" if name == ONE_TABLE else gain_cell(summary.gain(name, level))
                for level in LEVELS
            ),
        ]
        for name in names
    ]
    return Table(
        caption=f"At ≤ {WITHIN}, settings chosen on validation",
        head=[
            "tables by",
            "seeds",
            "bytes an image",
            "test accuracy",
            f"fewer bytes at ≤ {WITHIN}, %\n(95 % interval)",
            "over common accuracies, %\n(95 % interval)",
            "at equal divergence, %\n(95 % interval)",
        ],
        rows=rows,
    )


def _at_bounds(summary: AdaptiveSummary, names: list[str]) -> Table:
    head = ["tables by"]
    for bound in BOUNDS:
        head += [f"≤ {bound_in_words(bound)}: bytes an image", "test accuracy"]
    rows = []
    for name in names:
        rows.append([part_name(name)])
        for bound in BOUNDS:
            rows[-1] += [
                bytes_cell(summary.size_bytes(name, bound)),
                accuracy_cell(summary, name, bound),
            ]
    return Table(caption="Bytes and accuracy at each bound", head=head, rows=rows)


def _recovered(summary: AdaptiveSummary) -> Table:
    sensible: tuple[tuple[str, Level, str], ...] = (
        (GUIDED, BOUND, f"≤ {WITHIN}"),
        (GUIDED, EQUAL_DIVERGENCE, "equal divergence"),
        (ORACLE, BOUND, f"≤ {WITHIN}"),
    )
    columns = [
        (name, level, f"{KNOWS[name]}, {named}")
        for name, level, named in sensible
        if name in summary.bounds
    ]
    rows = [
        [part_name(family), *(share_cell(summary.recovered(family, n, at)) for n, at, _ in columns)]
        for family in summary.families
        if family != ONE_TABLE
    ]
    whole = ["fewer bytes than one table, %"]
    seed = summary.first_seed
    whole += [share_cell(summary.saving(name, level, seed)) for name, level, _ in columns]
    return Table(
        caption=f"Share that is recovered, %, seed {seed}",
        head=["tables by", *(text for _, _, text in columns)],
        rows=[whole, *rows],
    )


def _by_seed(summary: AdaptiveSummary) -> Table:
    rows = []
    for name in (*summary.families, *summary.bounds):
        for seed, choice in summary.choices(name, BOUND).items():
            found = summary.headline(name, BOUND, seed)
            saving = found.saving if isinstance(found, Headline) and name != ONE_TABLE else None
            setting = setting_in_words(part_name(choice.family), choice.label)
            rows.append(
                [
                    setting,
                    str(seed),
                    f"{choice.mean_bytes.value:,.0f}",
                    f"{100 * choice.accuracy.value:.2f} %{'' if choice.holds else MISSED}",
                    difference(choice),
                    "" if saving is None else amount_cell(saving),
                ]
            )
    return Table(
        caption=f"Seed by seed: settings chosen for ≤ {WITHIN}, intervals over test images",
        head=[
            "setting",
            "seed",
            "bytes an image",
            "test accuracy",
            "minus the originals', points",
            "fewer bytes than one table, %\n(95 % interval)",
        ],
        rows=rows,
    )


def bytes_cell(spread: Spread | None) -> str:
    """Bytes as ``1,012 ± 8``; n/a where no setting meets the bound."""
    if spread is None:
        return ABSENT
    return f"{spread.mean:,.0f}" + ("" if spread.std is None else f" ± {spread.std:,.0f}")


def accuracy_cell(summary: AdaptiveSummary, family: str, bound: float) -> str:
    """Accuracy as ``81.20 ± 0.30 %``, marked where the bound is missed on test."""
    spread = summary.accuracy(family, bound)
    if spread is None:
        return ABSENT
    deviation = "" if spread.std is None else f" ± {100 * spread.std:.2f}"
    mark = "" if summary.holds(family, bound) else MISSED
    return f"{100 * spread.mean:.2f}{deviation} %{mark}"


def gain_cell(gain: Gain | None) -> str:
    """Saving in percent, its interval over seeds on a line of its own."""
    if gain is None:
        return ABSENT
    if gain.interval is None:
        return percent(gain.mean)
    low, high = gain.interval
    return f"{percent(gain.mean)}\n({percent(low)} to {percent(high)})"


def share_cell(share: float | None) -> str:
    """A share in percent, n/a without one."""
    return ABSENT if share is None else percent(share)
