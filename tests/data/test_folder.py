from collections.abc import Iterable
from pathlib import Path

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


def test_train_can_be_the_name_of_a_class(tmp_path: Path) -> None:
    fill(tmp_path / "train", range(5))
    fill(tmp_path / "car", range(5))
    assert load_folder(tmp_path).classes == ("car", "train")


def test_progress_counts_every_image(tmp_path: Path) -> None:
    fill(tmp_path / "pets" / "a", range(3))
    fill(tmp_path / "pets" / "b", range(4))
    seen: list[tuple[str, int, int]] = []
    load_folder(tmp_path / "pets", progress=lambda *step: seen.append(step))
    assert seen == [("decoding pets", done, 7) for done in range(1, 8)]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="gone is not a folder"):
        load_folder(tmp_path / "gone")


def test_no_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    with pytest.raises(DataError, match="no class sub-folders; put the images"):
        load_folder(tmp_path)


def test_one_class_only(tmp_path: Path) -> None:
    fill(tmp_path / "only", range(3))
    with pytest.raises(DataError, match=r"one class only \('only'\)"):
        load_folder(tmp_path)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_an_empty_class(tmp_path: Path, split: str) -> None:
    root = split_folder(tmp_path)
    for path in (root / split / "cat").iterdir():
        path.unlink()
    with pytest.raises(EmptyClassError, match=f"{split}/cat holds 0 images"):
        load_folder(root)


def test_a_class_of_one_image_cannot_be_split(tmp_path: Path) -> None:
    fill(tmp_path / "a", range(3))
    fill(tmp_path / "b", [1])
    with pytest.raises(EmptyClassError, match="b holds 1 images, at least 2 needed"):
        load_folder(tmp_path)


def test_a_class_missing_in_a_split(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    (root / "test" / "dog").rename(root / ".away")
    with pytest.raises(EmptyClassError, match="test has no folder for the class 'dog'"):
        load_folder(root)


def test_a_class_that_training_does_not_have(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    fill(root / "test" / "horse", [1])
    with pytest.raises(DataError, match="test has the class 'horse', which train does not have"):
        load_folder(root)


def test_training_images_without_test_images(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    (root / "test").rename(root / ".away")
    with pytest.raises(DataNotFoundError, match="has train/ but no test/"):
        load_folder(root)


def test_two_validation_folders(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    (root / "val").mkdir()
    with pytest.raises(DataError, match="both validation/ and val/"):
        load_folder(root)


def test_folders_within_a_class(tmp_path: Path) -> None:
    root = split_folder(tmp_path)
    fill(root / "train" / "cat" / "more", [1])
    with pytest.raises(DataError, match="more is a folder within a class"):
        load_folder(root)


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


@pytest.mark.parametrize("image_size", [(0, 8), (8, -1)])
def test_an_impossible_size(tmp_path: Path, image_size: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match="image size is"):
        load_folder(split_folder(tmp_path), image_size=image_size)


def test_an_unknown_colour(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'grey' or 'rgb', not 'gray'"):
        load_folder(split_folder(tmp_path), colour="gray")  # type: ignore[arg-type]


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
