"""``bandwise reproduce`` and ``bandwise report``, in processes that can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bandwise.cli.main import run
from bandwise.results import RESULTS_NAME, read_rows
from tests.cli.terminal import said

QUICK = [
    *("reproduce", "--dataset", "digits", "--batch-size", "128", "--workers", "1"),
    *("--seeds", "0", "--epochs", "2"),
]

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


def without_clock(path: Path) -> list[Any]:
    clock = ("created", "train_seconds", "images_per_second")
    rows = read_rows(path / RESULTS_NAME)
    kept = [{name: value for name, value in row.items() if name not in clock} for row in rows]
    return sorted(kept, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run of the quick experiment."""
    out = tmp_path_factory.mktemp("cli") / "out"
    process = bandwise(*QUICK, "--out", str(out))
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    for part in ("static", "adaptive", str(out / RESULTS_NAME), str(out / "report.html")):
        assert part in output
    for part in ("static-seed0 2/2", "adaptive-seed0 2/2", "runs 2/2"):
        assert part in errors
    return out


def test_a_killed_run_resumes_to_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = bandwise(*QUICK, "--out", str(out))
    results = out / RESULTS_NAME
    while process.poll() is None:
        if results.exists() and results.read_text().count('"record": "epoch"') >= 3:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.02)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    assert run([*QUICK, "--out", str(out)]) == 0
    assert without_clock(out) == without_clock(finished)
    models = [path.relative_to(finished) for path in finished.rglob("model.safetensors")]
    assert len(models) == 2
    assert all((out / each).read_bytes() == (finished / each).read_bytes() for each in models)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_ends_with_its_code_and_no_traceback(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    out = tmp_path / "out"
    process = bandwise(*QUICK, "--out", str(out), "--epochs", "500", "--patience", "0")
    while not (out / "runs").exists():
        time.sleep(0.02)
    process.send_signal(sent)
    _, errors = process.communicate()
    assert process.returncode == code, errors
    assert "resumes" in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_an_output_folder_of_another_run_is_refused(
    finished: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (finished / RESULTS_NAME).read_bytes()
    assert run([*QUICK[:-1], "3", "--out", str(finished)]) == 2
    assert str(finished) in said(capfd)[1]
    assert (finished / RESULTS_NAME).read_bytes() == before


def test_a_full_disk_is_one_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert run([*QUICK, "--out", str(tmp_path / "out")]) == 1
    assert "No space left" in said(capfd)[1]


NO_TORCH = """
import sys
from bandwise.cli.main import run
code = run(sys.argv[1:])
sys.exit("imported torch" if "torch" in sys.modules else code)
"""


def test_a_report_is_redrawn_from_the_results_alone_without_pytorch(
    finished: Path, tmp_path: Path
) -> None:
    (tmp_path / RESULTS_NAME).write_bytes((finished / RESULTS_NAME).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH, "report", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").read_text() == (finished / "report.html").read_text()
