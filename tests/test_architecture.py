"""The layers of ``[tool.importlinter]`` in pyproject.toml: they hold, and breaking them shows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = "from importlinter.cli import lint_imports; exit(lint_imports(no_cache=True, no_logo=True))"


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of the project in ``tree``, in a process that has not imported it."""
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_contracts_are_kept() -> None:
    checked = lint(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    "broken",
    [
        [
            ("stray.py", "", "bandwise.stray"),
            ("frequency/stray.py", "", "bandwise.frequency.stray"),
        ],
        [
            ("frequency/dct.py", "import bandwise.training", "bandwise.frequency is not allowed"),
            ("frequency/dct.py", "from . import transform", "dct is not allowed to import"),
            ("data/__init__.py", "import bandwise.models", "bandwise.data is not allowed to"),
        ],
    ],
    ids=["modules in no layer", "imports"],
)
def test_broken_contracts_are_reported(tmp_path: Path, broken: list[tuple[str, str, str]]) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    python_sources = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.h")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=python_sources)
    for module, line, _ in broken:
        with (tmp_path / "src/bandwise" / module).open("a") as source:
            source.write(f"\n{line}\n")
    checked = lint(tmp_path)
    assert checked.returncode == 1
    for *_, complaint in broken:
        assert complaint in checked.stdout
