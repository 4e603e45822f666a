"""What was run, what came out, and how that compares with the paper."""

from __future__ import annotations

from bandwise.measures import quantity
from bandwise.report import paper
from bandwise.report.blocks import Block, Section, Table, Text, Tile, Tiles
from bandwise.report.summary import Spread, Summary
from bandwise.report.variants import VARIANTS
from bandwise.report.wording import (
    ABSENT,
    claim,
    evidence,
    listing,
    percent,
    points,
    seconds,
    sentence,
)

NO_CONTROL = (
    "; no run without weighting shares a seed with it, so this does not say whether the weights "
    "or the scale of the network's input make the difference"
)


def verdict(summary: Summary) -> str:
    """One sentence: whether adaptive beats static, and whether anything was gained by weighting."""
    over_static = summary.gain("adaptive", "static")
    over_none = summary.gain("adaptive", "none")
    if not summary.variants:
        return "No run has finished yet; the figures show the epochs so far."
    where = f"in test accuracy on {summary.records.experiment.dataset.name}, "
    if over_static and over_none:
        joint = ", but" if over_static.mean > 0 >= over_none.mean else ", and"
        return sentence(f"{where}{claim(over_static)}{joint} {claim(over_none)}")
    if over_static:
        return sentence(f"{where}{claim(over_static)}{NO_CONTROL}")
    if over_none:
        return sentence(f"{where}{claim(over_none)}")
    return "No finished run of adaptive shares a seed with static or with no weighting."


def headline(summary: Summary) -> Section:
    """Say what was run and what came out."""
    dataset = summary.records.experiment.dataset
    height, width = dataset.image_shape[1:]
    ran = (
        f"A network was trained on {dataset.name} for each of "
        f"{listing(VARIANTS[name].label for name in summary.started)}, with "
        f"{'seed' if len(summary.seeds) == 1 else 'seeds'} {listing(summary.seeds)}: "
        f"{dataset.train:,} images of {height}×{width} pixels to train on, {dataset.validation:,} "
        f"to choose the epoch, {dataset.test:,} to test, {len(dataset.classes)} classes. The "
        f"variants differ in how {summary.records.experiment.bands.count} bands of DCT frequencies "
        "are weighted before the network sees them, or in what the weights learn from."
    )
    tiles = [
        Tile(VARIANTS[name].label, *_tile_accuracy(item.accuracy))
        for name in ("static", "adaptive", "none")
        if (item := summary.variants.get(name))
    ]
    if gain := summary.gain("adaptive", "static"):
        tiles.append(Tile("adaptive − static", f"{points(gain.mean)} points", evidence(gain)))
    blocks: list[Block] = [Text(ran)]
    if tiles:
        blocks.append(Tiles(tiles))
    if at_chance := _at_chance(summary):
        blocks.append(Text(at_chance))
    if missing := unfinished(summary):
        blocks.append(Text(missing))
    return Section(anchor="outcome", title="What came out", blocks=blocks)


def unfinished(summary: Summary) -> str:
    """Say which runs have begun and not finished; empty where none."""
    if not summary.unfinished:
        return ""
    states = (
        f"{VARIANTS[variant].label}, seed {seed} "
        f"(epoch {summary.records.histories[variant, seed][-1].number})"
        for variant, seed in summary.unfinished
    )
    return (
        f"Not finished: {listing(states)}. Figures by epoch show what is there; tables and "
        "comparisons count finished runs only."
    )


def beside_paper(summary: Summary) -> Section | None:
    """Accuracy and time of static and adaptive, beside the paper's where it has the data set."""
    pair = [name for name in ("static", "adaptive") if name in summary.variants]
    if not pair:
        return None
    rows: list[list[str]] = []
    for name in pair:
        theirs = percent(Spread(*paper.ACCURACY[name], paper.SEEDS))
        rows.append([f"Test accuracy, {name}", percent(summary.variants[name].accuracy), theirs])
    if gain := summary.gain("adaptive", "static"):
        ours = f"{points(gain.mean)} points"
        rows.append(["Gain, adaptive − static", ours, f"{points(paper.GAIN)} points"])
    for name in pair:
        ours = seconds(summary.variants[name].run_seconds.mean)
        rows.append([f"Training time a run, {name}", ours, seconds(paper.TRAIN_SECONDS[name])])
    for name in pair:
        ours = seconds(summary.variants[name].epoch_seconds.mean)
        rows.append([f"Training time an epoch, {name}", ours, ABSENT])
    if ratio := summary.time_ratio():
        rows.append(["Time adaptive ÷ static, runs", f"{ratio.run:.2f}", f"{paper.TIME_RATIO:.1f}"])
        rows.append(["Time adaptive ÷ static, epochs", f"{ratio.epoch:.2f}", ABSENT])
    notes = (
        "Accuracies are means ± sample standard deviations over the finished seeds, on the test "
        "images, at the epoch with the lowest validation loss. Times are means over runs and "
        "cover training steps, without validation and test. A run may stop early, so the ratio "
        "that compares the work itself is the one of epochs."
    )
    if not paper.applies_to(summary.records.experiment.dataset.name):
        table = Table(
            caption="Static and adaptive",
            head=["", "here"],
            rows=[row[:2] for row in rows],
        )
        return Section(anchor="results", title="Results", blocks=[table, Text(notes)])
    table = Table(
        caption=f"Beside the paper: “{paper.CITATION}”",
        head=["", "here", "paper"],
        rows=rows,
    )
    blocks: list[Block] = [table, Text(notes), Text(_differences_from_paper(summary))]
    return Section(anchor="paper", title="Beside the paper", blocks=blocks)


def _at_chance(summary: Summary) -> str:
    """Say so where no variant does much better than naming one class always."""
    count = len(summary.records.experiment.dataset.classes)
    accuracies = [
        item.accuracy.mean for name, item in summary.variants.items() if VARIANTS[name].comparable
    ]
    if not accuracies or max(accuracies) > 1 / count + 0.1:
        return ""
    return (
        f"The best variant reaches {100 * max(accuracies):.1f} %, where always naming one of "
        f"{count} classes would give about {100 / count:.1f} %: the task was hardly learned, and "
        "differences between variants say little."
    )


def _tile_accuracy(accuracy: Spread) -> tuple[str, str]:
    if accuracy.count == 1:
        return f"{100 * accuracy.mean:.2f} %", "test accuracy of one seed"
    return percent(accuracy), f"test accuracy, mean ± std of {accuracy.count} seeds"


def _differences_from_paper(summary: Summary) -> str:
    experiment = summary.records.experiment
    found = [
        f"{name} {experiment.settings[name]} (paper: {value})"
        for name, value in paper.SETTINGS.items()
        if name in experiment.settings and experiment.settings[name] != value
    ]
    if (experiment.bands.kind, experiment.bands.count) != paper.BANDS:
        kind, count = paper.BANDS
        bands = experiment.bands
        found.append(f"{bands.count} {bands.kind} bands (paper: {count} {kind})")
    if len(summary.seeds) != paper.SEEDS:
        found.append(f"{quantity(len(summary.seeds), 'seed')} (paper: {paper.SEEDS})")
    if not found:
        return "The settings that the paper states are the same here."
    return f"Settings that differ from the paper's: {'; '.join(found)}."
