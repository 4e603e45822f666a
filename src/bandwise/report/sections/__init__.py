"""The sections of the page: each a function from the summary to a section, or to None.

A section whose rows are missing is left out. To add one, write such a function and name it in
``SECTIONS``. Every number and every claim is computed from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bandwise.report.blocks import Page, Section
from bandwise.report.sections.background import limits_section, provenance_section
from bandwise.report.sections.extensions import edges_section, input_section
from bandwise.report.sections.gain import controls_section, gain_section
from bandwise.report.sections.outcome import beside_paper, headline, unfinished, verdict
from bandwise.report.sections.training import classes_section, training_section
from bandwise.report.sections.weights import images_section, weights_section
from bandwise.report.summary import Summary

__all__ = ["SECTIONS", "SectionBuilder", "training_page", "unfinished", "verdict"]

SectionBuilder = Callable[[Summary], Section | None]

SECTIONS: tuple[SectionBuilder, ...] = (
    headline,
    beside_paper,
    gain_section,
    controls_section,
    training_section,
    classes_section,
    weights_section,
    edges_section,
    input_section,
    images_section,
    limits_section,
    provenance_section,
)
"""In the order of the page."""


def training_page(summary: Summary, *, builders: Sequence[SectionBuilder] = SECTIONS) -> Page:
    """Put together the page of an experiment that trained band weights."""
    experiment = summary.records.experiment
    return Page(
        title=f"Band weights on {experiment.dataset.name}",
        verdict=verdict(summary),
        created=experiment.created,
        sections=[section for build in builders if (section := build(summary)) is not None],
        band_count=experiment.bands.count,
    )
