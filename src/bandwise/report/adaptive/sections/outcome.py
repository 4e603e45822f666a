"""The headline: what tables for each image save against one table, and whether that was the aim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bandwise.measures import (
    GUIDED,
    ONE_TABLE,
    ORACLE,
    Headline,
    bound_in_words,
    part_name,
    quantity,
)
from bandwise.report.adaptive.summary import BOUND, EQUAL_DIVERGENCE, TARGET, AdaptiveSummary, Level
from bandwise.report.blocks import Block, Points, Section, Text, Tile, Tiles
from bandwise.report.rate_accuracy.sections import unfinished as untested
from bandwise.report.rate_accuracy.sections.savings import interval, percent
from bandwise.report.rate_accuracy.summary import RateSummary
from bandwise.report.summary import Gain
from bandwise.report.wording import listing, points, sentence

WITHIN = bound_in_words(BOUND)

KNOWS = {
    GUIDED: "the network asked for each image",
    ORACLE: "an oracle that knows the labels",
}
"""What the bounds are."""


def verdict(summary: AdaptiveSummary) -> str:
    """Say what choosing by image saves, whether the target is met, and how much there was."""
    where = (
        f"on {summary.records.rate.facts.dataset_name}, with the frozen network {summary.network} "
        f"and at most {WITHIN} below the originals"
    )
    against = f"against {part_name(ONE_TABLE)} for all images"
    if amounts := list(_amounts(summary, BOUND)):
        sentences = [sentence(f"{where}, {against}, {listing(amounts)}")]
    else:
        sentences = [sentence(f"{where}, no saving {against} can be stated")]
    sentences += [target(summary)]
    if equal := list(_amounts(summary, EQUAL_DIVERGENCE)):
        sentences.append(sentence(f"at equal divergence, {listing(equal)}"))
    sentences += _recovered(summary)
    sentences += failures(summary)
    return " ".join(sentences)


def target(summary: AdaptiveSummary) -> str:
    """Say whether the target is met at the bound, and what speaks against it where it is."""
    aim = f"The target of {100 * TARGET:g} % fewer bytes at ≤ {WITHIN}"
    gains = [gain for family in summary.candidates if (gain := summary.gain(family, BOUND))]
    if not gains:
        return f"{aim} cannot be judged."
    doubts = {gain.variant: _doubts(summary, gain) for gain in gains if gain.mean >= TARGET}
    if not doubts:
        return f"{aim} is missed."
    sure = [family for family, against in doubts.items() if not against]
    names = listing(part_name(family) for family in sure or doubts)
    if sure:
        return f"{aim} is met by {names}."
    return (
        f"{aim} is met by {names} with the settings that validation chose, but this does not show "
        f"that it can be relied on: {listing(_by_doubt(doubts))}."
    )


def _by_doubt(doubts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what speaks against savings, and for which families where it is not all of them."""
    for doubt in dict.fromkeys(doubt for against in doubts.values() for doubt in against):
        families = [family for family, against in doubts.items() if doubt in against]
        whose = listing(part_name(family) for family in families)
        yield doubt if len(families) == len(doubts) else f"{doubt} (by {whose})"


def _doubts(summary: AdaptiveSummary, gain: Gain) -> list[str]:
    """What speaks against a saving at the bound."""
    equal = summary.gain(gain.variant, EQUAL_DIVERGENCE)
    doubts = []
    if gain.interval is None or gain.interval[0] < TARGET:
        doubts.append("no interval over seeds excludes less")
    if not all(summary.holds(name, BOUND) for name in (ONE_TABLE, gain.variant)):
        doubts.append("the bound is missed on test")
    if equal is None or equal.mean < TARGET:
        doubts.append("at equal divergence it is missed")
    return doubts


def headline(summary: AdaptiveSummary) -> Section:
    """Say what was measured and what came out."""
    dataset = summary.records.rate.facts.dataset
    ran = (
        f"Every one of {quantity(dataset['test'], 'test image')} was written as a JPEG file with "
        f"tables chosen for it, decoded and shown to the network {summary.network}. A codebook "
        "has a ladder of tables, from large files to small, for each kind of image; a rate means "
        "that a policy gives each image a rung of its ladder by what statistics of its pixels say, "
        "without network or label; a continuous rate has tables between the rungs as well, and "
        "with a scale all are one table scaled. Without a rate all images get the same rung. "
        f"Learned with {_seeds(summary)}; the setting of each way of choosing is the one with the "
        "fewest bytes on the validation images among those that keep the accuracy there within a "
        "bound below that on originals."
    )
    blocks: list[Block] = [Text(ran)]
    if missing := unfinished(summary):
        blocks.append(Text(missing))
    levels: dict[Level, str] = {BOUND: f"≤ {WITHIN}", EQUAL_DIVERGENCE: "equal divergence"}
    tiles = [
        Tile(
            f"{part_name(family)}, {named}",
            f"{'+' if gain.mean < 0 else ''}{percent(-gain.mean)} %",
            f"bytes against {part_name(ONE_TABLE)}; {evidence(summary, family, level)}",
        )
        for family in summary.candidates
        for level, named in levels.items()
        if (gain := summary.gain(family, level)) is not None
    ]
    if tiles:
        blocks.append(Tiles(tiles))
    others = [
        sentence(f"{part_name(family)} needs {text}")
        for family in summary.families
        if family not in summary.candidates and (text := amount(summary, family, BOUND))
        if family != ONE_TABLE
    ]
    if others:
        blocks += [Text(f"The other ways of choosing at ≤ {WITHIN}:"), Points(others)]
    return Section(anchor="outcome", title="What came out", blocks=blocks)


