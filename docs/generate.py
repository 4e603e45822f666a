"""Write the parts of the documentation that come from the code and from the results.

    python docs/generate.py            writes docs/cli.md, tables of results, figures
    python docs/generate.py --check    fails where a file is not what would be written

Figures are drawn only when writing: their bytes depend on the version of the drawing library.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main
from result_parts import FIGURES, figure_path, results_part

from bandwise.cli.main import EXIT_CODES, all_commands, application
from bandwise.report import write_report
from bandwise.results import Results

ROOT = Path(__file__).resolve().parents[1]
RESULTS = {path.parent.name: path for path in sorted(ROOT.glob("results/*/results.jsonl"))}
"""Results by name; a page has a part for each, and may have parts for those yet to come."""

PAGES = {"straight-longer": "docs/straight-from-jpeg.md"}
"""Pages with parts of results, by the name of the results; README.md has all others."""


def cli_reference() -> str:
    """Markdown of every command with its help and options, and of the exit codes."""
    parts = ["# Command line", "", "Generated from the code by `docs/generate.py`.", ""]
    parts += ["## bandwise", "", "Options that stand before the command:", ""]
    parts += options_table(typer.main.get_command(application()))
    parts += ["| exit code | meaning |", "|---|---|"]
    parts += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    parts.append("")
    for name, command in all_commands():
        summary, _, rest = command.help.partition("Example: ")
        parts += [f"## bandwise {name}", "", " ".join(summary.split()), ""]
        parts += ["```", " ".join(rest.split()), "```", "", *options_table(command)]
    return "\n".join(parts)


def options_table(command: Any) -> list[str]:
    """Lines of a table with the arguments and options of a command."""
    rows = ["| option | meaning | default |", "|---|---|---|"]
    for parameter in command.params:
        if parameter.name == "help":
            continue
        if parameter.param_type_name == "argument":
            title = parameter.metavar or parameter.name.upper()
        else:
            title = ", ".join(parameter.opts)
        default = "" if parameter.default in (None, False) else parameter.default
        if parameter.required:
            default = "required"
        rows.append(f"| `{title}` | {parameter.help} | {default} |")
    return [*rows, ""]


def readme(text: str, results: Mapping[str, Path]) -> str:
    """Text of README.md, or of another page, with its parts of the given results renewed."""
    for name, path in results.items():
        marker = f"<!-- generated: {name} -->"
        pattern = re.compile(re.escape(marker) + r".*?<!-- end -->", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"the page of {name} has no part {marker} … <!-- end -->")
        part = f"{marker}\n{results_part(name, Results.load(path))}\n<!-- end -->"
        text = pattern.sub(lambda _, new=part: new, text)
    return text


def documents() -> Iterator[tuple[Path, str]]:
    """Each generated file with what it should hold."""
    yield ROOT / "docs" / "cli.md", cli_reference()
    for page in ("README.md", *PAGES.values()):
        here = {name: at for name, at in RESULTS.items() if PAGES.get(name, "README.md") == page}
        yield ROOT / page, readme((ROOT / page).read_text(), here)


def draw() -> None:
    """Renew the figures that pages show."""
    for name in FIGURES.keys() & RESULTS.keys():
        with tempfile.TemporaryDirectory() as folder:
            write_report(Results.load(RESULTS[name]), Path(folder))
            for figure, shown in FIGURES[name].items():
                target = ROOT / figure_path(shown)
                target.parent.mkdir(exist_ok=True)
                target.write_bytes((Path(folder) / "figures" / f"{figure}.png").read_bytes())


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
