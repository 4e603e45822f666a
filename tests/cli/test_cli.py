"""The command line as a person uses it: real processes for what must end well or badly."""

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bandwise.cli.board import Board, weights_text
from bandwise.cli.main import application, run, spread
from bandwise.recipes.reproduce import Job
from bandwise.recipes.runner import Event
from bandwise.results import read_rows
from bandwise.training import EpochResult, StepProgress

QUICK = ["reproduce", "--dataset", "digits", "--seeds", "0", "1", "--epochs", "2"]


# Where the tests run in the background of a shell, SIGINT is ignored and children inherit that.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from bandwise.cli import main
main()
"""


def bandwise(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )


def fails(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one message of a command that has to fail."""
    code = run(list(arguments))
    said = capfd.readouterr().err
    assert code in (1, 2), said
    assert "Traceback" not in said
    return " ".join(said.split())


def without_clock(path: Path) -> list[Any]:
    clock = ("created", "train_seconds", "images_per_second")
    return [
        {name: value for name, value in row.items() if name not in clock} for row in read_rows(path)
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run of the quick experiment."""
    out = tmp_path_factory.mktemp("cli") / "out"
    process = bandwise(*QUICK, "--out", str(out))
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "gain adaptive - static" in output
    return out


def test_a_run_leaves_results_and_a_page_that_needs_no_network(finished: Path) -> None:
    rows = read_rows(finished / "results.jsonl")
    assert sum(row["record"] == "run" for row in rows) == 4
    page = (finished / "report.html").read_text()
    assert "<svg" in page
    for loads in ('src="http', 'href="http', "@import", "url(http"):
        assert loads not in page


def test_a_killed_run_resumes_to_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = bandwise(*QUICK, "--out", str(out), "--workers", "1")
    results = out / "results.jsonl"
    while process.poll() is None:
        if results.exists() and results.read_text().count('"record": "epoch"') >= 3:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.02)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    resumed = bandwise(*QUICK, "--out", str(out))
    _, errors = resumed.communicate()
    assert resumed.returncode == 0, errors
    assert without_clock(results) == without_clock(finished / "results.jsonl")


def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = bandwise(*QUICK, "--out", str(out), "--epochs", "500", "--patience", "0")
    while not (out / "runs").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "the same command resumes" in output
    assert "Traceback" not in output + errors


def test_report_redraws_from_the_results_alone(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_bytes((finished / "results.jsonl").read_bytes())
    assert run(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text() == (finished / "report.html").read_text()


def test_an_output_folder_of_another_run_is_refused(
    finished: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (finished / "results.jsonl").read_bytes()
    said = fails(capfd, *QUICK[:-1], "3", "--out", str(finished))
    assert "another experiment" in said
    assert (finished / "results.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--dataset", "imagenet22k"], "imagenet22k"),
        (["--dataset", "mnist", "--data-dir", "/nonexistent"], "/nonexistent"),
        (["--dataset", "digits", "--bands", "60"], "60 radial bands"),
        (["--dataset", "digits", "--reconstruction-weight", "-1"], "λ"),
        (["--dataset", "digits", "--epochs", "0"], "epochs"),
        (["--dataset", "digits", "--seeds", "0", "0"], "seeds"),
        (["--dataset", "digits", "--seeds", "zero"], "--seeds"),
        (["--dataset", "digits", "--variants", "magic"], "magic"),
        (["--dataset", "digits", "--workers", "-3"], "worker"),
        (["--dataset", "digits", "--device", "tpu"], "tpu"),
        (["--no-such-option"], "no-such-option"),
    ],
)
def test_bad_input_is_one_clear_message(
    arguments: list[str], complaint: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = fails(capfd, "reproduce", *arguments, "--out", str(tmp_path / "out"))
    assert complaint in said
    assert not (tmp_path / "out").exists()


def test_an_output_path_that_is_a_file_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert "file" in fails(capfd, *QUICK, "--out", str(out))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_is_one_clear_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "No space left" in fails(capfd, *QUICK, "--out", str(tmp_path / "out"))


def test_a_report_without_results_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "results.jsonl" in fails(capfd, "report", str(tmp_path))
    (tmp_path / "results.jsonl").write_text('{"record": "epoch"')
    assert "line 1" in fails(capfd, "report", str(tmp_path))


def test_unexpected_errors_have_no_traceback_without_debug(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bandwise.cli.report.write_report", broken)
    assert "RuntimeError" in fails(capfd, "report", str(tmp_path))
    with pytest.raises(RuntimeError, match="a bug"):
        run(["--debug", "report", str(tmp_path)])


def test_every_command_and_option_has_help_and_every_command_an_example() -> None:
    import typer.main

    group = typer.main.get_command(application())
    commands: dict[str, Any] = group.commands  # type: ignore[attr-defined]
    assert {"reproduce", "report"} <= commands.keys()
    for name, command in commands.items():
        assert "Example: bandwise " + name in command.help
        for parameter in command.params:
            assert parameter.help or parameter.name == "help", f"{name}: {parameter.name}"


def test_spread_leaves_other_arguments_alone() -> None:
    given = ["reproduce", "--epochs", "3", "--seeds", "0", "1", "2", "--controls"]
    wanted = ["reproduce", "--epochs", "3", "--seeds", "0", "--seeds", "1", "--seeds", "2"]
    assert spread(given, {"--seeds"}) == [*wanted, "--controls"]


def test_the_board_shows_rate_time_left_losses_accuracy_and_weights() -> None:
    job = Job(variant="adaptive", seed=0)
    epoch = EpochResult(
        epoch=1,
        learning_rate=0.01,
        train_loss=0.5,
        train_task_loss=0.4,
        train_reconstruction_loss=1.0,
        validation_loss=0.25,
        validation_task_loss=0.25,
        validation_accuracy=0.875,
        test_accuracy=0.8625,
        test_per_class=(0.5,),
        band_weights=(0.75, 0.25),
        train_seconds=2.0,
        images=1000,
    )
    console = Console(force_terminal=True, width=140, record=True, file=StringIO())
    with Board(console, [job], epochs=10) as board:
        board.hear(Event(job, None))
        board.hear(Event(job, StepProgress(epoch=1, step=5, steps=10, loss=0.7)))
        board.hear(Event(job, epoch))
        board.hear(Event(job, StepProgress(epoch=2, step=5, steps=10, loss=0.3)))
        console.print(board.render())
    shown = console.export_text()
    for part in (
        "adaptive-seed0",
        "2/10",
        "500",
        "0.3000",
        "87.50%",
        "86.25%",
        "0.75 0.25",
        "left",
    ):
        assert part in shown


def test_many_weights_are_shown_as_bars_alone() -> None:
    assert len(weights_text([1.0] * 64)) == 64


def test_results_are_json_lines(finished: Path) -> None:
    for line in (finished / "results.jsonl").read_text().splitlines():
        assert "record" in json.loads(line)
