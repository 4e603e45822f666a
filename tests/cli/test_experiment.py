"""``bandwise experiment`` from data to a report."""

from pathlib import Path

import pytest

from bandwise.cli.main import run
from bandwise.results import LearnedTables, Measurement, Results, Trained
from tests.cli.terminal import said


def finish(command: list[str], out: Path, capfd: pytest.CaptureFixture[str]) -> Results:
    """Run an experiment, and run it again, which does nothing again; return its results."""
    assert run(["experiment", *command, "--out", str(out)]) == 0
    text = said(capfd)[0]
    for name in ("results.jsonl", "report.html"):
        assert str(out / name) in text
    page = (out / "report.html").read_text()
    assert "<svg" in page
    for loads in ('src="http', 'href="http', "@import", "url(http"):
        assert loads not in page
    before = (out / "results.jsonl").read_bytes()
    assert run(["experiment", *command, "--out", str(out)]) == 0
    assert said(capfd)[1] == ""
    assert (out / "results.jsonl").read_bytes() == before
    return Results.load(out)


def test_rate_accuracy(jpegs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [
        *("rate-accuracy", str(jpegs), "--network", "small-cnn", "--colour", "grey"),
        *("--epochs", "1", "--images", "12", "--transfer", "none", "--codecs", "libjpeg"),
        *("--libjpeg-every", "24", "--slopes", "1e-6", "1e-5", "1e-4", "1e-3"),
    ]
    results = finish(command, tmp_path / "out", capfd)
    codecs = {each.codec for each in results.of(Measurement)}
    assert codecs == {"original", "libjpeg", "bandwise", "bandwise guided", "libjpeg guided"}
    assert [each.label for each in results.of(LearnedTables)] == [
        f"sensitivity {slope}" for slope in ("1e-06", "1e-05", "0.0001", "0.001")
    ]


def test_jpeg_training(jpegs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [
        *("jpeg-training", str(jpegs), "--twins", "resnet-small", "--network", "resnet-small"),
        *("--keep", "8", "--seeds", "0", "--epochs", "1", "--workers", "1"),
    ]
    results = finish(command, tmp_path / "out", capfd)
    assert len(results.of(Trained)) == 2 + 3
    assert {each.kept for each in results.of(Trained)} == {None, 8}
