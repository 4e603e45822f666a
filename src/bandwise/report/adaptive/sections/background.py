"""What may be concluded, and where the numbers come from."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

from bandwise.measures import ONE_TABLE, part_name, quantity
from bandwise.report.adaptive.summary import AdaptiveSummary
from bandwise.report.blocks import Points, Section
from bandwise.report.sections.background import provenance_of


def limits_section(summary: AdaptiveSummary) -> Section:
    """What may and what may not be concluded."""
    images = summary.records.rate.facts.dataset["test"]
    statements = [
        f"Test accuracy rests on {quantity(images, 'image')}: one decision is {100 / images:.2f} "
        "points, so differences of a few decisions are chance.",
        f"{quantity(len(summary.seeds), 'seed').capitalize()} of learning with one network: seeds "
        "change the training images that are drawn, the kinds and the policy. The network, and "
        "the images that choose settings and test them, are the same, so that intervals over seeds "
        "do not cover them.",
        "Intervals are not corrected for the number of comparisons.",
        "The policies choose by what statistics of an image foretell of this one network. Another "
        "network, or eyes, may need what is gone.",
    ]
    if step := coarseness(summary):
        statements.insert(
            2,
            f"Settings of {part_name(ONE_TABLE)} lie {100 * step:.0f} % apart in bytes on average, "
            "and so do those of the others: which of them meets a bound moves a saving by as much. "
            "At equal divergence bytes are interpolated between settings.",
        )
    return Section(
        anchor="limits", title="What this does and does not show", blocks=[Points(statements)]
    )


def coarseness(summary: AdaptiveSummary) -> float | None:
    """Mean step in bytes from a setting of one table to the next larger, as a share."""
    points = summary.points(summary.first_seed)
    sizes = sorted(p.mean_bytes for p in points if p.family == ONE_TABLE and p.split == "test")
    steps = [larger / smaller - 1 for smaller, larger in pairwise(sizes)]
    return fmean(steps) if steps else None


def provenance_section(summary: AdaptiveSummary) -> Section:
    """Data, settings, versions and machine."""
    return provenance_of(summary.records.rate.facts)
