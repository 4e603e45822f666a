"""The page of a rate-accuracy experiment: chosen by its rows, self-contained, complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from bandwise.errors import ResultsError
from bandwise.report import unfinished, write_report
from bandwise.report.rate_accuracy import holds_points
from bandwise.results import write_rows

from ..conftest import synthetic_rows
from ..outline import Outline, outline_of
from .synthetic import FEW, rate_rows


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_rows(folder / "results.jsonl", rate_rows(families=FEW, images=80, examples=2))
    return write_report(folder / "results.jsonl", folder)


@pytest.fixture(scope="module")
def outline(written: Path) -> Outline:
    return outline_of(written)


def test_rows_decide_which_page_is_written(written: Path) -> None:
    assert holds_points(rate_rows(families=FEW, images=40))
    assert not holds_points(synthetic_rows(variants=["static"], seeds=[0], epochs=1))
    assert "<h1>Bytes and accuracy on clothes</h1>" in written.read_text(encoding="utf-8")


def test_what_is_not_tested_yet_is_said(written: Path, tmp_path: Path) -> None:
    rows = rate_rows(families=FEW, images=80)
    assert unfinished(rows) == ""
    tested = [row for row in rows if row.get("split") == "test" and row["codec"] != "original"]
    cut = [row for row in rows if row not in tested[:2]]
    assert unfinished(cut).startswith("Not finished: ")
    page = write_report(cut, tmp_path).read_text(encoding="utf-8")
    assert unfinished(cut) in page
    assert "Not finished" not in written.read_text(encoding="utf-8")
    for begun in ([row for row in rows if row not in tested], rows[:1]):
        with pytest.raises(ResultsError, match="nothing is measured on the test images yet"):
            write_report(begun, tmp_path)


def test_page_is_whole_and_asks_for_nothing_from_outside(outline: Outline) -> None:
    outline.check_whole()
    assert outline.tags.count("h2") == 11


def test_every_figure_is_inline_and_written(written: Path, outline: Outline) -> None:
    names = {path.stem for path in (written.parent / "figures").glob("*.svg")}
    assert names == {
        "frozen",
        "divergence",
        "retrained",
        "tables",
        "importance",
        "transfer-1",
        "estimates",
    }
    assert outline.tags.count("svg") == len(names)


def test_single_images_are_embedded_files(outline: Outline) -> None:
    files = [target for target in outline.targets if target.startswith("data:image/jpeg;base64,")]
    assert len(files) == 4  # two images by two codecs
