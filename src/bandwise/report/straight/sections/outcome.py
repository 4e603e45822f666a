"""The headline: coefficients against pixels, and how many frequencies are needed."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from bandwise.measures import quantity
from bandwise.report.blocks import Block, Points, Section, Text, Tile, Tiles
from bandwise.report.straight.records import COEFFICIENTS, PIXELS, Setting
from bandwise.report.straight.summary import Selection, StraightSummary
from bandwise.report.summary import Gain
from bandwise.report.wording import evidence, finding, listing, percent, points, sentence

SHARED = "by the clock on a machine that several runs shared"


def verdict(summary: StraightSummary) -> str:
    """Say how coefficients and pixels compare, and what fewer frequencies cost."""
    sentences = [text for network in summary.twins for text in _of_twins(summary, network)]
    for selection in summary.selections:
        sentences += _of_selection(summary, selection)
    return " ".join(sentences) or "No finished run can be compared with another yet."


def headline(summary: StraightSummary) -> Section:
    """Say what was trained and what came out."""
    dataset = summary.records.facts.dataset
    ran = (
        f"Networks were trained from scratch on {dataset['train']:,} JPEG files of "
        f"{len(dataset['classes'])} classes, with "
        f"{'seed' if len(summary.seeds) == 1 else 'seeds'} {listing(summary.seeds)}, and tested on "
        f"{dataset['test']:,} others. On coefficients, a network reads what entropy decoding gives "
        "(no inverse transform, no colour conversion, no resampling) and is augmented there; its "
        "twin on pixels is of the same kind and about the same size, on the same files, decoded."
    )
    blocks: list[Block] = [Text(ran)]
    tiles = [tile for network in summary.twins for tile in _tiles(summary, network)]
    if tiles:
        blocks.append(Tiles(tiles))
    details = [text for each in summary.selections for text in _details(summary, each)]
    if details:
        blocks.append(Points(details))
    if missing := unfinished(summary):
        blocks.append(Text(missing))
    return Section(anchor="outcome", title="What came out", blocks=blocks)


def unfinished(summary: StraightSummary) -> str:
    """Say which runs are missing beside those that have finished; empty where none."""
    states = [
        f"{setting.name}, {'seed' if len(seeds) == 1 else 'seeds'} {listing(seeds)}"
        for setting, seeds in summary.missing.items()
    ]
    states += [f"what {setting.name} is compared with" for setting in summary.alone]
    if not states:
        return ""
    return (
        f"Not finished: {'; '.join(states)}. Tables and comparisons count finished runs only, "
        "paired comparisons the seeds that both sides have."
    )


def speed(summary: StraightSummary, network: str) -> str:
    """``1.62 times as many images a second (1.58 to 1.66 over 3 seeds)``."""
    ratios = summary.speed_ratios(network)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} over {quantity(len(ratios), 'seed')}"
    of_seeds = f" ({spread})" if len(ratios) > 1 else " (one seed)"
    return f"{fmean(ratios):.2f} times as many images a second{of_seeds}"


def _of_twins(summary: StraightSummary, network: str) -> list[str]:
    ours, theirs = Setting(network, COEFFICIENTS), Setting(network, PIXELS)
    gain = summary.gain(ours, theirs)
    if gain is None:
        return [f"No finished seed of {ours.name} is shared with {theirs.name}."]
    where = f"in test accuracy on {summary.records.facts.dataset_name}"
    accuracies = f"{percent(summary.accuracy(ours))} and {percent(summary.accuracy(theirs))}"
    rates = f"{summary.rate(ours).mean:,.0f} against {summary.rate(theirs).mean:,.0f}"
    return [
        sentence(f"{where}, {finding(gain)}, with {accuracies}"),
        sentence(f"training on coefficients handles {speed(summary, network)}: {rates}, {SHARED}"),
    ]


def _of_selection(summary: StraightSummary, selection: Selection) -> list[str]:
    """What fewer frequencies cost and save, in one sentence; none where nothing compares."""
    gains = _costs(summary, selection)
    if not gains:
        return []
    rule = selection.main_rule
    savings = (summary.saving(selection.setting(kept, rule)) or 0 for kept in gains)
    sure = [kept for kept, gain in gains.items() if gain.direction]
    if all(gain.interval is None for gain in gains.values()):
        evidence_of_all = "without an interval to judge by"
    else:
        zero = "the 95 % interval excludes zero with"
        evidence_of_all = f"{zero} {listing(sure)}" if sure else f"{zero} none"
    return [
        f"On {listing(gains)} of {summary.frequencies} frequencies by {rule}, {selection.network} "
        f"is at {listing(points(gain.mean) for gain in gains.values())} points against all of them "
        f"({evidence_of_all}), with files {listing(f'{100 * saved:.0f}' for saved in savings)} % "
        "smaller."
    ]


def _details(summary: StraightSummary, selection: Selection) -> list[str]:
    """What each number costs and saves, and how the rules compare."""
    rule = selection.main_rule
    details = [
        sentence(
            f"{finding(gain)}, and its files are "
            f"{100 * (summary.saving(selection.setting(kept, rule)) or 0):.1f} % smaller"
        )
        for kept, gain in _costs(summary, selection).items()
    ]
    for other in selection.rules:
        if other != rule and (compared := _rules(summary, selection, rule, other)):
            details.append(sentence(f"{rule} against {other}: {compared}"))
    return details


def _costs(summary: StraightSummary, selection: Selection) -> dict[int, Gain]:
    """Gain over all frequencies of each number, by the main rule."""
    return {
        kept: gain
        for kept in selection.counts
        if (gain := summary.gain(selection.setting(kept, selection.main_rule), selection.whole))
    }


def _rules(summary: StraightSummary, selection: Selection, rule: str, other: str) -> str:
    """``better with 12, not to be told apart with 64 and 24 frequencies``."""
    groups: dict[str, list[int]] = {}
    for kept in selection.counts:
        if gain := summary.gain(selection.setting(kept, rule), selection.setting(kept, other)):
            groups.setdefault(_outcome(gain), []).append(kept)
    texts = [f"{outcome} with {listing(counts)}" for outcome, counts in groups.items()]
    return f"{', '.join(texts)} frequencies" if texts else ""


def _outcome(gain: Gain) -> str:
    if gain.interval is None:
        return "without an interval to judge by"
    return {1: "better", -1: "worse", 0: "not to be told apart"}[gain.direction]


def _tiles(summary: StraightSummary, network: str) -> Sequence[Tile]:
    settings = [Setting(network, form) for form in (COEFFICIENTS, PIXELS)]
    tiles = [
        Tile(
            setting.name,
            percent(spread) if spread.count > 1 else f"{100 * spread.mean:.2f} %",
            f"test accuracy, mean ± std of {quantity(spread.count, 'seed')}"
            if spread.count > 1
            else "test accuracy of one seed",
        )
        for setting in settings
        for spread in [summary.accuracy(setting)]
    ]
    if gain := summary.twin_gain(network):
        tiles.append(Tile("coefficients − pixels", f"{points(gain.mean)} points", evidence(gain)))
        ratio = fmean(summary.speed_ratios(network))
        tiles.append(Tile("training speed", f"{ratio:.2f} ×", f"images a second, {SHARED}"))
    return tiles
