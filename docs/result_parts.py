"""Parts of the documentation that state results: what `bandwise.report.summary` says, as Markdown.

Tables have fewer columns here than on the terminal and the page; their numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from bandwise.report import Table, summary
from bandwise.results import Results

COLUMNS = {
    "reproduce": ("variant", "seeds", "test accuracy", "gain over static (95 % interval)", "paper"),
    "straight-from-jpeg": ("network", "seeds", "test accuracy", "training images/s"),
}
"""Columns of the first table, by recipe; a table of another recipe has all of its columns."""

FIGURES = {
    "mnist": {"accuracy": "mnist-accuracy", "bands": "mnist-bands"},
    "clothing128": {"frozen": "clothing128-rate"},
    "straight-from-jpeg": {
        "training-resnet": "straight-from-jpeg-training",
        "kept-resnet-small": "straight-from-jpeg-kept",
    },
}
"""Figures of the page that the documentation shows, by the name of the results: name of the page's,
name in docs/figures."""

ALTS = {
    "clothing128-rate": "Test accuracy against bytes an image of every codec on clothing128, "
    "beside the originals'",
    "straight-from-jpeg-training": "Validation accuracy of resnet on coefficients and on pixels, "
    "by epoch and by time",
    "straight-from-jpeg-kept": "Test accuracy of resnet-small by how many frequencies are kept, "
    "and by bytes of a file",
}
"""What figures show that stand in the generated part; others are placed by hand."""


def results_part(name: str, results: Results) -> str:
    """Markdown of what results called ``name`` say, with figures."""
    return "\n\n".join([*_items(results), *_figures(name)])


def figure_path(figure: str) -> str:
    """Path of a figure of the documentation, from the root."""
    return f"docs/figures/{figure}.png"


def _items(results: Results) -> Iterator[str]:
    first, *rest = summary(results)
    assert isinstance(first, Table)
    columns = COLUMNS.get(results.experiment.recipe)
    yield (first.only(*columns) if columns else first).to_markdown()
    for item in rest:
        yield item.to_markdown() if isinstance(item, Table) else item


def _figures(name: str) -> Iterator[str]:
    for figure in FIGURES.get(name, {}).values():
        if figure in ALTS:
            yield f"![{ALTS[figure]}]({figure_path(figure)})"
