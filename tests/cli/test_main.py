"""The command line as a whole: help, wrong usage, errors."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.cli.main import COMMANDS, EXIT_CODES, all_commands, run, spread
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


def test_exit_codes_are_in_the_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = " ".join(said(capfd)[0].split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in text


def test_only_list_options_take_several_values() -> None:
    given = ["reproduce", "--epochs", "3", "--seeds", "0", "1", "--controls", "x"]
    wanted = ["reproduce", "--epochs", "3", "--seeds", "0", "--seeds", "1", "--controls", "x"]
    assert spread(given, {"--seeds"}) == wanted


CASES = {
    "reproduce --dataset digits": [
        *("--bands 60", "--reconstruction-weight -1", "--epochs 0", "--seeds 0 0", "--seeds zero"),
        *("--variants magic", "--workers -3", "--device tpu", "--no-such-option"),
    ],
    "learn digits --network small-cnn --work {out} --out {out}.json": [
        *("--network magic", "--target-bpp 1 --target-bytes 9", "--target-bytes -1", "--slopes 0"),
        *("--images 0", "--epochs 0", "--subsampling 4:1:1", "--target-bpp nan"),
    ],
    "evaluate digits --network small-cnn --weights {weights}": [
        *("--codecs gif", "--network lenet", "--every 0", "--split train", "--bound -1"),
    ],
    "experiment rate-accuracy digits --network small-cnn --transfer none": [
        *("--network magic", "--transfer magic", "--transfer plain-cnn", "--transfer small-cnn"),
        *("--codecs magic", "--slopes 1e-6 1e-6"),
    ],
    "experiment jpeg-training {jpegs}": [
        *("--twins magic", "--network magic", "--keep 24 65", "--seeds zero", "--workers 0"),
        *("--image-size 20", "--epochs 0"),
    ],
    "train {jpegs}": [
        *("--by importance --keep 9", "--by importance", "--by magic", "--keep 65", "--keep 0"),
        *("--keep 9 --input pixels", "--band-dropout 1", "--band-dropout 0.1 --input pixels"),
        *("--network magic", "--epochs 0", "--image-size 20"),
    ],
}
"""Commands, and options that cannot work with them: each by its last word."""


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
@pytest.mark.parametrize(
    ("command", "options"), [(command, each) for command, all_ in CASES.items() for each in all_]
)
def test_wrong_usage_is_one_message_before_any_work(
    command: str,
    options: str,
    jpegs: Path,
    weights: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    places = {"out": tmp_path / "out", "weights": weights, "jpegs": jpegs}
    words = [word.format(**places) for word in command.split()]
    out = [] if "--out" in words else ["--out", str(tmp_path / "out")]
    assert run([*words, *out, *options.split()]) == 2
    err = said(capfd)[1]
    assert "Usage: " in err or (err.startswith("error: ") and err.count("\n") == 1)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("reproduce --dataset imagenet22k --out {out}", "imagenet22k"),
        ("reproduce --dataset mnist --data-dir /nonexistent --out {out}", "/nonexistent"),
        ("reproduce --dataset digits --out {file}", "file"),
        ("reproduce --dataset digits --out {file}/below", "file"),
        ("learn no-such-data --out {out}", "no-such-data"),
        ("learn no-such-data --weights none.safetensors --out {out}", "none.safetensors"),
        ("learn digits --network plain-cnn --weights {weights} --out {out}", "plain-cnn"),
        ("evaluate no-such-data --weights none.safetensors --out {out}", "none.safetensors"),
        ("evaluate digits --weights {weights} --profile none.json --out {out}", "none.json"),
        ("experiment rate-accuracy no-such-data --out {out}", "no-such-data"),
        ("experiment jpeg-training none --out {out}", "none"),
        ("train none --out {out}", "none"),
        ("train {jpegs} --whole none.safetensors --out {out}", "none.safetensors"),
        ("export none.safetensors {out}", "none.safetensors"),
        ("report {folder}", "results.jsonl"),
    ],
)
def test_an_error_is_one_message_that_names_what_is_wrong(
    command: str,
    named: str,
    jpegs: Path,
    weights: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    places = {name: tmp_path / name for name in ("out", "file", "folder")}
    places["file"].write_text("mine")
    places["folder"].mkdir()
    words = command.format(**places, jpegs=jpegs, weights=weights).split()
    assert run(words) == 1
    err = said(capfd)[1]
    assert err.startswith("error: ")
    assert named in err
    assert err.count("\n") == 1
    assert not places["out"].exists()
    assert places["file"].read_text() == "mine"


@pytest.mark.parametrize("command", ["rate-accuracy digits", "jpeg-training {jpegs}"])
def test_a_folder_with_something_else_is_left_alone(
    command: str, jpegs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").touch()
    words = ["experiment", *command.format(jpegs=jpegs).split(), "--transfer", "none"]
    words = words if "rate-accuracy" in command else words[:-2]
    assert run([*words, "--out", str(tmp_path)]) == 1
    assert str(tmp_path) in said(capfd)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


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
