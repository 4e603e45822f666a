"""``bandwise report``: draw figures and page again from the results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.cli.main import app
from bandwise.report import write_report
from bandwise.results import RESULTS_NAME


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="Output folder of a run.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; the same folder if not given.")
    ] = None,
) -> None:
    """Redraw every figure and report.html from results.jsonl alone; no model or data is needed.

    Example: bandwise report runs/reproduce-mnist
    """
    page = write_report(directory / RESULTS_NAME, out or directory)
    Console().print(f"report  {page}", highlight=False, soft_wrap=True)
