"""The page as a whole: self-contained, escaped, complete, reproducible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib import rcParams
from PIL import Image

from bandwise.errors import OutputError, ResultsError
from bandwise.report import write_report
from bandwise.report.drawing import house_style, inline_svg, new_figure, to_png, to_svg
from bandwise.report.page import write_page
from bandwise.report.records import parse_records
from bandwise.report.sections import training_page
from bandwise.report.sections.background import provenance_section
from bandwise.report.sections.outcome import headline
from bandwise.report.sections.training import classes_section
from bandwise.report.summary import summarise
from bandwise.results import write_rows

from .conftest import Row, synthetic_rows
from .outline import Outline, outline_of


@pytest.fixture(scope="module")
def outline(written: Path) -> Outline:
    return outline_of(written / "report.html")


def test_page_asks_for_nothing_from_outside(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\((?!#)", page)
    addresses = set(re.findall(r"https?://[^\"' <]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_page_is_well_formed_and_addressable(outline: Outline) -> None:
    outline.check_whole()
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("h2") == 10


def test_every_figure_is_inline_named_and_written(written: Path, outline: Outline) -> None:
    names = {path.stem for path in (written / "figures").glob("*.svg")}
    assert names == {path.stem for path in (written / "figures").glob("*.png")}
    assert outline.tags.count("svg") == outline.tags.count("figure") == len(names) == 9
    for name in names:
        assert {f"{name}-title", f"{name}-desc"} <= set(outline.ids)
        with Image.open(written / "figures" / f"{name}.png") as image:
            assert image.width == pytest.approx(8.5 * 160, abs=1)
    assert "text" not in outline.tags  # letters are paths, so no font is needed


def test_unfinished_run_is_stated(outline: Outline) -> None:
    assert "Not finished: none" not in " ".join(outline.text)
    assert "Not finished: no weighting, seed 2 (epoch 2)." in " ".join(outline.text)


def test_both_themes_define_the_same_variables(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    used = set(re.findall(r"var\((--[\w-]+)\)", page))
    by_system, by_choice = re.findall(r"color-scheme: dark;(.*?)\}", page, re.DOTALL)
    light = re.search(r"color-scheme: light;(.*?)\}", page, re.DOTALL)
    assert light is not None
    for theme in (light[1], by_system, by_choice):
        assert used <= set(re.findall(r"(--[\w-]+):", theme))


def test_text_from_rows_is_escaped(tmp_path: Path) -> None:
    classes = ["<script>alert(1)</script>", "$x", "日本", "a class with a name that is long"]
    rows = synthetic_rows(
        variants=["static"],
        seeds=[0],
        epochs=1,
        classes=classes,
        image_shape=(1, 8, 8),
        band_count=2,
        dataset='<img src=x onerror="1">',
    )
    builders = (headline, classes_section, provenance_section)
    page_of_three = training_page(summarise(parse_records(rows)), builders=builders)
    page = write_page(page_of_three, tmp_path).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a class with a name that is long" in page


def without_curves_and_images() -> list[Row]:
    """Rows that make a page with one figure."""
    rows = synthetic_rows(variants=["static"], seeds=[0], epochs=1, image_shape=(1, 8, 8))
    return [row for row in rows if row["record"] in ("experiment", "run")]


def test_sections_without_rows_are_left_out(tmp_path: Path) -> None:
    write_rows(tmp_path / "results.jsonl", without_curves_and_images())
    path = write_report(tmp_path / "results.jsonl", tmp_path)
    assert path == tmp_path / "report.html"
    assert [figure.name for figure in (tmp_path / "figures").glob("*.svg")] == ["classes.svg"]
    headings = re.findall("<h2[^>]*>(.*?)</h2>", path.read_text(encoding="utf-8"))
    assert "Classes" in headings
    assert "Training" not in headings
    assert "The gain" not in headings


def test_missing_and_damaged_results(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="absent"):
        write_report(tmp_path / "absent.jsonl", tmp_path)
    (tmp_path / "cut.jsonl").write_text('{"record": "experiment", "sch', encoding="utf-8")
    with pytest.raises(ResultsError, match="line 1"):
        write_report(tmp_path / "cut.jsonl", tmp_path)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here first")
    with pytest.raises(OutputError, match="cannot write"):
        write_report(without_curves_and_images(), tmp_path / "file")


def test_drawing_is_reproducible_and_leaves_settings_alone() -> None:
    before = dict(rcParams)

    def draw() -> tuple[bytes, bytes]:
        with house_style():
            figure = new_figure(1)
            axes = figure.subplots()
            axes.plot([0, 1], clip_on=True)
        return to_svg(figure), to_png(figure)

    assert draw() == draw()
    assert dict(rcParams) == before


def test_inline_svg_is_named_prefixed_and_themed() -> None:
    svg = (
        b'<?xml version="1.0"?><!DOCTYPE svg><svg width="1"><g id="a" style="fill: #0072b2">'
        b'<use xlink:href="#b"/><path clip-path="url(#c)" style="fill: #123456"/></g></svg>'
    )
    text = inline_svg(svg, name="n", title="T<", description="D", band_count=2)
    assert text.startswith('<svg role="img" aria-labelledby="n-title n-desc" width="1">')
    assert '<title id="n-title">T&lt;</title>' in text
    assert 'id="n-a"' in text
    assert 'href="#n-b"' in text
    assert "url(#n-c)" in text
    assert "fill: var(--c-0072b2)" in text
    assert "fill: #123456" in text
