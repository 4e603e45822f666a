"""The sections of the page, as in `bandwise.report.sections`: functions from the summary."""

from __future__ import annotations

from collections.abc import Callable

from bandwise.report.adaptive.sections.background import limits_section, provenance_section
from bandwise.report.adaptive.sections.choices import choices_section, examples_section
from bandwise.report.adaptive.sections.curves import curves_section
from bandwise.report.adaptive.sections.outcome import headline, unfinished, verdict
from bandwise.report.adaptive.sections.parts import bounds_section, parts_section
from bandwise.report.adaptive.sections.tables import cost_section, tables_section
from bandwise.report.adaptive.summary import AdaptiveSummary
from bandwise.report.blocks import Section

__all__ = ["SECTIONS", "unfinished", "verdict"]

SECTIONS: tuple[Callable[[AdaptiveSummary], Section | None], ...] = (
    headline,
    parts_section,
    bounds_section,
    curves_section,
    choices_section,
    examples_section,
    tables_section,
    cost_section,
    limits_section,
    provenance_section,
)
"""In the order of the page."""
