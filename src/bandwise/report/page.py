"""A page on disk: sections, figures, one HTML file that needs no network.

A page's prose is in ``templates``: a file a page with a macro a section. What is computed is in
Python: sections hold tables and figures, and templates ask the page's ``study`` for numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from bandwise.files import write_atomically
from bandwise.report import wording
from bandwise.report.rate_figures import look_of
from bandwise.report.style import band_colours, inline_svg, settle_layout, to_png, to_svg
from bandwise.report.table import TEMPLATES
from bandwise.results import Experiment
from bandwise.wording import bound_in_words, quantity

REPORT_NAME = "report.html"
FIGURES_FOLDER = "figures"

TEMPLATES.filters |= {
    "above_originals": wording.above_originals,
    "amount": wording.amount,
    "claim": wording.claim,
    "codec": lambda codec: look_of(codec).label,
    "count": quantity,
    "evidence": wording.evidence,
    "finding": wording.finding,
    "in_words": bound_in_words,
    "listing": wording.listing,
    "percent": wording.percent,
    "points": wording.points,
    "saved": wording.saved,
    "seconds": wording.seconds,
    "sentence": wording.sentence,
}


@dataclass(frozen=True)
class Section:
    """A part of the page: the macro ``anchor`` of the page's template shows ``content``.

    Content is tables, figures and texts by name; a macro that asks for another name fails.
    """

    anchor: str
    title: str
    content: Mapping[str, Any] = field(default_factory=dict)


LIMITS = Section("limits", "What this does and does not show")
PROVENANCE = Section("provenance", "Provenance")
"""Sections that are all prose."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one page says.

    Attributes
    ----------
    template
        File in ``templates`` with the macro of every section, and one called ``verdict`` for the
        first paragraph. Every macro gets the content of its section and ``study``.
    study
        What the page is about, with its statistics.
    builders
        Make one section each of the study, or None where there is nothing to show.
    """

    template: str
    title: str
    study: Any
    experiment: Experiment
    builders: Iterable[Callable[[Any], Section | None]]

    @property
    def sections(self) -> list[Section]:
        """Sections of what there is something to show of, and the provenance."""
        built = (build(self.study) for build in self.builders)
        return [*(section for section in built if section is not None), LIMITS, PROVENANCE]


def write_page(page: Page, folder: Path) -> Path:
    """Write the page and its figures, each also as SVG and PNG; return the page's path.

    Raises `OutputError` if the folder cannot be written.
    """

    def draw(name: str, figure: Figure, title: str, alt: str) -> Markup:
        settle_layout(figure)
        svg = to_svg(figure)
        for suffix, data in (("svg", svg), ("png", to_png(figure))):
            write_atomically(folder / FIGURES_FOLDER / f"{name}.{suffix}", data)
        return inline_svg(svg, name=name, title=title, description=alt)

    count = 0 if page.experiment.bands is None else page.experiment.bands.count
    text = TEMPLATES.get_template("page.html").render(
        page=page,
        sections=page.sections,
        draw=draw,
        bands=list(zip(band_colours(count), band_colours(count, dark=True), strict=True)),
    )
    path = folder / REPORT_NAME
    write_atomically(path, text.encode())
    return path
