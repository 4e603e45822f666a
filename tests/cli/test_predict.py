"""``bandwise predict`` and ``bandwise export`` as a person uses them."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.cli import predict as predict_module
from bandwise.cli.main import run
from bandwise.inference import Model
from tests.inference.models import (
    CLASSES,
    OWN,
    coefficient_model,
    file,
    own_model,
    pixel_model,
)

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

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
        (folder / name).write_bytes(file(seed=seed))
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
    assert run(["predict", str(path), str(images), str(note)]) == 0
    out, err = capfd.readouterr()
    inside = [images / name for name in ("a.JPEG", "b.jpg", "deeper/c.jpg")]
    assert out.splitlines() == expected(loaded, *inside, note)
    assert err == ""


@pytest.mark.parametrize("make", [coefficient_model, pixel_model])
def test_a_folder_of_many_files_is_read_on_many_threads(
    make: Callable[[], Model],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bandwise.data.coefficients._FILES_PER_CALL_MAX", 8)
    loaded = make()
    loaded.save(tmp_path / "model.safetensors")
    (tmp_path / "in").mkdir()
    paths = [tmp_path / "in" / f"{seed:03d}.jpg" for seed in range(30)]
    for seed, path in enumerate(paths):
        path.write_bytes(file(seed=seed % 5))
    command = ["predict", str(tmp_path / "model.safetensors"), str(tmp_path / "in")]
    assert run([*command, "--threads", "2"]) == 0
    assert capfd.readouterr().out.splitlines() == expected(loaded, *paths)


def test_the_likeliest_come_first_and_as_json(
    model: Path, images: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = images / "b.jpg"
    assert run(["predict", str(model), str(one), "--top", "2", "--threads", "1"]) == 0
    words = capfd.readouterr().out.split("\t")
    assert run(["predict", str(model), str(one), "--top", "9", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["path"] == str(one)
    names = [entry["class"] for entry in said["classes"]]
    shares = [entry["probability"] for entry in said["classes"]]
    assert sorted(names) == sorted(CLASSES)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert words[1::2] == names[:2]
    assert [float(word) for word in words[2::2]] == pytest.approx(shares[:2], abs=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    batch: int,
    model: Path,
    images: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(predict_module, "BATCH_FILES", batch)
    damaged, missing = images / "[b]ad.jpg", images / "missing.jpg"
    damaged.write_bytes(file()[:300])
    good = [images / "a.JPEG", images / "b.jpg"]
    files = [good[0], damaged, missing, images / "deeper", good[1]]
    assert run(["predict", str(model), *map(str, files)]) == 3
    out, err = capfd.readouterr()
    assert out.splitlines() == expected(MODEL, good[0], images / "deeper" / "c.jpg", good[1])
    about_damaged, about_missing = err.splitlines()
    assert about_damaged.startswith(f"skipped {damaged}: ")
    assert "item" not in about_damaged
    assert about_missing == f"skipped {missing}: the file cannot be read: No such file or directory"


def test_files_are_held_by_their_bytes(
    model: Path,
    images: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = []
    whole = Model.probabilities

    def watched(self: Model, files: list[bytes], **settings: object) -> object:
        sizes.append(len(files))
        return whole(self, files, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Model, "probabilities", watched)
    monkeypatch.setattr(predict_module, "BATCH_BYTES", 1)
    assert run(["predict", str(model), str(images)]) == 0
    assert sizes == [1, 1, 1]
    assert len(capfd.readouterr().out.splitlines()) == 3


def test_nothing_readable_is_no_crash(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.jpg").touch()
    assert run(["predict", str(model), str(tmp_path / "empty.jpg")]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert "skipped" in err


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_that_are_no_text_are_shown(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(file())
    assert run(["predict", str(model), str(tmp_path / name)]) == 0
    assert "caf\ufffd.jpg\t" in capfd.readouterr().out
    assert run(["predict", str(model), str(tmp_path / name), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["path"].endswith(name)


def fails(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    assert run(list(arguments)) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return " ".join(err.replace("│", " ").split())


def test_misuse_is_one_message(
    model: Path, images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = str(images / "b.jpg")
    assert "missing, damaged or no model" in fails(capfd, "predict", one, one)
    assert "missing, damaged or no model" in fails(capfd, "export", "none", "out.onnx")
    (tmp_path / "empty").mkdir()
    empty = str(tmp_path / "empty")
    assert "holds no files .jpg or .jpeg" in fails(capfd, "predict", str(model), empty)
    assert "FILES" in fails(capfd, "predict", str(model), code=2)
    assert "--top" in fails(capfd, "predict", str(model), one, "--top", "0", code=2)


def test_code_that_a_file_names_is_not_run_unasked(
    images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.safetensors"
    own_model().save(path)
    command = ["predict", str(path), str(images / "b.jpg")]
    assert "if you trust that code" in fails(capfd, *command)
    assert run([*command, "--network", OWN]) == 0
    assert capfd.readouterr().out.startswith(str(images / "b.jpg"))


def test_a_model_is_exported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "own.safetensors", tmp_path / "own.onnx"
    own_model().save(path)
    assert run(["export", str(path), str(out), "--network", OWN]) == 0
    said = capfd.readouterr().out
    assert said.startswith("luma (N, 64, 4, 6) → logits (N, 3): ")
    assert f"{out}, {out.stat().st_size:,} bytes" in said
