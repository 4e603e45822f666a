"""Results → tables, figures, one self-contained HTML page, and what the terminal shows.

    Results ──study──→ sections ──templates──→ report.html, figures/*.svg, figures/*.png
                  └──→ summary: tables and sentences for the terminal and the documents

The recipe of the results decides which of the pages is written: ``paper``, ``rate_accuracy`` or
``training``. A page has its statistics in ``*_study``, its figures in ``*_figures``, its tables and
sections in the module of its name, and its prose in a template. Everything is drawn from the
results alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bandwise.errors import ResultsError
from bandwise.report import paper, rate_accuracy, training
from bandwise.report.page import write_page
from bandwise.report.table import Column, Table
from bandwise.results import Results

__all__ = ["Column", "Table", "summary", "unfinished", "write_report"]

_PAGES = {
    "reproduce": paper,
    "evaluate": rate_accuracy,
    "rate-accuracy": rate_accuracy,
    "straight-from-jpeg": training,
}


def write_report(results: Results, folder: Path) -> Path:
    """Write ``report.html`` and ``figures`` into a folder; return the path of the page.

    Older reports in it are replaced.

    Raises
    ------
    ResultsError
        If the results hold nothing to report, or are of a recipe that has no page.
    OutputError
        If the folder cannot be written.
    """
    return write_page(_page(results).page_of(results), folder)


def summary(results: Results, **options: Any) -> list[Table | str]:
    """What came out, for the end of a run and the documents: tables and sentences, in order.

    Rate–accuracy results take a ``bound``: percentage points that may be lost, 1 if not given.
    Raises `ResultsError` for results of a recipe that has no page.
    """
    items: list[Table | str] = _page(results).summary(results, **options)
    return items


def unfinished(results: Results) -> str:
    """Say what a run has begun and not finished; empty where that is nothing."""
    text: str = _page(results).Study(results).unfinished
    return text


def _page(results: Results) -> Any:
    recipe = results.experiment.recipe
    if recipe not in _PAGES:
        raise ResultsError(
            f"no page for results of the recipe {recipe!r}; there is one for {', '.join(_PAGES)}"
        )
    return _PAGES[recipe]
