"""``bandwise rate-accuracy`` as a person uses it."""

import functools
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.data import Dataset
from bandwise.evaluation import GuidedCodec
from bandwise.results import read_rows
from tests.cli.terminal import said

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

QUICK = [
    *("rate-accuracy", "digits", "--network", "small-cnn", "--epochs", "1", "--images", "50"),
    *("--transfer", "none", "--codecs", "libjpeg"),
    *("--libjpeg-every", "24", "--slopes", "1e-6", "1e-5", "1e-4", "1e-3"),
]


@pytest.fixture
def few_rates(few_digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Few digits at few tolerances."""
    guided = functools.partial(GuidedCodec, tolerances=(0.01, 0.1, 1.0))
    monkeypatch.setattr("bandwise.recipes.rate_accuracy.GuidedCodec", guided)
    return few_digits


@pytest.mark.usefixtures("few_rates")
def test_an_experiment_ends_with_savings_and_a_page_and_resumes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run([*QUICK, "--out", str(out)]) == 0
    text, err = said(capfd)
    assert err == ""
    for word in ("training small-cnn 1/1", "measuring", "bandwise", "libjpeg guided"):
        assert word in text
    assert f"report  {out / 'report.html'}" in text
    page = (out / "report.html").read_text()
    assert "<svg" in page
    rows = read_rows(out / "results.jsonl")
    assert {row["codec"] for row in rows if row["record"] == "point"} == {
        *("original", "libjpeg", "bandwise", "bandwise guided", "libjpeg guided")
    }
    assert [row["label"] for row in rows if row["record"] == "profile"] == [
        f"sensitivity {slope}" for slope in ("1e-06", "1e-05", "0.0001", "0.001")
    ]
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
        (["--transfer", "magic"], 2, "unknown network 'magic'"),
        (["--transfer", "plain-cnn"], 2, "plain-cnn cannot read images of 8×8"),
        (["--transfer", "small-cnn"], 2, "name another network"),
        (["--codecs", "magic"], 2, "no codec or family 'magic'"),
        (["--weights", "none.safetensors"], 1, "none.safetensors cannot be read"),
    ],
)
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


def test_an_unknown_data_set_is_one_message(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rate-accuracy", "no-such-data"]) == 1
    err = said(capfd)[1]
    assert "no-such-data" in err
    assert err.count("\n") == 1
