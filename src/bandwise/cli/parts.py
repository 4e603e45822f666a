"""The closing table of tables for each image: bytes, accuracy and savings, part by part."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bandwise.cli.summary import percent
from bandwise.measures import ONE_TABLE, bound_in_words, part_name
from bandwise.report.adaptive.sections.outcome import failures, target
from bandwise.report.adaptive.summary import BOUND, LEVELS, AdaptiveSummary, Level


def print_parts(console: Console, summary: AdaptiveSummary) -> None:
    """Print means over seeds of every way of choosing, and whether the target is met."""
    table = Table(
        box=None,
        pad_edge=False,
        title=f"on test, settings chosen on validation for ≤ {bound_in_words(BOUND)} lost",
        caption="fewer bytes: than one table (95 % interval over seeds); "
        "* loses more than that on test",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("tables by", no_wrap=True)
    titles = ("fewer bytes", "over common accuracies", "at equal divergence")
    for title in ("seeds", "bytes", "accuracy", *titles):
        table.add_column(title, justify="right")
    for name in (*summary.families, *summary.bounds):
        size, accuracy = summary.size_bytes(name, BOUND), summary.accuracy(name, BOUND)
        mark = " " if summary.holds(name, BOUND) else "*"
        table.add_row(
            part_name(name),
            str(len(summary.seeds_of(name))),
            "–" if size is None else f"{size.mean:,.0f}",
            "–" if accuracy is None else f"{percent(accuracy)}{mark}",
            *(_saved(summary, name, level) for level in LEVELS),
        )
    console.print(table)
    for line in (target(summary), *failures(summary)):
        console.print(line, highlight=False, soft_wrap=True)


def _saved(summary: AdaptiveSummary, name: str, level: Level) -> str:
    gain = summary.gain(name, level)
    if gain is None or name == ONE_TABLE:
        return "–"
    if gain.interval is None:
        return f"{gain.mean:.1%}"
    low, high = gain.interval
    return f"{gain.mean:.1%} ({low:.1%} to {high:.1%})"
