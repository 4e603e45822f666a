"""What may be concluded, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bandwise.measures import quantity
from bandwise.report.blocks import Points, Section
from bandwise.report.sections.background import provenance_of
from bandwise.report.straight.summary import StraightSummary


def limits_section(summary: StraightSummary) -> Section:
    """What may and what may not be concluded."""
    images = summary.records.facts.dataset["test"]
    statements = [
        f"At most {quantity(len(summary.seeds), 'seed')} a setting. Seeds change the initial "
        "weights, the order of the images and how they are augmented; the images are the same. "
        "Intervals cover that chance and not the choice of test images, of which one is "
        f"{100 / images:.2f} points.",
        "With so few seeds an interval that includes zero says little: a difference of its width "
        "may be there. p-values and intervals are not corrected for the number of comparisons.",
        "Times are those of one machine, which several runs shared, so that what runs beside a "
        "run changes its time; ratios are of the same seeds, which ran at different times.",
        "Networks on coefficients and on pixels differ in their first layers: they are of equal "
        "kind and about equal size, not the same function. The augmentation of coefficients "
        "follows that of pixels with the same draws, except that it does not turn images, erases "
        "whole blocks and clamps nothing.",
    ]
    if summary.selections:
        statements += [
            "Choosing by importance costs the training of a network on every frequency first.",
            "Files with dropped frequencies are made for the network that was trained on what is "
            "left. Another network, or eyes, may need what is gone.",
        ]
    title = "What this does and does not show"
    return Section(anchor="limits", title=title, blocks=[Points(statements)])


def provenance_section(summary: StraightSummary) -> Section:
    """Data, settings, versions and machine."""
    facts = summary.records.facts
    return provenance_of(replace(facts, settings=dict(_flat(facts.settings))))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings within settings, named by all that they are in; each run has a seed of its own."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}: ")
        elif name != "seed":
            yield f"{prefix}{name}", value
