"""The page of an experiment that trained networks on coefficients of JPEG files and on pixels.

rows → records → summary → sections → page
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bandwise.errors import ResultsError
from bandwise.report.blocks import Page
from bandwise.report.straight.records import parse_straight_records
from bandwise.report.straight.sections import SECTIONS, verdict
from bandwise.report.straight.sections import unfinished as missing
from bandwise.report.straight.summary import StraightSummary

__all__ = ["holds_trained", "straight_page", "straight_summary", "unfinished"]

RECIPE = "straight-from-jpeg"


def holds_trained(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows are of an experiment that trains on JPEG files, begun or finished."""
    return any(row.get("recipe") == RECIPE for row in rows)


def straight_summary(rows: Sequence[Mapping[str, Any]]) -> StraightSummary:
    """Check and summarise results that `holds_trained` recognises."""
    return StraightSummary(parse_straight_records(rows))


def unfinished(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what is not trained yet, in results that `holds_trained` recognises; empty if nothing."""
    return missing(straight_summary(rows))


def straight_page(rows: Sequence[Mapping[str, Any]]) -> Page:
    """Put together the page of results that `holds_trained` recognises.

    Raises
    ------
    ResultsError
        If a row is damaged, where the message names the line and the field, or no run has finished.
    """
    summary = straight_summary(rows)
    facts = summary.records.facts
    if not summary.records.runs:
        raise ResultsError(
            "no network is trained yet; run the command that wrote these results again, it goes on "
            "from there"
        )
    return Page(
        title=f"Straight from JPEG on {facts.dataset_name}",
        verdict=verdict(summary),
        created=facts.created,
        sections=[section for build in SECTIONS if (section := build(summary)) is not None],
    )
