"""`bandwise encode --model`: files that keep a model's answer."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax
from scipy.stats import entropy

from bandwise import jpeg
from bandwise.cli.main import run
from bandwise.search.plan import Plan
from tests.search.conftest import candidates as candidates  # the fixtures of a small plan
from tests.search.conftest import image
from tests.search.conftest import model as model
from tests.search.conftest import plan as plan

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

MODULE = """
import torch

class Colours(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = torch.nn.Linear(3 * 16, 5)

    def forward(self, pixels):
        return 40 * self.head(torch.nn.functional.adaptive_avg_pool2d(pixels, 4).flatten(1))

def build():
    return Colours()

def nonsense():
    return lambda images: [[float("nan"), 0.0]] * len(images)

def boxes():
    return lambda images: [[[1.0, 2.0, 3.0, 4.0]]] * len(images)
"""
OWN = ["--model", "colours_of_test.py:build", "--resize", "48", "--mean", "0.5", "--std", "0.5"]


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of six photographs of several kinds, and the current folder with a model."""
    (tmp_path / "colours_of_test.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    for seed in range(4):
        Image.fromarray(image(seed, 50 + seed, 64)).save(folder / f"{seed}.png")
    Image.fromarray(image(5, 90, 70)).save(folder / "below" / "five.jpg", quality=95)
    Image.fromarray(image(6)[..., 0]).save(folder / "below" / "grey.png")
    return folder


@pytest.fixture
def small_plan(plan: Plan, tmp_path: Path) -> str:
    plan.save(tmp_path / "plan.json")
    return str(tmp_path / "plan.json")


def records(out: Path) -> dict[str, dict[str, object]]:
    lines = (out / ".bandwise" / "files.jsonl").read_text().splitlines()
    return {row["path"]: row["record"] for row in map(json.loads, lines)}


def test_a_folder_without_labels(photographs: Path, small_plan: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["encode", str(photographs), str(out), *OWN, "--plan", small_plan]) == 0
    found = records(out)
    assert set(found) == {*(f"{n}.jpg" for n in range(4)), "below/five.jpg", "below/grey.jpg"}
    namespace: dict[str, object] = {}
    exec(MODULE, namespace)
    module = namespace["build"]()  # type: ignore[operator]

    def probabilities(picture: Image.Image) -> np.ndarray:
        """Asked apart from the package, as its options describe the model."""
        short = min(picture.size)
        size = [48 if side == short else int(48 * side / short) for side in picture.size]
        resized = picture.convert("RGB").resize((size[0], size[1]), Image.Resampling.BILINEAR)
        values = (np.asarray(resized, np.float32) / 255 - 0.5) / 0.5
        with torch.no_grad():
            scores = module(torch.from_numpy(values.transpose(2, 0, 1)[None]))
        return np.asarray(softmax(scores.double().numpy()[0]))

    for name, record in found.items():
        source = next(photographs.glob(name.replace(".jpg", ".*")))
        with Image.open(source) as before, Image.open(out / name) as after:
            nats = entropy(probabilities(before), probabilities(after))
        assert record["size_bytes"] == (out / name).stat().st_size
        if record["kept"]:
            assert nats <= 0.2 + 1e-4
            assert abs(nats - float(str(record["distance"]))) < 0.2
    assert sum(bool(record["kept"]) for record in found.values()) >= 4
    assert run(["verify", str(out)]) == 0


def test_the_summary_counts_answers(
    photographs: Path, small_plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*OWN, "--plan", small_plan, "--keep", "decision", "--looks", "4", "--json"]
    assert run(["encode", str(photographs), str(tmp_path / "out"), *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["answers"]["files"] == 6
    assert 6 <= said["answers"]["looks"] <= 6 * 8
    assert said["answers"]["size_bytes"] == said["bytes_out"]


def test_runs_are_repeated_and_resumed_to_the_same_bytes(
    photographs: Path, small_plan: str, tmp_path: Path
) -> None:
    options = [*OWN, "--plan", small_plan]
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(["encode", str(photographs), str(first), *options]) == 0
    assert run(["encode", str(photographs), str(second), *options, "--workers", "1"]) == 0
    names = sorted(path.relative_to(first) for path in first.rglob("*.jpg"))
    assert all((first / each).read_bytes() == (second / each).read_bytes() for each in names)
    before = (second / ".bandwise" / "files.jsonl").read_bytes()
    (second / names[0]).unlink()
    assert run(["encode", str(photographs), str(second), *options, "--resume"]) == 0
    assert (second / names[0]).read_bytes() == (first / names[0]).read_bytes()
    assert (second / ".bandwise" / "files.jsonl").read_bytes() == before
    other = ["encode", str(photographs), str(second), *options, "--keep", "0.1", "--resume"]
    assert run(other) == 1


def test_shards_list_what_was_asked(photographs: Path, small_plan: str, tmp_path: Path) -> None:
    out, options = tmp_path / "out", [*OWN, "--plan", small_plan, "--shards", "--shard-images", "4"]
    assert run(["encode", str(photographs), str(out), *options, "--workers", "1"]) == 0
    entry = json.loads((out / "shard-000000.json").read_text())
    assert len(entry["samples"]) == 4
    with tarfile.open(out / "shard-000000.tar") as tar:
        for sample in entry["samples"]:
            stream = tar.extractfile(sample["key"] + ".jpg")
            assert stream is not None
            assert sample["records"]["jpg"]["size_bytes"] == len(stream.read())
    assert run(["verify", str(out)]) == 0


def test_what_nothing_keeps(photographs: Path, small_plan: str, tmp_path: Path) -> None:
    options = [*OWN, "--plan", small_plan, "--keep", "0"]
    out = tmp_path / "source"
    assert run(["encode", str(photographs), str(out), *options]) == 0
    source = (photographs / "below" / "five.jpg").read_bytes()
    assert (out / "below" / "five.jpg").read_bytes() == source
    assert records(out)["below/five.jpg"]["candidate"] is None
    assert run(["verify", str(out)]) == 0
    assert run(["encode", str(photographs), str(out), *options, "--resume"]) == 0
    refused = ["encode", str(photographs), str(tmp_path / "error"), *options, "--on-miss", "error"]
    assert run(refused) == 3


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 2),
        ([*OWN, "--keep", "much"], 2),
        ([*OWN, "--keep", "-1"], 2),
        ([*OWN, "--looks", "0"], 2),
        ([*OWN, "--profile", "p.json"], 2),
        ([*OWN, "--requantise"], 2),
        ([*OWN, "--mean", "a b"], 2),
        ([*OWN, "--plan", "colours_of_test.py"], 1),
        ([*OWN, "--weights", "missing.pt"], 2),
        (["--model", "resnet"], 2),
        (["--model", "colours_of_test.py:build"], 2),  # no preprocessing
        (["--model", "colours_of_test.py:missing", "--mean", "0"], 2),
        (["--model", "onnx:missing.onnx", "--mean", "0"], 2),
        (["--model", "colours_of_test.py:nonsense"], 1),
        (["--model", "colours_of_test.py:boxes"], 1),
    ],
)
def test_what_cannot_work_is_refused(photographs: Path, options: list[str], code: int) -> None:
    out = Path("out")
    assert run(["encode", str(photographs), str(out), *options]) == code
    assert not list(out.rglob("*.jpg"))


def test_an_empty_folder_is_an_error(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["encode", str(tmp_path / "empty"), str(tmp_path / "out"), *OWN]) == 1
