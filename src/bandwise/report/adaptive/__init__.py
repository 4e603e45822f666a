"""The page of an experiment that chose tables for each image.

rows → records → summary → sections → page
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bandwise.errors import ResultsError
from bandwise.report.adaptive.records import parse_adaptive_records
from bandwise.report.adaptive.sections import SECTIONS, verdict
from bandwise.report.adaptive.sections import unfinished as missing
from bandwise.report.adaptive.summary import AdaptiveSummary
from bandwise.report.blocks import Page

__all__ = ["adaptive_page", "adaptive_summary", "holds_codebooks", "unfinished"]


def holds_codebooks(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows are of an experiment that learned codebooks of tables."""
    return any(row.get("record") == "codebook" for row in rows)


def adaptive_summary(rows: Sequence[Mapping[str, Any]]) -> AdaptiveSummary:
    """Check and summarise results that `holds_codebooks` recognises.

    Raises `ResultsError` for a damaged row, and where nothing is measured on test.
    """
    summary = AdaptiveSummary(parse_adaptive_records(rows))
    if not summary.families:
        raise ResultsError(
            "no codebook is measured on the test images yet; run the command that wrote these "
            "results again, it goes on from there"
        )
    return summary


def unfinished(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what is not tested yet, in results that `holds_codebooks` recognises; empty if none."""
    return missing(adaptive_summary(rows))


def adaptive_page(rows: Sequence[Mapping[str, Any]]) -> Page:
    """Put together the page of results that `holds_codebooks` recognises.

    Raises
    ------
    ResultsError
        If a row is damaged, where the message names the line and the field, or nothing is measured
        on test yet.
    """
    summary = adaptive_summary(rows)
    facts = summary.records.rate.facts
    return Page(
        title=f"Tables for each image of {facts.dataset_name}",
        verdict=verdict(summary),
        created=facts.created,
        sections=[section for build in SECTIONS if (section := build(summary)) is not None],
    )
