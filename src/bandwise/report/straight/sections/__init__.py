"""The sections of the page, as in `bandwise.report.sections`: functions from the summary."""

from __future__ import annotations

from collections.abc import Callable

from bandwise.report.blocks import Section
from bandwise.report.straight.sections.background import limits_section, provenance_section
from bandwise.report.straight.sections.kept import chosen_section, kept_section
from bandwise.report.straight.sections.outcome import headline, unfinished, verdict
from bandwise.report.straight.sections.twins import training_section, twins_section
from bandwise.report.straight.summary import StraightSummary

__all__ = ["SECTIONS", "unfinished", "verdict"]

SECTIONS: tuple[Callable[[StraightSummary], Section | None], ...] = (
    headline,
    twins_section,
    training_section,
    kept_section,
    chosen_section,
    limits_section,
    provenance_section,
)
"""In the order of the page."""
