"""Result rows with provenance, kept as JSON lines.

A results file holds one JSON object a line, told apart by ``record``:

    experiment   what was run: data set, bands, settings, versions, machine
    sample       a test image, so that pictures can be redrawn from the rows alone
    epoch        one epoch of one run
    run          a finished run, with its provenance

Results are the only bridge to the report: every figure can be redrawn without a model.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bandwise.errors import ResultsError
from bandwise.files import parse_json, write_atomically
from bandwise.system import available_cores as available_cores

SCHEMA = 1
"""Version of the rows' layout; a reader refuses a newer one."""

RESULTS_NAME = "results.jsonl"

Row = dict[str, Any]


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, atomically."""
    lines = (json.dumps(row, allow_nan=False) + "\n" for row in rows)
    write_atomically(path, "".join(lines).encode())


def read_rows(path: Path) -> list[Row]:
    """Read rows of a results file.

    Raises
    ------
    ResultsError
        If the file is missing, a line is not a JSON object with a ``record``, or the layout is
        newer than this version understands.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(
            f"cannot read results from {path}: {error}; name the output folder of a run"
        ) from error
    rows: list[Row] = []
    lines = text.split("\n")  # and at nothing else that str.splitlines takes for an end
    for number, line in enumerate(lines if lines[-1] else lines[:-1], start=1):
        try:
            row = parse_json(line)
        except ValueError as error:
            raise ResultsError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict) or not isinstance(row.get("record"), str):
            raise ResultsError(f"{path}, line {number}: expected an object with a 'record'")
        if row["record"] == "experiment" and row.get("schema") != SCHEMA:
            raise ResultsError(
                f"{path}, line {number}: layout {row.get('schema')!r}, this version of bandwise "
                f"reads layout {SCHEMA}; use the version that wrote it"
            )
        rows.append(row)
    if not rows:
        raise ResultsError(f"{path} is empty; run the experiment again into a new folder")
    return rows


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    packages = ("bandwise", "torch", "numpy", "scipy", "scikit-learn", "pillow")
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return the machine in words: processor, cores, memory in bytes, platform."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "platform": platform.platform(),
    }


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value, the same for equal values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