def unfinished(summary: AdaptiveSummary) -> str:
    """Say what is not tested yet beside what is; empty where nothing is missing."""
    states = [untested(RateSummary(summary.records.rate, summary.network))]
    if missing := summary.missing:
        each = (
            f"{part_name(family)}, {'seed' if len(seeds) == 1 else 'seeds'} {listing(seeds)}"
            for family, seeds in missing.items()
        )
        states.append(f"Not tested yet: {'; '.join(each)}.")
    return " ".join(filter(None, states))


def amount(summary: AdaptiveSummary, family: str, level: Level) -> str:
    """``12.1 % fewer bytes (95 % interval 9.8 to 14.4 % over 3 seeds)``; empty if undefined."""
    gain = summary.gain(family, level)
    if gain is None:
        return ""
    return f"{_share(gain)} bytes ({evidence(summary, family, level)})"


def _amounts(summary: AdaptiveSummary, level: Level) -> Iterator[str]:
    """Yield `amount` of every candidate; intervals of the kind of the first are numbers alone."""
    before = None
    for family in summary.candidates:
        gain = summary.gain(family, level)
        if gain is None:
            continue
        kind = len(gain.seeds) if gain.interval is not None else None
        text = f"needs {amount(summary, family, level)}"
        if kind is not None and kind == before:
            text = f"{_share(gain)} ({_ends(gain)} %)"
        before = kind
        yield f"{part_name(family)} {text}"


def _share(gain: Gain) -> str:
    return f"{percent(abs(gain.mean))} % {'fewer' if gain.mean >= 0 else 'more'}"


def _ends(gain: Gain) -> str:
    """Ends of the interval of a saving, or of what is needed more."""
    assert gain.interval is not None
    low, high = sorted(end if gain.mean >= 0 else -end for end in gain.interval)
    return f"{percent(low)} to {percent(high)}"


def evidence(summary: AdaptiveSummary, family: str, level: Level) -> str:
    """Interval of a saving: over seeds, or over test images where there is one seed."""
    gain = summary.gain(family, level)
    assert gain is not None
    sign = 1 if gain.mean >= 0 else -1
    seeds = quantity(len(gain.seeds), "seed")
    if gain.interval is not None:
        return f"95 % interval {_ends(gain)} % over {seeds}"
    if len(gain.seeds) == 1 and not isinstance(level, str):
        found = summary.headline(family, level, gain.seeds[0])
        if isinstance(found, Headline):
            return f"95 % interval {interval(found.saving, sign)} % over test images, one seed"
    return f"{seeds}, so no interval" if len(gain.seeds) == 1 else f"{seeds} alike"


def failures(summary: AdaptiveSummary) -> list[str]:
    """Say where the bound that held on validation does not hold on test."""
    failed = [
        f"{part_name(family)} at {listing(points(-each.drop.value / 100) for each in missed)}"
        for family in (ONE_TABLE, *summary.candidates)
        if (missed := [c for c in summary.choices(family, BOUND).values() if not c.holds])
    ]
    if not failed:
        return []
    return [f"The bound was met on validation but is missed on test, by {listing(failed)} points."]


def _recovered(summary: AdaptiveSummary) -> Iterator[str]:
    """Say what there was to save, each where it is sensible, and how much of it is recovered."""
    levels: dict[str, tuple[Level, str]] = {
        ORACLE: (BOUND, f"at ≤ {WITHIN}"),
        GUIDED: (EQUAL_DIVERGENCE, "at equal divergence"),
    }
    for name, (level, named) in levels.items():
        if text := amount(summary, name, level):
            shares = [
                f"{part_name(family)} recovers {f'{percent(share)} %' if share > 0 else 'nothing'}"
                for family in summary.candidates
                if (share := summary.recovered(family, name, level)) is not None
            ]
            of_which = f", of which {listing(shares)}" if shares else ""
            yield sentence(f"{KNOWS[name]} needs {text} {named}{of_which}")


def _seeds(summary: AdaptiveSummary) -> str:
    return f"{'seed' if len(summary.seeds) == 1 else 'seeds'} {listing(summary.seeds)}"
