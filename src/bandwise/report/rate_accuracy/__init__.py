"""The page of an experiment that measured bytes and accuracy.

rows → records → curves, summary → sections → page
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bandwise.errors import ResultsError
from bandwise.measures import ORIGINAL, quantity
from bandwise.report.blocks import Page
from bandwise.report.rate_accuracy.records import main_network, parse_rate_records
from bandwise.report.rate_accuracy.sections import SECTIONS, verdict
from bandwise.report.rate_accuracy.sections import unfinished as missing
from bandwise.report.rate_accuracy.summary import RateSummary

__all__ = ["holds_points", "rate_accuracy_page", "unfinished"]


def holds_points(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows are of an experiment that measures bytes and accuracy, begun or finished."""
    return any(row.get("record") == "point" or row.get("recipe") == "evaluate" for row in rows)


def unfinished(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what is not tested yet, in results that `holds_points` recognises; empty where none."""
    return missing(_summary(rows))


def rate_accuracy_page(rows: Sequence[Mapping[str, Any]]) -> Page:
    """Put together the page of results that `holds_points` recognises.

    Raises
    ------
    ResultsError
        If a row is damaged, where the message names the line and the field, or nothing is measured
        on test yet.
    """
    summary = _summary(rows)
    facts = summary.records.facts
    if not summary.codecs:
        begun = sum(point.codec != ORIGINAL for point in summary.points("validation"))
        raise ResultsError(
            f"nothing is measured on the test images yet, and {quantity(begun, 'setting')} on "
            "validation; run the command that wrote these results again, it goes on from there"
        )
    return Page(
        title=f"Bytes and accuracy on {facts.dataset_name}",
        verdict=verdict(summary),
        created=facts.created,
        sections=[section for build in SECTIONS if (section := build(summary)) is not None],
    )


def _summary(rows: Sequence[Mapping[str, Any]]) -> RateSummary:
    records = parse_rate_records(rows)
    return RateSummary(records, main_network(records))
