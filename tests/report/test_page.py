"""Every page as a whole: self-contained, escaped, complete, reproducible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib import rcParams
from PIL import Image

from bandwise.errors import OutputError, ResultsError
from bandwise.report import summary, unfinished, write_report
from bandwise.report.charts import panels
from bandwise.report.style import RoundNumbers, inline_svg, luminance, text_on, to_png, to_svg
from bandwise.report.table import Table
from bandwise.results import Results

from .outline import Outline, outline_of
from .synthetic import RESULTS, experiment, paper_results, results_of

FIGURES = {
    "paper": {"gain", "losses", "accuracy", "classes", "weights", "bands", "images", "spectra"},
    "rate_accuracy": {
        *("frozen", "divergence", "retrained"),
        *("tables", "importance", "transfer-1", "estimates"),
    },
    "training": {"training-resnet", "kept-small", "chosen-small"},
}
SECTIONS = {
    "paper": [
        *("outcome", "paper", "gain", "controls", "training", "classes", "weights", "images"),
        *("limits", "provenance"),
    ],
    "rate_accuracy": [
        *("outcome", "bytes", "frozen", "retrained", "examples", "tables", "transfer"),
        *("estimates", "learning", "limits", "provenance"),
    ],
    "training": ["outcome", "twins", "training", "kept", "chosen", "limits", "provenance"],
}


@pytest.fixture(scope="module", params=RESULTS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(RESULTS[kind](), tmp_path_factory.mktemp(kind))


@pytest.fixture(scope="module")
def outline(page: Path) -> Outline:
    return outline_of(page)


def sections_of(page: Path) -> dict[str, str]:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'<section id="([\w-]+)".*?</h2>(.*?)</section>', text, re.DOTALL)
    return dict(found)


def test_a_page_asks_for_nothing_from_outside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\((?!#)", text)
    addresses = set(re.findall(r"https?://[^\"' <]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_page_is_well_formed_with_every_section_and_none_empty(
    kind: str, page: Path, outline: Outline
) -> None:
    outline.check_whole()
    assert outline.tags.count("h1") == 1
    sections = sections_of(page)
    assert list(sections) == SECTIONS[kind]
    for name, body in sections.items():
        assert re.sub(r"<[^>]*>|\s", "", body), name


def test_every_figure_is_inline_named_and_written(kind: str, page: Path, outline: Outline) -> None:
    written = {path.stem for path in (page.parent / "figures").glob("*.svg")}
    assert written == {path.stem for path in (page.parent / "figures").glob("*.png")}
    assert written == FIGURES[kind]
    assert outline.tags.count("svg") == outline.tags.count("figure") == len(written)
    for name in written:
        assert {f"{name}-title", f"{name}-desc"} <= set(outline.ids)
        with Image.open(page.parent / "figures" / f"{name}.png") as image:
            assert image.width == pytest.approx(8.5 * 160, abs=1)
    assert "text" not in outline.tags  # letters are paths, so no font is needed


def test_a_page_has_no_gaps_where_a_value_is_missing(page: Path) -> None:
    text = " ".join(outline_of(page).text)
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b|Undefined|<function|object at 0x", text)


def test_both_dark_themes_set_the_same_colours(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    by_system, by_choice = (
        set(re.findall(r"(--c-\w+):", theme))
        for theme in re.findall(r"color-scheme: dark;(.*?)\}", text, re.DOTALL)
    )
    assert by_system == by_choice
    assert {"--c-1b1f24", "--c-ffffff"} <= by_system
    drawn = set(re.findall(r"var\((--c-\w+), #", text))
    assert by_system & drawn


def test_a_page_states_the_tables_of_the_summary(kind: str, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    tables = [item for item in summary(RESULTS[kind]()) if isinstance(item, Table)]
    assert tables
    assert all(str(table.to_html()).split("</table>")[0] in text for table in tables)


@pytest.mark.parametrize("folder", sorted(Path("results").glob("*/results.jsonl")), ids=str)
def test_committed_results_have_a_summary(folder: Path) -> None:
    items = summary(Results.load(folder))
    assert isinstance(items[0], Table)
    assert items[0].texts


def test_a_page_of_committed_results_is_whole(tmp_path: Path) -> None:
    outline_of(write_report(Results.load(Path("results/straight-longer")), tmp_path)).check_whole()


def test_text_from_results_is_escaped(tmp_path: Path) -> None:
    names = ("<script>alert(1)</script>", "$x", "日本")
    results = paper_results(
        variants=["static"], seeds=[0], epochs=1, classes=names, name='<img src=x onerror="1">'
    )
    text = write_report(results, tmp_path).read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_results_of_an_unknown_recipe_and_without_anything_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no page"):
        write_report(results_of(experiment("cook")), tmp_path)
    for recipe in ("evaluate", "straight-from-jpeg"):
        with pytest.raises(ResultsError, match="again"):
            write_report(results_of(experiment(recipe)), tmp_path)


def test_finished_results_are_not_called_unfinished(kind: str) -> None:
    assert unfinished(RESULTS[kind]()) == ""


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here first")
    results = paper_results(variants=["static"], seeds=[0], epochs=1, samples=0)
    with pytest.raises(OutputError, match="cannot write"):
        write_report(results, tmp_path / "file")


def test_drawing_is_reproducible_and_leaves_settings_alone() -> None:
    before = dict(rcParams)

    def draw() -> tuple[bytes, bytes]:
        with panels(1) as (figure, grid):
            grid[0, 0].plot([0, 1], clip_on=True)
        return to_svg(figure), to_png(figure)

    assert draw() == draw()
    assert dict(rcParams) == before


def test_inline_svg_is_named_prefixed_and_themed() -> None:
    svg = (
        b'<?xml version="1.0"?><!DOCTYPE svg><svg width="1"><g id="a" style="fill: #0072b2">'
        b'<use xlink:href="#b"/><path clip-path="url(#c)"/></g></svg>'
    )
    text = inline_svg(svg, name="n", title="T<", description="D")
    assert text == (
        '<svg role="img" aria-labelledby="n-title n-desc" width="1"><title id="n-title">T&lt;'
        '</title><desc id="n-desc">D</desc><g id="n-a" style="fill: var(--c-0072b2, #0072b2)">'
        '<use xlink:href="#n-b"/><path clip-path="url(#n-c)"/></g></svg>'
    )


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 100, [1, 2, 5, 10, 20, 50, 100]),
        (700, 1300, [800, 1000]),
        (0.02, 0.3, [0.02, 0.05, 0.1, 0.2]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert RoundNumbers().tick_values(low, high) == pytest.approx(ticks)


def test_text_stands_out_on_any_colour() -> None:
    assert luminance((1, 1, 1)) == pytest.approx(1)
    assert (text_on((1, 1, 0.9)), text_on((0, 0.1, 0.2))) == ("#111111", "#fefefe")
