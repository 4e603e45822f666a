"""``bandwise predict`` and ``bandwise export``."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bandwise.cli import predict as predict_module
from bandwise.cli.main import run
from bandwise.models.model import Model
from tests.cli.terminal import said
from tests.jpeg.images import jpeg_file
from tests.models.trained import CLASSES, OWN, coefficient_model, own_model, pixel_model

MODEL = coefficient_model()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    MODEL.save(path)
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    for seed, name in enumerate(("b.jpg", "a.JPEG", "deeper/c.jpg", "deeper/note.txt", ".d.jpg")):
        (folder / name).write_bytes(jpeg_file(seed=seed))
    return folder


def expected(model: Model, *paths: Path) -> list[str]:
    probabilities = model.probabilities([path.read_bytes() for path in paths])
    return [
        f"{path}\t{CLASSES[int(row.argmax())]}\t{float(row.max()):.4f}"
        for path, row in zip(paths, probabilities, strict=True)
    ]


@pytest.mark.parametrize("make", [coefficient_model, pixel_model])
def test_a_folder_and_files_are_a_line_each(
    make: Callable[[], Model], images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = make()
    path = tmp_path / "model.safetensors"
    loaded.save(path)
    note = images / "deeper" / "note.txt"  # named, it is read whatever its suffix
    assert run(["predict", str(path), str(images), str(note), "--threads", "2"]) == 0
    out, err = said(capfd)
    inside = [images / name for name in ("a.JPEG", "b.jpg", "deeper/c.jpg")]
    assert out.splitlines() == expected(loaded, *inside, note)
    assert err == ""


def test_the_likeliest_come_first_and_as_json(
    model: Path, images: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = images / "b.jpg"
    assert run(["predict", str(model), str(one), "--top", "2"]) == 0
    words = said(capfd)[0].split("\t")
    assert run(["predict", str(model), str(one), "--top", "9", "--json"]) == 0
    found = json.loads(said(capfd)[0])
    assert found["path"] == str(one)
    names = [entry["class"] for entry in found["classes"]]
    shares = [entry["probability"] for entry in found["classes"]]
    assert sorted(names) == sorted(CLASSES)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert words[1::2] == names[:2]
    assert [float(word) for word in words[2::2]] == pytest.approx(shares[:2], abs=1e-4)


@pytest.mark.parametrize(("files", "size"), [(1, 2**20), (2, 2**20), (64, 2**20), (64, 1)])
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    files: int,
    size: int,
    model: Path,
    images: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(predict_module, "BATCH_FILES", files)
    monkeypatch.setattr(predict_module, "BATCH_BYTES", size)
    damaged, missing, empty = (images / name for name in ("[b]ad.jpg", "missing.jpg", "empty.jpg"))
    damaged.write_bytes(jpeg_file()[:300])
    empty.touch()
    good = [images / "a.JPEG", images / "b.jpg"]
    paths = [good[0], damaged, missing, images / "deeper", empty, good[1]]
    assert run(["predict", str(model), *map(str, paths)]) == 3
    out, err = said(capfd)
    assert out.splitlines() == expected(MODEL, good[0], images / "deeper" / "c.jpg", good[1])
    for line, path in zip(err.splitlines(), (damaged, missing, empty), strict=True):
        assert line.startswith(f"skipped {path}: ")


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_that_are_no_text_are_shown(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(jpeg_file())
    assert run(["predict", str(model), str(tmp_path / name)]) == 0
    assert "caf\ufffd.jpg\t" in said(capfd)[0]
    assert run(["predict", str(model), str(tmp_path / name), "--json"]) == 0
    assert json.loads(said(capfd)[0])["path"].endswith(name)


def test_code_that_a_file_names_is_not_run_unasked(
    images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.safetensors"
    own_model().save(path)
    command = ["predict", str(path), str(images / "b.jpg")]
    assert run(command) == 1
    assert OWN in said(capfd)[1]
    assert run([*command, "--network", OWN]) == 0
    assert said(capfd)[0].startswith(str(images / "b.jpg"))


def test_a_model_is_exported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "own.safetensors", tmp_path / "own.onnx"
    own_model().save(path)
    assert run(["export", str(path), str(out), "--network", OWN]) == 0
    text = said(capfd)[0]
    for part in ("(N, 64, 4, 6)", "(N, 3)", f"{out}, {out.stat().st_size:,} bytes"):
        assert part in text
