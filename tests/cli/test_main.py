"""The command line as a whole: help, wrong usage, errors."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bandwise.cli.main import COMMANDS, all_commands, run, spread
from bandwise.results import Results
from tests.cli.terminal import said

HELP = """
import sys
from bandwise.cli.main import run
codes = [run([*words.split(), *last.split(" ")]) for words, last in CALLS]
heavy = [name for name in ("torch", "matplotlib", "sklearn") if name in sys.modules]
sys.exit(f"{codes}, {heavy}")
"""


def test_what_needs_no_network_does_not_wait_for_pytorch() -> None:
    calls = [("", "--help"), ("", "--version"), ("experiment", "--help")]
    calls += [(name, "--help") for name, _ in all_commands()]
    calls += [("reproduce", "--seeds zero"), ("report", "/nonexistent")]
    codes = [*[0] * (len(calls) - 2), 2, 1]
    done = subprocess.run(
        [sys.executable, "-c", f"CALLS = {calls!r}\n{HELP}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.endswith(f"{codes}, []\n")
    assert f"bandwise {metadata.version('bandwise')}" in done.stdout


@pytest.mark.parametrize(("name", "command"), [*all_commands()])
def test_a_command_and_its_options_are_documented(name: str, command: object) -> None:
    text = getattr(command, "help", "")
    assert text.startswith(COMMANDS.get(name, ""))
    assert f"Example: bandwise {name} " in text
    for parameter in getattr(command, "params", []):
        assert parameter.help or parameter.name == "help", f"{name}: {parameter.name}"


def test_only_list_options_take_several_values() -> None:
    given = ["reproduce", "--epochs", "3", "--seeds", "0", "1", "--controls", "x"]
    wanted = ["reproduce", "--epochs", "3", "--seeds", "0", "--seeds", "1", "--controls", "x"]
    assert spread(given, {"--seeds"}) == wanted


def test_unexpected_errors_have_no_traceback_without_debug(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Results, "load", broken)
    assert run(["report", str(tmp_path)]) == 1
    assert "RuntimeError" in said(capfd)[1]
    with pytest.raises(RuntimeError, match="a bug"):
        run(["--debug", "report", str(tmp_path)])
