"""A model says the same after a way through its file, and of files of any layout."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bandwise.checkpoint import save_tensors
from bandwise.errors import CheckpointError, ConfigurationError, JpegError, ShapeError
from bandwise.frequency.selection import Frequencies
from bandwise.models.model import Model
from tests.jpeg.images import jpeg_file
from tests.models.trained import CLASSES, OWN, coefficient_model, own_model, pixel_model

FILES = [jpeg_file(seed=seed) for seed in range(5)]
SUBSET = Frequencies.zigzag(24, channels=3)
MODELS: dict[str, Callable[[], Model]] = {
    "coefficients": coefficient_model,
    "coefficients of a subset": lambda: coefficient_model(frequencies=SUBSET),
    "coefficients of luma alone": lambda: coefficient_model(frequencies=Frequencies((0, 1, 8))),
    "coefficients of grey": lambda: coefficient_model(channels=1),
    "coefficients by a transformer": lambda: coefficient_model("vit"),
    "pixels": pixel_model,
    "pixels of grey": lambda: pixel_model(channels=1),
    "pixels by a transformer": lambda: pixel_model("vit"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    model = replace(MODELS[name](), provenance={"data": "clothing", "seed": 3})
    path = tmp_path / "folder" / "model.safetensors"
    model.save(path)
    loaded = Model.load(path)
    assert loaded.description == model.description
    assert loaded.frequencies == model.frequencies
    assert not loaded.module.training
    expected = model.probabilities(FILES)
    assert torch.equal(loaded.probabilities(FILES), expected)
    assert expected.sum(1).tolist() == pytest.approx([1.0] * len(FILES))
    assert float(expected.std(0).min()) > 1e-4  # files differ


@pytest.mark.parametrize("name", MODELS)
def test_a_file_says_the_same_in_any_company(name: str) -> None:
    model = MODELS[name]()
    files = [
        jpeg_file(32, 48),
        jpeg_file(32, 48, grey=True),
        jpeg_file(70, 30, subsampling="4:4:4"),
        jpeg_file(9, 90, subsampling="4:2:2"),
        jpeg_file(1, 1, grey=True),
    ]
    alone = torch.cat([model.probabilities([data]) for data in files])
    together = model.probabilities(files, batch_size=3)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)
    assert model.probabilities([]).shape == (0, 3)


@pytest.mark.parametrize("make", [coefficient_model, pixel_model])
@pytest.mark.parametrize("batch_size", [2, 64])
def test_a_damaged_file_is_named(make: Callable[[], Model], batch_size: int) -> None:
    files = [*FILES, FILES[0][:300]]
    with pytest.raises(JpegError, match=r"^item 5: "):
        make().probabilities(files, batch_size=batch_size)
    with pytest.raises(JpegError, match=r"^(?!item)"):
        make().check(files[5])
    make().check(files[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": 3}, "network is a name"),
        ({"reads": "words"}, "pixels or coefficients, got 'words'"),
        ({"classes": ("one",)}, "two or more"),
        ({"classes": ("one", "one", "two")}, "different names"),
        ({"classes": ("one", 2)}, "names"),
        ({"channels": 2}, "1 or 3, got 2"),
        ({"grid": (0, 2)}, "from 1 to 8192, got"),
        ({"grid": (2, 9000)}, "from 1 to 8192, got"),
        ({"grid": (2.0, 2)}, "from 1 to 8192, got"),
        ({"grid": (2, 2, 2)}, "two numbers"),
        ({"grid": (3, 4)}, "the grid is even"),
        ({"frequencies": None}, "for coefficients, and for them alone"),
        ({"reads": "pixels"}, "for coefficients, and for them alone"),
        ({"channels": 1}, "cannot keep frequencies of chroma"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        replace(coefficient_model(), **changes)


def test_another_number_of_classes_than_the_network_has_is_refused() -> None:
    model = replace(coefficient_model(), classes=(*CLASSES, "sock"))
    with pytest.raises(ShapeError, match=r"\(5, 4\), it returned \(5, 3\)"):
        model.probabilities(FILES)


def changed(**entries: Any) -> dict[str, Any]:
    description = coefficient_model().description | entries
    return {name: value for name, value in description.items() if value is not ...}


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (changed(format="bandwise-profile"), "got 'bandwise-profile'"),
        (changed(schema=2), "schema 2; .* upgrade bandwise"),
        (changed(grid=...), "lacks 'grid'"),
        (changed(grid=[4, -6]), "from 1 to 8192"),
        (changed(grid=4), "not iterable"),
        (changed(frequencies=[3, 2]), "ascending order"),
        (changed(frequencies=[500]), "ascending order"),
        (changed(provenance="none"), "model.safetensors: "),
        (changed(network="alexnet"), "built in are resnet, resnet-small, vit"),
        (changed(network="vit"), "does not hold the weights of vit"),
        (changed(classes=["one", "two"]), "does not hold the weights"),
        ([1, 2], "metadata is no object"),
    ],
)
def test_a_file_that_is_not_such_a_model_is_refused(
    description: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save_tensors(path, coefficient_model().module.state_dict(), description)
    with pytest.raises(CheckpointError, match=message) as caught:
        Model.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"not safetensors"])
def test_an_unreadable_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="missing, damaged or no model"):
        Model.load(path)
    coefficient_model().save(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="damaged"):
        Model.load(path)


def test_a_file_does_not_choose_the_code_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = own_model()
    model.save(path)
    for permitted in (None, "other.module:function"):
        with pytest.raises(CheckpointError, match="if you trust that code"):
            Model.load(path, own_network=permitted)
    loaded = Model.load(path, own_network=OWN)
    assert torch.equal(loaded.probabilities(FILES), model.probabilities(FILES))


def test_a_network_of_ones_own_that_is_gone_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    replace(own_model(), network="no.such.module:net").save(path)
    with pytest.raises(CheckpointError, match=r"cannot be imported.*PYTHONPATH"):
        Model.load(path, own_network="no.such.module:net")


def test_a_description_is_read_without_the_network(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    own = replace(own_model(), network="no.such.module:net")
    own.save(path)
    assert Model.describe(path).description == own.description
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="missing, damaged or no model"):
        Model.describe(path)
