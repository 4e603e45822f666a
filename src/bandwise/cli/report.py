"""``bandwise report``: draw figures and page again from the results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.results import RESULTS_NAME, read_rows


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

    rows = read_rows(directory / RESULTS_NAME)
    page = write_report(rows, out or directory)
    console = Console(highlight=False, soft_wrap=True)
    if missing := unfinished(rows):
        console.print(missing)
    console.print(f"report  {page}")
