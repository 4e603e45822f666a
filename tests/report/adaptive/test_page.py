"""The page of tables for each image: chosen by its rows, self-contained, complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from bandwise.errors import ResultsError
from bandwise.report import unfinished, write_report
from bandwise.report.adaptive import holds_codebooks
from bandwise.results import write_rows

from ..outline import Outline, outline_of
from ..rate_accuracy.synthetic import rate_rows
from .synthetic import adaptive_rows


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_rows(folder / "results.jsonl", adaptive_rows())
    return write_report(folder / "results.jsonl", folder)


@pytest.fixture(scope="module")
def outline(written: Path) -> Outline:
    return outline_of(written)


def test_rows_decide_which_page_is_written(written: Path) -> None:
    assert holds_codebooks(adaptive_rows(seeds=(0,)))
    assert not holds_codebooks(rate_rows(images=60, examples=0, retrained=(), transfer=False))
    assert "<h1>Tables for each image of clothes</h1>" in written.read_text(encoding="utf-8")


def test_page_is_whole_and_asks_for_nothing_from_outside(outline: Outline) -> None:
    outline.check_whole()
    assert outline.tags.count("h2") == 10


def test_every_figure_is_inline_and_written(written: Path, outline: Outline) -> None:
    names = {path.stem for path in (written.parent / "figures").glob("*.svg")}
    assert names == {"savings", "accuracy", "divergence", "rungs", "sizes", "ladder", "kinds"}
    assert outline.tags.count("svg") == len(names)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    rows = adaptive_rows(seeds=(0,))
    assert unfinished(rows) == ""
    begun = [r for r in rows if r["record"] != "point" or r["split"] != "test"]
    with pytest.raises(ResultsError, match="no codebook is measured on the test images yet"):
        write_report(begun, tmp_path)
    with pytest.raises(ResultsError, match="no codebook is measured on the test images yet"):
        unfinished(begun)
