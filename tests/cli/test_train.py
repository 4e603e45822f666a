"""``bandwise train``: a folder of JPEG files to a model that classifies."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bandwise.cli.main import run
from bandwise.frequency.selection import Frequencies
from bandwise.models.model import Model
from tests.cli.dying import DYING
from tests.cli.terminal import said
from tests.data.jpeg_tree import write_digits

QUICK = ["--network", "resnet-small", "--epochs", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def whole(jpegs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of every frequency."""
    out = tmp_path_factory.mktemp("whole") / "runs" / "small"
    assert run(["train", str(jpegs), "--out", str(out), *QUICK]) == 0
    return out / "model.safetensors"


def test_a_model_is_trained_once_and_predict_reads_it(
    jpegs: Path, whole: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = {path.name for path in whole.parent.iterdir()}
    assert names == {"checkpoint.safetensors", "model.safetensors"}
    before = whole.read_bytes()
    assert run(["train", str(jpegs), "--out", str(whole.parent), *QUICK]) == 0
    out, err = said(capfd)
    for part in ("12 files", "2 classes", "16×16", str(whole)):
        assert part in out
    assert err == ""
    assert whole.read_bytes() == before
    assert run(["predict", str(whole), str(jpegs / "test"), "--json"]) == 0
    assert len([json.loads(line) for line in said(capfd)[0].splitlines()]) == 4


def test_pixels_are_read_where_asked_for(jpegs: Path, tmp_path: Path) -> None:
    assert run(["train", str(jpegs), "--out", str(tmp_path), *QUICK, "--input", "pixels"]) == 0
    model = Model.load(tmp_path / "model.safetensors")
    assert (model.reads, model.frequencies) == ("pixels", None)


@pytest.mark.parametrize("rule", ["zigzag", "energy", "importance"])
def test_fewer_frequencies_are_kept_by_each_rule(
    rule: str, jpegs: Path, whole: Path, tmp_path: Path
) -> None:
    options = ["--out", str(tmp_path), "--by", rule, "--whole", str(whole), "--keep", "10"]
    assert run(["train", *QUICK, *options, str(jpegs)]) == 0
    kept = Model.load(tmp_path / "model.safetensors").frequencies
    assert kept is not None
    assert len(kept) == 10
    assert kept.kept[0] == 0
    if rule == "zigzag":
        assert kept == Frequencies.zigzag(10, channels=1)


def test_bands_are_dropped_while_it_is_trained(jpegs: Path, whole: Path, tmp_path: Path) -> None:
    options = ["--out", str(tmp_path), *QUICK, "--band-dropout", "0.5"]
    assert run(["train", str(jpegs), *options]) == 0
    dropped, before = (Model.load(path) for path in (tmp_path / "model.safetensors", whole))
    assert dropped.provenance["band_dropout"] == 0.5
    assert before.provenance["band_dropout"] == 0.0
    weights = dropped.module.state_dict()
    assert any(not torch.equal(weights[k], v) for k, v in before.module.state_dict().items())


def test_a_damaged_file_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = write_digits(tmp_path / "digits", {"train": 3, "test": 2})
    (root / "test" / "0" / "00.jpg").write_bytes(b"nothing")
    assert run(["train", str(root), "--out", str(tmp_path / "out")]) == 1
    err = said(capfd)[1]
    assert "0/00.jpg: " in err
    assert err.count("\n") == 1


def test_another_training_in_the_output_folder_is_refused(
    jpegs: Path, whole: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = whole.read_bytes()
    command = ["train", str(jpegs), "--out", str(whole.parent), *QUICK, "--seed", "1"]
    assert run(command) == 1
    assert "checkpoint.safetensors" in said(capfd)[1]
    assert whole.read_bytes() == before


def test_processes_of_torchrun_train_one_model_though_one_is_killed(
    jpegs: Path, tmp_path: Path
) -> None:
    """One of them alone reports, and torchrun starts them again where the checkpoint is."""
    command = ["train", str(jpegs), "--network", DYING, "--epochs", "2", "--device", "cpu"]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [
            *(sys.executable, *launcher, "--max-restarts", "1", "-m", "bandwise"),
            *(*command, "--out", str(tmp_path / "two")),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    assert len(re.findall(r"^(error|terminated|internal error)", text, re.MULTILINE)) == 1
    for line in ("coefficients 1/2", "coefficients 2/2", "test accuracy", "model "):
        assert len(re.findall(rf"{line}", text, re.MULTILINE)) == 1, text
    assert done.stdout.count("12 files") == 2
    assert Model.load(tmp_path / "two" / "model.safetensors", own_network=DYING).grid == (2, 2)
