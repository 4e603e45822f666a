"""A page on disk: figures written, one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bandwise.files import write_atomically
from bandwise.report.blocks import Page, Picture, Section
from bandwise.report.drawing import (
    css_variable,
    inline_svg,
    settle_layout,
    themed_colours,
    to_png,
    to_svg,
)

REPORT_NAME = "report.html"
FIGURES_FOLDER = "figures"


def write_page(page: Page, out_dir: Path) -> Path:
    """Write the page and its figures, each also as SVG and PNG; return the page's path.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    drawings: dict[str, Markup] = {}
    for picture in _pictures(page.sections):
        settle_layout(picture.figure)
        svg = to_svg(picture.figure)
        write_atomically(out_dir / FIGURES_FOLDER / f"{picture.name}.svg", svg)
        write_atomically(out_dir / FIGURES_FOLDER / f"{picture.name}.png", to_png(picture.figure))
        drawings[picture.name] = Markup(
            inline_svg(
                svg,
                name=picture.name,
                title=picture.title,
                description=picture.alt,
                band_count=page.band_count,
            )
        )
    path = out_dir / REPORT_NAME
    write_atomically(path, _render(page, drawings).encode())
    return path


def _pictures(sections: Iterable[Section]) -> Iterable[Picture]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                yield block


def _render(page: Page, drawings: dict[str, Markup]) -> str:
    environment = Environment(
        loader=PackageLoader("bandwise.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    themed = themed_colours(page.band_count)
    return environment.get_template("page.html").render(
        page=page,
        drawings=drawings,
        light={css_variable(light): light for light in themed},
        dark={css_variable(light): dark for light, dark in themed.items()},
    )
