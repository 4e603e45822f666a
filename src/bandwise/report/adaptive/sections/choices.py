"""How images spread over rungs and sizes, and which images get which."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from bandwise.measures import ADAPTIVE, ORIGINAL, Point, part_name, quantity
from bandwise.report.adaptive import figures
from bandwise.report.adaptive.sections.outcome import WITHIN
from bandwise.report.adaptive.summary import BOUND, AdaptiveSummary
from bandwise.report.blocks import Block, Exhibit, Gallery, Picture, Section, Text
from bandwise.report.rate_accuracy.records import Example
from bandwise.report.rate_accuracy.sections.examples import SMALL_PIXELS
from bandwise.report.wording import listing


def choices_section(summary: AdaptiveSummary) -> Section:
    """Rungs at some prices of a bit, and sizes at the settings for the bound."""
    blocks: list[Block] = []
    if labels := shown_labels(summary):
        blocks.append(_rungs(summary, labels))
    if points := chosen_points(summary):
        blocks.append(_sizes(summary, points))
    return Section(anchor="choices", title="How images are spread", blocks=blocks)


def examples_section(summary: AdaptiveSummary) -> Section | None:
    """Test images at both ends of the rungs: the original, and the file that it became."""
    placed = sorted(
        (
            (rung, example)
            for example in summary.records.rate.examples
            if example.codec == ADAPTIVE and (rung := rung_of(summary, example)) is not None
        ),
        key=lambda each: (each[0], each[1].index),
    )
    half = len(placed) // 2
    if not half:
        return None
    originals = {e.index: e for e in summary.records.rate.examples if e.codec == ORIGINAL}
    first = placed[0][1]
    book = summary.codebook(first.family)
    assert book is not None
    count = len(book.ladders[0])
    small = any(p.pixels / p.images < SMALL_PIXELS for p in summary.records.rate.points)
    rows: list[tuple[str, list[Exhibit | None]]] = []
    for name, shown in (("large files", placed[:half]), ("small files", placed[-half:])):
        rows += [
            (
                f"{name}:\noriginal",
                [_exhibit(originals.get(e.index), e.class_name) for _, e in shown],
            ),
            (
                "file",
                [
                    _exhibit(
                        e, f"rung {rung + 1:.3g} of {count}, {e.size_bytes:,} bytes", e.correct
                    )
                    for rung, e in shown
                ],
            ),
        ]
    return Section(
        anchor="examples",
        title="Which images get which",
        blocks=[
            Gallery(
                caption=f"The test images with the lowest and the highest rungs, by "
                f"{part_name(first.family)} at the price {first.setting_label}",
                head=[""] * half,
                rows=rows,
                pixelated=small,
            ),
            Text(
                "Files are shown as they are, originals as lossless copies. ✓: the network names "
                "the file's image rightly. The policy has seen neither network nor label. Of many "
                "images on the same rung, the first of the data set are shown."
            ),
        ],
    )


def shown_labels(summary: AdaptiveSummary) -> list[str]:
    """Low, middle and high prices that all policies were asked at; none without policies."""
    of_each = [set(summary.labels(family)) for family in summary.candidates]
    labels = sorted(set.intersection(*of_each), key=float) if of_each else []
    return list(
        dict.fromkeys(labels[len(labels) * quarter // 4] for quarter in (1, 2, 3) if labels)
    )


def chosen_points(summary: AdaptiveSummary) -> dict[str, Point]:
    """Test points of the settings for the bound, of one seed of learning."""
    seed = summary.first_seed
    found = {}
    for name in (*summary.compared, *summary.bounds):
        choice = summary.choice(name, BOUND, seed)
        for point in summary.points(seed):
            if choice and (point.family, point.label, point.split) == (
                *(choice.family, choice.label),
                "test",
            ):
                found[name] = point
    return found


def rung_of(summary: AdaptiveSummary, example: Example) -> float | None:
    """Rung, from 0, of an image that is shown; None where its choice is not among the rows."""
    decided = summary.decided(example.family, example.setting_label, summary.first_seed)
    return None if decided is None else float(decided.rungs[example.index])


def _rungs(summary: AdaptiveSummary, labels: Sequence[str]) -> Picture:
    names = listing(part_name(family) for family in summary.candidates)
    return Picture(
        name="rungs",
        title="How many images get which rung",
        alt=f"Share of the test images at each rung by {names}, at "
        f"{quantity(len(labels), 'price')} of a bit.",
        caption="Rung 1 has the finest tables. The dearer a bit, in nats, the more images are "
        "given small files. Tables between two rungs are counted with the nearer one. Means over "
        "seeds of learning.",
        figure=figures.rungs(summary, labels),
    )


def _sizes(summary: AdaptiveSummary, points: dict[str, Point]) -> Picture:
    looks = figures.looks_of(summary)
    return Picture(
        name="sizes",
        title="How bytes are distributed over images",
        alt="Cumulative share of test images by bytes of their file, for "
        f"{listing(looks[name].label for name in points)}.",
        caption=f"Settings chosen for ≤ {WITHIN}, seed {summary.first_seed}; marks are at the mean "
        "sizes. With one table, too, sizes differ by what images hold.",
        figure=figures.sizes(points, looks),
    )


def _exhibit(example: Example | None, label: str, passed: bool | None = None) -> Exhibit | None:
    if example is None:
        return None
    return Exhibit(
        source=f"data:{example.media_type};base64,{base64.b64encode(example.data).decode()}",
        alt=f"{example.class_name}, {label}",
        label=label,
        passed=passed,
    )
