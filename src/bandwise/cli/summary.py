"""The closing table of an experiment on the terminal; the page has the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bandwise.report import paper
from bandwise.report.records import parse_records
from bandwise.report.summary import Gain, Spread, Summary, summarise
from bandwise.report.variants import EXTENSIONS
from bandwise.results import read_rows


def print_summary(console: Console, results: Path) -> None:
    """Print accuracy and time of each variant, the gain and the time ratio."""
    summary = summarise(parse_records(read_rows(results)))
    of_paper = paper.ACCURACY if summary.records.experiment.dataset.name == paper.DATASET else {}
    table = Table(box=None, pad_edge=False)
    table.add_column("variant")
    for title in ("seeds", "test accuracy", "epochs", "train s", *(["paper"] if of_paper else [])):
        table.add_column(title, justify="right")
    for name, variant in summary.variants.items():
        reference = of_paper.get(name)
        table.add_row(
            name,
            str(len(variant.seeds)),
            percent(variant.accuracy),
            f"{variant.epochs.mean:.0f}",
            f"{variant.run_seconds.mean:.1f}",
            *(
                [f"{reference[0]:.2%} ± {reference[1]:.2%}" if reference else ""]
                if of_paper
                else []
            ),
        )
    console.print(table)
    for line in gain_lines(summary):
        console.print(line, highlight=False)
    if ratio := summary.time_ratio():
        console.print(
            f"training time adaptive/static: {ratio.epoch:.2f} an epoch, {ratio.run:.2f} a run",
            highlight=False,
        )


def percent(spread: Spread) -> str:
    """Mean and, where there is one, standard deviation in percent."""
    text = f"{spread.mean:.2%}"
    return text if spread.std is None else f"{text} ± {spread.std:.2%}"


def gain_lines(summary: Summary) -> Iterator[str]:
    """Say the gain of adaptive over static, and of the extensions over adaptive."""
    for variant, baseline in (("adaptive", "static"), *((name, "adaptive") for name in EXTENSIONS)):
        if gain := summary.gain(variant, baseline):
            yield gain_line(gain)


def gain_line(gain: Gain) -> str:
    """Say the gain in percentage points with its interval and p-value."""
    text = f"gain {gain.variant} - {gain.baseline}: {100 * gain.mean:+.2f} points"
    if gain.interval is None or gain.p_value is None:
        return text
    low, high = (100 * end for end in gain.interval)
    return f"{text}, 95 % interval {low:+.2f} to {high:+.2f}, p = {gain.p_value:.3g} (paired t)"
