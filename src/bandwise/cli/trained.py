"""The closing table of training on JPEG files: accuracy, speed and bytes of each setting."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bandwise.cli.summary import gain_line, percent
from bandwise.report.straight.sections.outcome import speed
from bandwise.report.straight.summary import StraightSummary


def print_trained(console: Console, summary: StraightSummary) -> None:
    """Print means over seeds, setting by setting, and each network against its twin."""
    table = Table(box=None, pad_edge=False)
    for title in ("network", "reads"):
        table.add_column(title)
    for title in ("seeds", "test accuracy", "images/s", "bytes a file"):
        table.add_column(title, justify="right")
    for setting, runs in summary.runs.items():
        table.add_row(
            setting.network,
            setting.inputs,
            str(len(runs)),
            percent(summary.accuracy(setting)),
            f"{summary.rate(setting).mean:,.0f}",
            f"{summary.file_bytes(setting):,.0f}",
        )
    console.print(table)
    for network in summary.twins:
        if gain := summary.twin_gain(network):
            console.print(gain_line(gain))
            console.print(f"training {network} on coefficients handles {speed(summary, network)}")
