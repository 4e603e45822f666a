"""Results → figures, tables and one self-contained HTML page.

    rows → records → summary → sections → page

``records`` checks rows, ``summary`` computes statistics, ``sections`` says what they mean,
``figures`` and ``planes`` draw, ``page`` writes. Everything is redrawn from the rows alone.
That is the page of an experiment that trained band weights; ``rate_accuracy`` holds the same
parts for one that measured bytes and accuracy, ``adaptive`` for one that chose tables for each
image, ``straight`` for one that trained on coefficients. The rows decide which of them is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bandwise.report import adaptive, rate_accuracy, sections, straight
from bandwise.report.adaptive import adaptive_page, holds_codebooks
from bandwise.report.page import write_page
from bandwise.report.rate_accuracy import holds_points, rate_accuracy_page
from bandwise.report.records import parse_records
from bandwise.report.sections import training_page
from bandwise.report.straight import holds_trained, straight_page
from bandwise.report.summary import summarise
from bandwise.results import read_rows

__all__ = ["unfinished", "write_report"]


def write_report(results: Path | Sequence[Mapping[str, Any]], out_dir: Path) -> Path:
    """Write ``out_dir/report.html`` and ``out_dir/figures``; return the path of the page.

    Parameters
    ----------
    results
        A results file, or its rows.
    out_dir
        Made if it is missing. Older reports in it are replaced.

    Raises
    ------
    ResultsError
        If the results are missing, damaged or hold nothing to report.
    OutputError
        If the folder cannot be written.
    """
    rows = read_rows(results) if isinstance(results, Path) else results
    if holds_codebooks(rows):
        return write_page(adaptive_page(rows), out_dir)
    if holds_points(rows):
        return write_page(rate_accuracy_page(rows), out_dir)
    if holds_trained(rows):
        return write_page(straight_page(rows), out_dir)
    return write_page(training_page(summarise(parse_records(rows))), out_dir)


def unfinished(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what a run has begun and not finished; empty where that is nothing.

    Raises `ResultsError` as `write_report` does.
    """
    if holds_codebooks(rows):
        return adaptive.unfinished(rows)
    if holds_points(rows):
        return rate_accuracy.unfinished(rows)
    if holds_trained(rows):
        return straight.unfinished(rows)
    return sections.unfinished(summarise(parse_records(rows)))
