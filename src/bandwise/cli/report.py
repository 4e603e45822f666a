"""``bandwise report``: draw figures and page again from the results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bandwise.cli.output import say
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
    results = Results.load(directory)
    # Drawing libraries take a second to import, which help and errors do not wait for.
    from bandwise.report import unfinished, write_report

    page = write_report(results, out or directory)
    if missing := unfinished(results):
        say(missing)
    say(f"report  {page}")
