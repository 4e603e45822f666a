"""What may be concluded, and where the numbers come from."""

from __future__ import annotations

from bandwise.measures import quantity
from bandwise.report.blocks import Points, Section
from bandwise.report.rate_accuracy.codecs import look_of
from bandwise.report.rate_accuracy.summary import RateSummary
from bandwise.report.sections.background import provenance_of
from bandwise.report.wording import listing


def limits_section(summary: RateSummary) -> Section:
    """What may and what may not be concluded."""
    statements = []
    if summary.images:
        step = 100 / summary.images
        statements.append(
            f"Test accuracy rests on {quantity(summary.images, 'image')}: one decision is "
            f"{step:.2f} points, so differences of a few decisions are chance. The intervals cover "
            "the choice of test images, not that of the validation images that chose the setting."
        )
    statements += [
        "A bound that holds on validation may fail on test; the tables mark where it does.",
        "Rates are whole files, summed over images of all sizes. Headers and tables weigh much on "
        "small images, little on large ones.",
        "Files were made from the images of the data set as they are. Where those were compressed "
        "before, their loss is part of the originals here.",
        "Accuracy is that of one task and network. What the network does not need may be needed "
        "by another, or by eyes.",
    ]
    if summary.retrained.chart:
        statements.append(
            "Frozen and retrained networks answer different questions and are not compared: a "
            "retrained network has seen compressed images."
        )
    missing = [look_of(codec).label for codec in summary.untested]
    if missing:
        statements.append(f"Not measured here: {listing(missing)}.")
    title = "What this does and does not show"
    return Section(anchor="limits", title=title, blocks=[Points(statements)])


def provenance_section(summary: RateSummary) -> Section:
    """Data, settings, versions and machine."""
    return provenance_of(summary.records.facts)
