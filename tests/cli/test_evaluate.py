"""``bandwise evaluate`` on the bundled digits."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from bandwise.cli.main import run
from bandwise.profile import Profile
from bandwise.results import read_rows
from bandwise.tables import TableSet
from bandwise.tasks.networks import build_network


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
