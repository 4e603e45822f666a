"""Examples in docstrings run and say what they claim."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import bandwise

ROOT = Path(bandwise.__file__).parent
NAMES = [
    ".".join(["bandwise", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text() and path.name != "__main__.py"
]
"""Modules with examples; the others are not imported."""


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_hold(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
