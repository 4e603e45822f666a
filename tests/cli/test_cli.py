"""The command line as a person uses it: real processes for what must end well or badly."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bandwise.cli.board import LINE_WIDTH, Board, weights_text
from bandwise.cli.main import COMMANDS, EXIT_CODES, load_command, run, spread
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


def fails(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    """The one message of a command that has to fail."""
    found = run(list(arguments))
    said = capfd.readouterr().err
    assert found == code, said
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


@pytest.mark.parametrize(
    ("sent", "said", "code"),
    [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)],
)
def test_a_run_that_is_stopped_says_how_to_go_on(
    tmp_path: Path, sent: signal.Signals, said: str, code: int
) -> None:
    out = tmp_path / "out"
    process = bandwise(*QUICK, "--out", str(out), "--epochs", "500", "--patience", "0")
    while not (out / "runs").exists():
        time.sleep(0.02)
    process.send_signal(sent)
    output, errors = process.communicate()
    assert process.returncode == code, errors
    assert errors == f"{said}; finished epochs are kept, the same command resumes\n"
    assert "Traceback" not in output


def test_report_redraws_from_the_results_alone(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_bytes((finished / "results.jsonl").read_bytes())
    assert run(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text() == (finished / "report.html").read_text()


def test_an_output_folder_of_another_run_is_refused(
    finished: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (finished / "results.jsonl").read_bytes()
    said = fails(capfd, *QUICK[:-1], "3", "--out", str(finished), code=2)
    assert "another experiment" in said
    assert (finished / "results.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "complaint", "code"),
    [
        (["--dataset", "imagenet22k"], "imagenet22k", 1),
        (["--dataset", "mnist", "--data-dir", "/nonexistent"], "/nonexistent", 1),
        (["--dataset", "digits", "--bands", "60"], "60 radial bands", 2),
        (["--dataset", "digits", "--reconstruction-weight", "-1"], "λ", 2),
        (["--dataset", "digits", "--epochs", "0"], "epochs", 2),
        (["--dataset", "digits", "--seeds", "0", "0"], "seeds", 2),
        (["--dataset", "digits", "--seeds", "zero"], "--seeds", 2),
        (["--dataset", "digits", "--variants", "magic"], "magic", 2),
        (["--dataset", "digits", "--workers", "-3"], "worker", 2),
        (["--dataset", "digits", "--device", "tpu"], "tpu", 2),
        (["--no-such-option"], "no-such-option", 2),
    ],
)
def test_bad_input_is_one_clear_message(
    arguments: list[str],
    complaint: str,
    code: int,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    said = fails(capfd, "reproduce", *arguments, "--out", str(tmp_path / "out"), code=code)
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


def test_a_report_of_an_unfinished_run_says_what_is_missing(
    finished: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = read_rows(finished / "results.jsonl")
    last = max(index for index, row in enumerate(rows) if row["record"] == "run")
    missing = rows.pop(last)
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["report", str(finished), "--out", str(tmp_path / "whole")]) == 0
    assert "Not finished" not in capfd.readouterr().out
    assert run(["report", str(tmp_path)]) == 0
    said = capfd.readouterr().out
    assert f"Not finished: {missing['variant']}, seed {missing['seed']} (epoch 2)" in said


def test_unexpected_errors_have_no_traceback_without_debug(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bandwise.cli.report.read_rows", broken)
    assert "RuntimeError" in fails(capfd, "report", str(tmp_path))
    with pytest.raises(RuntimeError, match="a bug"):
        run(["--debug", "report", str(tmp_path)])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_its_options_and_its_line_in_the_list_are_documented(name: str) -> None:
    command = load_command(name)
    assert command.help.startswith(COMMANDS[name])
    assert "Example: bandwise " + name in command.help
    for parameter in command.params:
        assert parameter.help or parameter.name == "help", f"{name}: {parameter.name}"


NO_TORCH = """
import sys
from bandwise.cli.main import run
code = run(sys.argv[1:])
heavy = [name for name in ("torch", "sklearn") if name in sys.modules]
sys.exit(f"imported {heavy}" if heavy else code)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "143 terminated"),
        (["--version"], 0, f"bandwise {metadata.version('bandwise')}"),
        (["no-such-command"], 2, "no-such-command"),
        (["reproduce", "--help"], 0, "128, halved until an epoch"),
        (["reproduce", "--help"], 0, "Also run: edges, input."),
        (["reproduce", "--seeds", "zero"], 2, "--seeds"),
        (["report", "/nonexistent"], 1, "/nonexistent"),
    ],
)
def test_what_trains_nothing_does_not_wait_for_pytorch(
    arguments: list[str], code: int, said: str
) -> None:
    done = _without_torch(*arguments)
    assert done.returncode == code, done.stderr
    assert said in " ".join((done.stdout + done.stderr).replace("│", " ").split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_does_not_wait_for_pytorch(command: str) -> None:
    done = _without_torch(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Example" in done.stdout


def test_a_report_does_not_need_pytorch(finished: Path, tmp_path: Path) -> None:
    done = _without_torch("report", str(finished), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").exists()


def _without_torch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", NO_TORCH, *arguments], capture_output=True, text=True, check=False
    )


def test_exit_codes_are_in_the_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in said


def test_spread_leaves_other_arguments_alone() -> None:
    given = ["reproduce", "--epochs", "3", "--seeds", "0", "1", "2", "--controls"]
    wanted = ["reproduce", "--epochs", "3", "--seeds", "0", "--seeds", "1", "--seeds", "2"]
    assert spread(given, {"--seeds"}) == [*wanted, "--controls"]


def epoch_of(number: int, *, band_weights: tuple[float, ...] = (0.75, 0.25)) -> EpochResult:
    return EpochResult(
        epoch=number,
        learning_rate=0.01,
        train_loss=0.5,
        train_task_loss=0.4,
        train_reconstruction_loss=1.0,
        validation_loss=0.25,
        validation_task_loss=0.25,
        validation_accuracy=0.875,
        test_accuracy=0.8625,
        test_per_class=(0.5,),
        band_weights=band_weights,
        train_seconds=2.0,
        images=1000,
    )


def test_the_board_shows_rate_time_left_losses_accuracy_and_weights() -> None:
    job = Job(variant="adaptive", seed=0)
    console = Console(force_terminal=True, width=140, record=True, file=StringIO())
    with Board(console, [job], epochs=10) as board:
        board.hear(Event(job, None))
        board.hear(Event(job, StepProgress(epoch=1, step=5, steps=10, loss=0.7)))
        board.hear(Event(job, epoch_of(1)))
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
        "0 of 1 run done",
        "at most 0:17 left",
    ):
        assert part in shown


def lines_without_terminal(*variants: str, bands: int = 8) -> list[str]:
    """What is printed for the second of ten epochs of each variant, side by side."""
    jobs = [Job(variant=name, seed=0) for name in variants]
    out = StringIO()
    with Board(Console(file=out, width=80), jobs, epochs=10) as board:
        for job in jobs:
            board.hear(Event(job, None))
        for job in jobs:
            board.hear(Event(job, epoch_of(2, band_weights=(0.5, *[0.1] * (bands - 1)))))
    return out.getvalue().splitlines()


def test_without_a_terminal_a_line_an_epoch_fits_and_has_the_time_left() -> None:
    head, static, learned = lines_without_terminal("static", "reconstruction-only")
    assert head.split()[:6] == ["run", "epoch", "images/s", "loss", "validation", "time"]
    # Two runs side by side, of 10 and 8 and then of 8 and 8 epochs of 2 s.
    assert static.split() == ["static-seed0", "2/10", "500", "0.5000", "87.50%", "0:18"]
    assert learned.split()[-2:] == ["0:16", "█▂▂▂▂▂▂▂"]
    assert max(map(len, (head, static, learned))) <= LINE_WIDTH
    assert head.index("weights") == learned.index("█")


def test_without_a_terminal_many_weights_are_left_out() -> None:
    _, line = lines_without_terminal("adaptive", bands=64)
    assert line.split()[-1] == "0:16"


def test_many_weights_are_shown_as_bars_alone() -> None:
    assert len(weights_text([1.0] * 64)) == 64


def test_results_are_json_lines(finished: Path) -> None:
    for line in (finished / "results.jsonl").read_text().splitlines():
        assert "record" in json.loads(line)
