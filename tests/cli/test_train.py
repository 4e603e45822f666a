"""``bandwise train`` as a person uses it: a folder of JPEG files to a model that classifies."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.frequencies import Frequencies
from bandwise.inference import Model
from tests.cli.dying import DYING
from tests.cli.terminal import said
from tests.data.jpeg_tree import write_digits
from tests.inference.models import OWN

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

QUICK = ["--network", "resnet-small", "--epochs", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = {"train": 6, "validation": 2, "test": 2}
    return write_digits(tmp_path_factory.mktemp("tree") / "digits", splits)


@pytest.fixture(scope="module")
def whole(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of every frequency."""
    out = tmp_path_factory.mktemp("whole")
    assert run(["train", str(root), "--out", str(out), *QUICK]) == 0
    return out / "model.safetensors"


def test_a_model_is_trained_that_predict_reads(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs" / "small"
    command = ["train", str(root), "--out", str(out), *QUICK]
    assert run(command) == 0
    text, err = said(capfd)
    assert err == ""
    assert "digits: 12 files to train on, 2 classes, 16×16" in text
    assert "training resnet-small on coefficients 1/1" in text
    assert "test accuracy " in text
    model = out / "model.safetensors"
    assert f"model {model}" in text
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.safetensors",
        "model.safetensors",
    ]
    assert run(["predict", str(model), str(root / "test"), "--json"]) == 0
    lines = [json.loads(line) for line in said(capfd)[0].splitlines()]
    assert len(lines) == 4
    before = model.read_bytes()
    assert run(command) == 0
    assert "1/1" not in said(capfd)[0]
    assert model.read_bytes() == before


def test_pixels_are_read_where_asked_for(root: Path, tmp_path: Path) -> None:
    assert run(["train", str(root), "--out", str(tmp_path), *QUICK, "--input", "pixels"]) == 0
    model = Model.load(tmp_path / "model.safetensors")
    assert (model.reads, model.frequencies) == ("pixels", None)


@pytest.mark.parametrize("rule", ["zigzag", "energy", "importance"])
def test_fewer_frequencies_are_kept_by_each_rule(
    rule: str, root: Path, whole: Path, tmp_path: Path
) -> None:
    options = ["--keep", "10", "--by", rule, "--whole", str(whole)]
    assert run(["train", str(root), "--out", str(tmp_path), *QUICK, *options]) == 0
    kept = Model.load(tmp_path / "model.safetensors").frequencies
    assert kept is not None
    assert len(kept) == 10
    assert kept.kept[0] == 0
    if rule == "zigzag":
        assert kept == Frequencies.zigzag(10, channels=1)


def test_bands_are_dropped_while_it_is_trained(root: Path, whole: Path, tmp_path: Path) -> None:
    options = ["--out", str(tmp_path), *QUICK, "--band-dropout", "0.5"]
    assert run(["train", str(root), *options]) == 0
    dropped, before = (Model.load(path) for path in (tmp_path / "model.safetensors", whole))
    assert dropped.provenance["band_dropout"] == 0.5
    assert before.provenance["band_dropout"] == 0.0
    weights = dropped.module.state_dict()
    assert any(not torch.equal(weights[k], v) for k, v in before.module.state_dict().items())


def test_one_value_follows_keep(root: Path, tmp_path: Path) -> None:
    command = ["train", *QUICK, "--out", str(tmp_path), "--keep", "3", str(root)]
    assert run(command) == 0


def test_a_network_of_ones_own_is_measured_and_trained(root: Path, tmp_path: Path) -> None:
    own = ["--network", OWN, "--epochs", "1"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(["train", str(root), "--out", str(first), *own]) == 0
    options = ["--keep", "5", "--by", "importance", "--whole", str(first / "model.safetensors")]
    assert run(["train", str(root), "--out", str(second), *own, *options]) == 0


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--by", "importance", "--keep", "9"], 2, "--by importance needs --keep and --whole"),
        (["--by", "importance"], 2, "--by importance needs --keep and --whole"),
        (["--by", "magic"], 2, "magic"),
        (["--keep", "65"], 2, "1 to 64 can be kept, not 65"),
        (["--keep", "0"], 2, "--keep"),
        (["--keep", "9", "--input", "pixels"], 2, "of coefficients, not of pixels"),
        (["--band-dropout", "1"], 2, "from 0 to below 1 of the frequencies is dropped, not 1.0"),
        (["--band-dropout", "0.1", "--input", "pixels"], 2, "dropped of coefficients, not of pix"),
        (["--network", "magic"], 2, "unknown network 'magic'"),
        (["--epochs", "0"], 2, "--epochs"),
        (["--image-size", "20"], 2, "multiples of 16, not 20×20"),
        (["--whole", "none.safetensors"], 1, "none.safetensors is missing"),
    ],
)
def test_bad_input_is_one_message(
    options: list[str],
    code: int,
    message: str,
    root: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run(["train", str(root), "--out", str(out), *QUICK, *options]) == code
    err = said(capfd)[1]
    assert message in " ".join(err.split())
    if not err.startswith("Usage: "):
        assert err.startswith("error: ")
        assert err.count("\n") == 1
    assert not out.exists()


def test_a_folder_that_cannot_be_read_is_one_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(tmp_path / "none")]) == 1
    assert "none is not a folder" in said(capfd)[1]
    root = write_digits(tmp_path / "digits", {"train": 3, "test": 2})
    (root / "test" / "0" / "00.jpg").write_bytes(b"nothing")
    assert run(["train", str(root)]) == 1
    err = said(capfd)[1]
    assert "0/00.jpg: " in err
    assert err.count("\n") == 1


def test_another_training_in_the_output_folder_is_refused(
    root: Path, whole: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = whole.read_bytes()
    for other in (["--seed", "1"], ["--input", "pixels"], ["--image-size", "32"]):
        assert run(["train", str(root), "--out", str(whole.parent), *QUICK, *other]) == 1
        assert "belongs to another network, data set or settings" in said(capfd)[1]
    assert whole.read_bytes() == before


def test_an_interruption_says_how_to_go_on(
    root: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    interrupt: Callable[[str], None],
) -> None:
    interrupt("bandwise.recipes.training.train_on_files")
    assert run(["train", str(root), "--out", str(tmp_path / "out")]) == 130
    assert "finished epochs are kept, the same command resumes" in said(capfd)[1]


def test_processes_of_torchrun_train_one_model_though_one_is_killed(
    root: Path, tmp_path: Path
) -> None:
    """They speak with one voice, and torchrun starts them again where the checkpoint is."""
    command = ["train", str(root), "--network", DYING, "--epochs", "2", "--device", "cpu"]
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
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert len(re.findall(r"^(error|terminated|internal error)", said, re.MULTILINE)) == 1
    for line in ("coefficients 1/2", "coefficients 2/2", "test accuracy", "model "):
        assert done.stdout.count(line) == 1, said
    assert done.stdout.count("12 files to train on") == 2
    assert run([*command, "--out", str(tmp_path / "one")]) == 0
    two, one = (
        Model.load(tmp_path / name / "model.safetensors", own_network=DYING).module.state_dict()
        for name in ("two", "one")
    )
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-5)
