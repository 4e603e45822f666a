"""The sections of the page, as in `bandwise.report.sections`: functions from the summary."""

from __future__ import annotations

from collections.abc import Callable

from bandwise.report.blocks import Section
from bandwise.report.rate_accuracy.sections.background import limits_section, provenance_section
from bandwise.report.rate_accuracy.sections.curves import frozen_section, retrained_section
from bandwise.report.rate_accuracy.sections.examples import examples_section
from bandwise.report.rate_accuracy.sections.outcome import (
    bytes_section,
    headline,
    unfinished,
    verdict,
)
from bandwise.report.rate_accuracy.sections.profiles import (
    estimates_section,
    learning_section,
    tables_section,
)
from bandwise.report.rate_accuracy.sections.transfer import transfer_section
from bandwise.report.rate_accuracy.summary import RateSummary

__all__ = ["SECTIONS", "unfinished", "verdict"]

SECTIONS: tuple[Callable[[RateSummary], Section | None], ...] = (
    headline,
    bytes_section,
    frozen_section,
    retrained_section,
    examples_section,
    tables_section,
    transfer_section,
    estimates_section,
    learning_section,
    limits_section,
    provenance_section,
)
"""In the order of the page."""
