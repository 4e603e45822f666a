from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bandwise.data import DATASET_NAMES, catalog, load
from bandwise.errors import ConfigurationError, UnknownDatasetError

from .published import publish, tiny_contents, write_files


def image_folder(root: Path) -> Path:
    for name, value in (("a", 10), ("b", 200)):
        (root / name).mkdir(parents=True)
        for index in range(2):
            pixels = np.full((9, 9), value + index, dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_known_names_are_read_from_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    contents = tiny_contents()
    known = replace(catalog.PUBLISHED[name], files=publish(name, contents).files)
    monkeypatch.setitem(catalog.PUBLISHED, name, known)
    write_files(tmp_path / name, contents)
    dataset = load(name, data_dir=tmp_path)
    assert dataset.name == name
    assert dataset.num_classes == 10
    assert load(name, data_dir=tmp_path, image_size=(5, 3)).sha256 == dataset.sha256


def test_a_known_set_is_not_resized() -> None:
    with pytest.raises(ConfigurationError, match=r"'digits' are 8×8 and not resized to \(16, 16\)"):
        load("digits", image_size=(16, 16))


def test_a_folder_by_path_with_its_settings(tmp_path: Path) -> None:
    image_folder(tmp_path / "own")
    dataset = load(str(tmp_path / "own"), image_size=(4, 6), colour="grey")
    assert dataset.name == "own"
    assert dataset.image_shape == (1, 4, 6)


def test_a_folder_by_name_within_the_data_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_folder(tmp_path / "given" / "own")
    assert load("own", data_dir=tmp_path / "given").name == "own"
    monkeypatch.setenv("BANDWISE_DATA", str(tmp_path / "given"))
    assert load("own").name == "own"


def test_a_known_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image_folder(tmp_path / "digits")
    assert load("digits").num_classes == 10
    assert load("./digits").num_classes == 2


@pytest.mark.parametrize("name", ["imagenet", "", "MNIST", "no/such/folder"])
def test_an_unknown_name_lists_what_there_is(name: str) -> None:
    with pytest.raises(UnknownDatasetError) as caught:
        load(name)
    message = str(caught.value)
    assert message.startswith(f"{name!r} is neither a known data set nor a folder")
    assert all(known in message for known in DATASET_NAMES)
    assert "folder of images with a sub-folder a class works too" in message
