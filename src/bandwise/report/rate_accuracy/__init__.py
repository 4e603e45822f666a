"""The page of an experiment that measured bytes and accuracy.

rows → records → curves, summary → sections → page
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bandwise.report.blocks import Page
from bandwise.report.rate_accuracy.records import main_network, parse_rate_records
from bandwise.report.rate_accuracy.sections import SECTIONS, verdict
from bandwise.report.rate_accuracy.summary import RateSummary

__all__ = ["holds_points", "rate_accuracy_page"]


def holds_points(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows are of an experiment that measured bytes and accuracy."""
    return any(row.get("record") == "point" for row in rows)


def rate_accuracy_page(rows: Sequence[Mapping[str, Any]]) -> Page:
    """Put together the page of results that `holds_points` recognises.

    Raises
    ------
    ResultsError
        If a row is damaged; the message names the line and the field.
    """
    records = parse_rate_records(rows)
    summary = RateSummary(records, main_network(records))
    return Page(
        title=f"Bytes and accuracy on {records.facts.dataset_name}",
        verdict=verdict(summary),
        created=records.facts.created,
        sections=[section for build in SECTIONS if (section := build(summary)) is not None],
    )
