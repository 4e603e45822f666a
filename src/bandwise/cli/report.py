"""``bandwise report``, and what every experiment ends with: its summary and its page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bandwise.results import Results


def report(
    directory: Annotated[Path, typer.Argument(help="Output folder of a run.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; the same folder if not given.")
    ] = None,
) -> None:
    """Redraw every figure and report.html from results.jsonl alone.

    No model or data is needed. Of a run that is not finished it draws what is there, and says what
    is missing.

    Example: bandwise report runs/reproduce-mnist
    """
    # Drawing libraries take a second to import, which help and usage errors do not wait for.
    from bandwise.report import unfinished, write_report

    results = Results.load(directory)
    page = write_report(results, out or directory)
    console = Console(highlight=False, soft_wrap=True)
    if missing := unfinished(results):
        console.print(missing)
    console.print(f"report  {page}")


def print_summary(console: Console, results: Results, **options: Any) -> None:
    """Print the tables and sentences of `bandwise.report.summary`."""
    from bandwise.report import Table, summary

    for item in summary(results, **options):
        if isinstance(item, Table):
            console.print(item.to_terminal())
        else:
            console.print(item, markup=False, highlight=False, soft_wrap=True)


def print_outcome(console: Console, results: Results, folder: Path) -> None:
    """Write the page of finished results, print their summary and where both are."""
    from bandwise.report import write_report

    page = write_report(results, folder)
    print_summary(console, results)
    console.print(f"results {results.path}\nreport  {page}", highlight=False, soft_wrap=True)
