"""The page of training on JPEG files: chosen by its rows, self-contained, complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from bandwise.errors import ResultsError
from bandwise.report import unfinished, write_report
from bandwise.report.straight import holds_trained
from bandwise.results import write_rows

from ..conftest import synthetic_rows
from ..outline import Outline, outline_of
from ..rate_accuracy.synthetic import experiment_row as rate_experiment_row
from .synthetic import straight_rows


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    rows = straight_rows(kept=(24, 12))
    write_rows(folder / "results.jsonl", rows[:-1])
    return write_report(folder / "results.jsonl", folder)


@pytest.fixture(scope="module")
def outline(written: Path) -> Outline:
    return outline_of(written)


def test_rows_decide_which_page_is_written(written: Path) -> None:
    assert holds_trained(straight_rows()[:1])
    assert not holds_trained(synthetic_rows(variants=["static"], seeds=[0], epochs=1))
    assert not holds_trained([rate_experiment_row()])
    assert "<h1>Straight from JPEG on clothes</h1>" in written.read_text(encoding="utf-8")


def test_page_is_whole_and_asks_for_nothing_from_outside(outline: Outline) -> None:
    outline.check_whole()
    assert outline.tags.count("h2") == 7


def test_every_figure_is_inline_and_written(written: Path, outline: Outline) -> None:
    names = {path.stem for path in (written.parent / "figures").glob("*.svg")}
    assert names == {"training-resnet", "kept-resnet-small", "chosen-resnet-small"}
    assert outline.tags.count("svg") == len(names)


def test_what_is_missing_is_said(written: Path, tmp_path: Path) -> None:
    rows = straight_rows(kept=(24, 12))
    assert unfinished(rows) == ""
    assert unfinished(rows[:-1]).startswith(
        "Not finished: resnet-small on 12 frequencies by zigzag"
    )
    assert unfinished(rows[:-1]) in written.read_text(encoding="utf-8")
    with pytest.raises(ResultsError, match="no network is trained yet"):
        write_report(rows[:1], tmp_path)
