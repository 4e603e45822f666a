"""``bandwise evaluate`` on the bundled digits."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from bandwise.cli.main import run
from bandwise.cli.savings import savings_lines
from bandwise.profile import Profile
from bandwise.results import read_rows
from bandwise.tables import TableSet
from bandwise.tasks.networks import build_network
from tests.statistics.curves import CURVE, measurements, original, row, rows_of


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    network = build_network("small-cnn", num_classes=10, channels=1)
    safetensors.torch.save_file(network.state_dict(), path)
    return path


def command(weights: Path, out: Path, *more: str) -> list[str]:
    given = ["--weights", str(weights), "--network", "small-cnn", "--out", str(out)]
    return ["evaluate", "digits", *given, "--codecs", "webp", "libjpeg compact", *more]


def test_an_evaluation_prints_its_table_and_resumes(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "toy.json"
    tables = TableSet(luma=TableSet.ijg(40).luma)
    Profile(name="toy", tables=tables, provenance={"family": "joint"}).save(profile)
    arguments = command(weights, tmp_path / "out", "--every", "40", "--profile", str(profile))
    assert run(arguments) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in ("libjpeg", "webp", "bandwise", "≤ 0.5 points lost", "results.jsonl"):
        assert part in said
    results = tmp_path / "out" / "results.jsonl"
    rows = read_rows(results)
    assert {row["family"] for row in rows if row["record"] == "point"} == {
        *("original", "webp", "libjpeg compact", "joint")
    }
    assert sum(row["record"] == "profile" for row in rows) == 1
    before = results.read_bytes()
    assert run(arguments) == 0
    assert results.read_bytes() == before


@pytest.mark.parametrize(
    ("more", "code", "complaint"),
    [
        (["--codecs", "gif"], 2, "no codec or family 'gif'"),
        (["--network", "lenet"], 2, "lenet"),
        (["--profile", "/nonexistent.json"], 1, "nonexistent.json"),
        (["--every", "0"], 2, "--every"),
        (["--split", "train"], 2, "train"),
    ],
)
def test_bad_input_is_one_clear_message(
    more: list[str],
    code: int,
    complaint: str,
    weights: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run([*command(weights, tmp_path / "out"), *more]) == code
    said = " ".join(capfd.readouterr().err.split())
    assert complaint in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_weights_are_looked_for_before_data_are_read(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "no-such-data", "--weights", "/none.safetensors"]) == 1
    assert "/none.safetensors cannot be read" in capfd.readouterr().err


def test_the_line_says_saving_interval_settings_and_drops() -> None:
    ours = rows_of("bandwise", [(1200.0, 179)])
    found = measurements(original(), rows_of("libjpeg", CURVE), ours)
    (line,) = savings_lines(found, 1)
    assert line.startswith("50.0% fewer bytes than libjpeg all s4 at ≤ 1 point lost")
    assert "95 % interval" in line
    assert "bandwise all s0; on the 200 test images 0.50" in line
    assert "does not hold" not in line


def test_tables_and_choice_by_image_are_compared_with_their_own_kind() -> None:
    names = ("bandwise", "bandwise guided", "libjpeg", "libjpeg guided", "webp")
    sizes = (500.0, 300.0, 1000.0, 400.0, 600.0)
    measured = (rows_of(name, [(size, 179)]) for name, size in zip(names, sizes, strict=True))
    lines = savings_lines(measurements(original(), *measured), 1)
    said = [line.split(" all s0 at")[0] for line in lines]
    assert said == [
        "50.0% fewer bytes than libjpeg",
        "16.7% fewer bytes than webp",
        "70.0% fewer bytes than libjpeg",
        "25.0% fewer bytes than libjpeg guided",
        "50.0% fewer bytes than webp",
    ]


def test_the_line_says_where_the_bound_fails_on_test() -> None:
    found = measurements(
        original(),
        rows_of("libjpeg", CURVE),
        [
            row("bandwise", "p", size=5000, correct=179, split="validation"),
            row("bandwise", "p", size=5000, correct=170, split="test"),
        ],
    )
    (line,) = savings_lines(found, 1)
    assert "more bytes than libjpeg" in line
    assert line.endswith("the bound does not hold there for bandwise")


def test_nothing_is_claimed_without_a_profile_or_a_setting() -> None:
    assert "no profile" in savings_lines(measurements(original(), rows_of("libjpeg", CURVE)), 1)[0]
    found = measurements(original(), rows_of("libjpeg", CURVE), rows_of("bandwise", [(100, 20)]))
    assert "no saving can be stated" in savings_lines(found, 1)[0]
