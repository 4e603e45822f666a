"""Write the parts of the documentation that come from the code and from the results.

    python docs/generate.py            writes docs/cli.md, the tables of README.md, docs/figures
    python docs/generate.py --check    fails where a file is not what would be written

Figures are drawn only when writing: their bytes depend on the version of the drawing library.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from bandwise.cli import application
from bandwise.cli.summary import gain_line, percent
from bandwise.report import paper, write_report
from bandwise.report.records import parse_records
from bandwise.report.summary import Summary, summarise
from bandwise.results import read_rows

ROOT = Path(__file__).resolve().parents[1]
RESULTS = {path.parent.name: path for path in sorted(ROOT.glob("results/*/results.jsonl"))}
FIGURES = ("accuracy", "bands")


def cli_reference() -> str:
    """Markdown of every command with its help and options."""
    group: Any = typer.main.get_command(application())
    parts = ["# Command line", "", "Generated from the code by `docs/generate.py`.", ""]
    for name, command in sorted(group.commands.items()):
        summary, _, rest = command.help.partition("Example: ")
        parts += [f"## bandwise {name}", "", " ".join(summary.split()), ""]
        parts += ["```", rest.strip(), "```", "", "| option | meaning | default |", "|---|---|---|"]
        for parameter in command.params:
            if parameter.name == "help":
                continue
            title = ", ".join(parameter.opts) if parameter.opts[0][0] == "-" else parameter.name
            default = "" if parameter.default in (None, False) else parameter.default
            parts.append(f"| `{title}` | {parameter.help} | {default} |")
        parts.append("")
    return "\n".join(parts)


def accuracy_table(summary: Summary) -> str:
    """Markdown of the test accuracy of each variant, beside the paper's on its data set."""
    of_paper = paper.ACCURACY if summary.records.experiment.dataset.name == paper.DATASET else {}
    header = ["variant", "seeds", "test accuracy", "gain over static (95 % interval)"]
    rows = [header + ["paper"] * bool(of_paper)]
    rows.append(["---"] * len(rows[0]))
    for name, variant in summary.variants.items():
        cells = [name, str(len(variant.seeds)), percent(variant.accuracy), ""]
        if (gain := summary.gain(name, "static")) and name != "static":
            cells[3] = f"{100 * gain.mean:+.2f}"
            if gain.interval is not None:
                cells[3] += " ({:+.2f} to {:+.2f})".format(*(100 * end for end in gain.interval))
        if of_paper:
            mean, std = of_paper.get(name, (None, None))
            cells.append("" if mean is None else f"{mean:.2%} ± {std:.2%}")
        rows.append(cells)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def readme() -> str:
    """README.md with its generated parts renewed."""
    text = (ROOT / "README.md").read_text()
    for name, path in RESULTS.items():
        summary = summarise(parse_records(read_rows(path)))
        body = accuracy_table(summary)
        if gain := summary.gain("adaptive", "static"):
            body += f"\n\n{gain_line(gain)}."
        marker = f"<!-- generated: {name} -->"
        pattern = re.compile(re.escape(marker) + r".*?<!-- end -->", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no part {marker} … <!-- end -->")
        replacement = f"{marker}\n{body}\n<!-- end -->"
        text = pattern.sub(lambda _, new=replacement: new, text)
    return text


def documents() -> Iterator[tuple[Path, str]]:
    """Each generated file with what it should hold."""
    yield ROOT / "docs" / "cli.md", cli_reference()
    yield ROOT / "README.md", readme()


def draw() -> None:
    """Renew the figures that README.md shows."""
    with tempfile.TemporaryDirectory() as folder:
        write_report(RESULTS["mnist"], Path(folder))
        for name in FIGURES:
            source = Path(folder) / "figures" / f"{name}.png"
            target = ROOT / "docs" / "figures" / f"mnist-{name}.png"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(source.read_bytes())


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [path for path, text in documents() if not path.exists() or path.read_text() != text]
    if check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale; run: python docs/generate.py")
        return 1 if stale else 0
    for path, text in documents():
        path.write_text(text)
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
