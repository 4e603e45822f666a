import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bandwise.data.folder import load_folder
from bandwise.errors import (
    ConfigurationError,
    DataError,
    DataNotFoundError,
    EmptyClassError,
    UnreadableImageError,
)
from bandwise.progress import Progress


def fill(folder: Path, values: Iterable[int], *, height: int = 8, width: int = 8) -> Path:
    """Write an evenly grey image for each value, named by it."""
    folder.mkdir(parents=True, exist_ok=True)
    for value in values:
        pixels = np.full((height, width), value, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{value:03}.png")
    return folder


def split_folder(root: Path) -> Path:
    """Classes cat and dog with values that tell split and class apart."""
    for index, split in enumerate(("train", "validation", "test")):
        fill(root / split / "dog", range(100 + 10 * index, 103 + 10 * index))
        fill(root / split / "cat", range(10 * index, 2 + 10 * index))
    return root


def test_given_splits_are_kept_and_classes_sorted(tmp_path: Path) -> None:
    root = split_folder(tmp_path / "pets")
    dataset = load_folder(root)
    assert dataset.name == "pets"
    assert dataset.classes == ("cat", "dog")
    assert dataset.image_shape == (3, 8, 8)
    assert dataset.validation is not None
    for index, split in enumerate((dataset.train, dataset.validation, dataset.test)):
        assert split.labels.tolist() == [0, 0, 1, 1, 1]
        values = [value + 10 * index for value in (0, 1, 100, 101, 102)]
        assert split.pixels_u8[:, 2, 5, 3].tolist() == values
    assert str(tmp_path) not in dataset.source
    assert "8×8 (from the shortest side of all images)" in dataset.source


def test_val_is_validation_and_validation_is_optional(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    (root / "validation").rename(root / "val")
    named_val = load_folder(root)
    assert named_val.validation is not None
    (root / "val").rename(root / ".hidden")
    assert load_folder(root).validation is None


def test_a_flat_folder_is_split_by_class_and_always_the_same(tmp_path: Path) -> None:
    fill(tmp_path / "a", range(20))
    fill(tmp_path / "b", range(100, 110))
    dataset = load_folder(tmp_path, colour="grey")
    assert dataset.image_shape == (1, 8, 8)
    assert dataset.train.labels.bincount().tolist() == [16, 8]
    assert dataset.test.labels.bincount().tolist() == [4, 2]
    assert dataset.test.pixels_u8[:, 0, 0, 0].tolist() == [2, 3, 11, 13, 100, 101]
    assert load_folder(tmp_path, colour="grey").sha256 == dataset.sha256


def test_the_size_comes_from_the_smallest_image(tmp_path: Path) -> None:
    fill(tmp_path / "a", [1, 2], height=40, width=31)
    fill(tmp_path / "b", [3, 4], height=26, width=90)
    assert load_folder(tmp_path).image_shape == (3, 24, 24)
    fill(tmp_path / "b", [5], height=5, width=90)
    assert load_folder(tmp_path).image_shape == (3, 8, 8)


def test_a_stated_size_is_taken(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    dataset = load_folder(root, image_size=(12, 20), colour="grey")
    assert dataset.image_shape == (1, 12, 20)
    assert "grey, scaled to cover and centre-cropped to 12×20 (as asked)" in dataset.source


def test_files_beside_the_class_folders_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    expected = load_folder(root).sha256
    for name in ("LICENSE", "train/README", "train/cat/.DS_Store", ".git/config"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("not an image")
    assert load_folder(root).sha256 == expected


def test_progress_counts_every_image(tmp_path: Path) -> None:
    fill(tmp_path / "pets" / "a", range(3))
    fill(tmp_path / "pets" / "b", range(4))
    seen: list[Progress] = []
    load_folder(tmp_path / "pets", progress=seen.append)
    assert seen == [Progress(stage="decoding pets", done=n, total=7) for n in range(1, 8)]


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda root: root.rename(root.parent / "away"), DataNotFoundError, "is not a folder"),
        (lambda root: shutil.rmtree(root / "train" / "cat"), DataError, "one class only"),
        (lambda root: empty(root / "train" / "cat"), EmptyClassError, "cat holds 0 images"),
        (lambda root: empty(root / "test" / "cat"), EmptyClassError, "cat holds 0 images"),
        (lambda root: shutil.rmtree(root / "test" / "dog"), EmptyClassError, "no folder for"),
        (lambda root: fill(root / "test" / "horse", [1]), DataError, "class 'horse'"),
        (lambda root: shutil.rmtree(root / "test"), DataNotFoundError, "but no test/"),
        (lambda root: (root / "val").mkdir(), DataError, "both validation/ and val/"),
        (lambda root: fill(root / "train" / "cat" / "more", [1]), DataError, "within a class"),
    ],
)
def test_other_layouts_are_refused(
    tmp_path: Path, change: Callable[[Path], object], error: type[DataError], words: str
) -> None:
    root = split_folder(tmp_path / "pets")
    change(root)
    with pytest.raises(error, match=words):
        load_folder(root)


def test_flat_folders_need_classes_of_two_images(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    with pytest.raises(DataError, match="no class sub-folders; put the images"):
        load_folder(tmp_path)
    fill(tmp_path / "a", range(3))
    fill(tmp_path / "b", [1])
    with pytest.raises(EmptyClassError, match="b holds 1 images, at least 2 needed"):
        load_folder(tmp_path)


@pytest.mark.parametrize("image_size", [None, (8, 8)])
def test_a_file_that_is_no_image(tmp_path: Path, image_size: tuple[int, int] | None) -> None:
    root = split_folder(tmp_path)
    (root / "validation" / "cat" / "notes.txt").write_text("not an image")
    with pytest.raises(UnreadableImageError, match=r"validation/cat/notes\.txt is not an image"):
        load_folder(root, image_size=image_size)


def test_a_truncated_image(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    path = root / "train" / "dog" / "101.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UnreadableImageError, match=r"train/dog/101\.png cannot be decoded"):
        load_folder(root)


@pytest.mark.parametrize(
    "settings", [{"image_size": (0, 8)}, {"image_size": (8, -1)}, {"colour": "gray"}]
)
def test_settings_that_do_not_exist_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"image size|'gray'"):
        load_folder(split_folder(tmp_path), **settings)


def test_real_photographs(real_data_dir: Path, tmp_path: Path) -> None:
    """A few of clothing128: stored at 128 on the short side, so they are cropped, not resampled."""
    source = real_data_dir / "clothing128"
    for class_folder in source.glob("*/*/"):
        copy = tmp_path / class_folder.relative_to(source)
        copy.mkdir(parents=True)
        for path in sorted(class_folder.iterdir())[:2]:
            (copy / path.name).symlink_to(path)
    dataset = load_folder(tmp_path)
    assert dataset.num_classes == 10
    assert dataset.image_shape == (3, 128, 128)
    assert (len(dataset.train), len(dataset.test)) == (20, 20)
    first = sorted((tmp_path / "test" / "dress").iterdir())[0]
    with Image.open(first) as image:
        left, top = (image.width - 128) // 2, (image.height - 128) // 2
        expected = np.asarray(image.convert("RGB"))[top : top + 128, left : left + 128]
    np.testing.assert_array_equal(dataset.test.pixels_u8[0].permute(1, 2, 0), expected)
