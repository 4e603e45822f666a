"""``bandwise adaptive`` as a person uses it."""

import functools
import io
from pathlib import Path

import pytest
from rich.console import Console

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.cli.parts import print_parts
from bandwise.data import Dataset
from bandwise.evaluation import GuidedCodec
from bandwise.learning import PolicyConfig
from bandwise.recipes.adaptive import AdaptiveConfig
from bandwise.recipes.codebooks import CodebookConfig
from bandwise.report.adaptive import adaptive_summary
from bandwise.results import read_rows
from tests.cli.terminal import said
from tests.report.adaptive.synthetic import adaptive_rows

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

QUICK = [
    *("adaptive", "digits", "--network", "small-cnn", "--epochs", "1", "--images", "60"),
    *("--codebooks", "1", "2", "--with-rate", "2", "--seeds", "0"),
]


@pytest.fixture
def few_prices(few_digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Few digits at few prices of a bit."""
    guided = functools.partial(GuidedCodec, tolerances=(0.01, 1.0))
    monkeypatch.setattr("bandwise.recipes.adaptive.GuidedCodec", guided)
    prices = (1e-5, 1e-4, 1e-3)
    quick = functools.partial(CodebookConfig, slopes=prices, policy=PolicyConfig(epochs=1))
    config = functools.partial(AdaptiveConfig, slopes=prices, band_parts=("weights",))
    monkeypatch.setattr("bandwise.recipes.codebooks.CodebookConfig", quick)
    monkeypatch.setattr("bandwise.recipes.adaptive.AdaptiveConfig", config)
    return few_digits


@pytest.mark.usefixtures("few_prices")
def test_an_experiment_ends_with_savings_and_a_page_and_resumes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run([*QUICK, "--out", str(out)]) == 0
    text, err = said(capfd)
    assert err == ""
    for words in ("training small-cnn 1/1", "measuring", "one table", "codebook of 2 + rate"):
        assert words in text
    assert "The target of 15 % fewer bytes at ≤ 1 point" in text
    assert f"report  {out / 'report.html'}" in text
    page = (out / "report.html").read_text()
    assert "<h1>Tables for each image of digits</h1>" in page
    assert "Which images get which" in page
    rows = read_rows(out / "results.jsonl")
    shown = [row for row in rows if row["record"] == "example"]
    assert [row["codec"] for row in shown] == ["original", "bandwise adaptive"] * 12
    chosen = next(
        row
        for row in rows
        if row["record"] == "choices"
        and (row["family"], row["label"], row["split"])
        == (shown[1]["family"], shown[1]["setting_label"], "test")
    )
    assert shown[1]["family"] == "bandwise adaptive: codebook of 2 + rate"
    rungs = [chosen["rungs"][row["index"]] for row in shown[1::2]]
    assert sorted(rungs[:6]) == sorted(chosen["rungs"])[:6]
    assert sorted(rungs[6:]) == sorted(chosen["rungs"])[-6:]
    monkeypatch.setattr("bandwise.report.write_report", lambda *_: out / "report.html")
    assert run([*QUICK, "--out", str(out)]) == 0
    text = said(capfd)[0]
    assert "training" not in text
    assert "measuring" not in text
    assert read_rows(out / "results.jsonl") == rows


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--network", "magic"], 2, "unknown network 'magic'"),
        (["--with-rate", "4"], 2, "every codebook with a rate also without"),
        (["--weights", "none.safetensors"], 1, "none.safetensors cannot be read"),
    ],
)
@pytest.mark.usefixtures("few_prices")
def test_bad_input_is_one_message_before_any_work(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str], code: int, message: str
) -> None:
    out = tmp_path / "out"
    assert run([*QUICK, "--out", str(out), *options]) == code
    err = said(capfd)[1]
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not out.exists()


def printed(**options: object) -> list[str]:
    stream = io.StringIO()
    rows = adaptive_rows(**options)  # type: ignore[arg-type]
    print_parts(Console(file=stream, width=140), adaptive_summary(rows))
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_the_table_has_means_savings_and_intervals() -> None:
    lines = printed()
    assert "one table 3 6,400 79.00% ± 0.00% – – –" in lines
    saved = "9.0% (6.5% to 11.5%)"
    assert f"rate 3 5,824 79.00% ± 0.00% {saved} {saved} {saved}" in lines
    assert "oracle 1 3,200 79.00% 50.0% 50.0% –" in lines


def test_the_table_marks_what_misses_the_bound_on_test() -> None:
    lines = printed(seeds=(0,), lost_on_test=(0, 0, 4, 4, 10))
    assert any(line.startswith("rate 1 5,760 76.00%* 10.0%") for line in lines)
    assert any(line.startswith("The bound was met on validation but is missed") for line in lines)
