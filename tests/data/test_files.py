"""Folders of JPEG files in memory: splits, sizes and channels, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bandwise import jpeg
from bandwise.data import with_validation
from bandwise.data.files import LabelledFiles, load_files, read_batch, read_pixels
from bandwise.data.folder import load_folder
from bandwise.errors import (
    ConfigurationError,
    DataError,
    ShapeError,
    UnreadableImageError,
)
from bandwise.frequency.color import rgb_to_ycbcr
from tests.data.jpeg_tree import write_digits
from tests.jpeg.images import jpeg_file, picture, pillow_pixels, saved

SPLITS = {"train": 5, "validation": 2, "test": 3}


def test_flat_folders_are_split_as_those_of_pixels(tmp_path: Path) -> None:
    for seed in range(8):
        path = tmp_path / "ab"[seed % 2] / f"{seed}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg_file(16, 16, seed=seed))
    data, decoded = load_files(tmp_path), with_validation(load_folder(tmp_path), seed=0)
    for name, split in data.splits.items():
        assert torch.equal(split.pixels(range(len(split))), decoded.split(name).pixels_u8)
        assert torch.equal(split.labels, decoded.split(name).labels)


def labelled(*files: bytes, grid: tuple[int, int] = (2, 4), channels: int = 3) -> LabelledFiles:
    return LabelledFiles(files, torch.arange(len(files)), grid, channels)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_digits(tmp_path / "digits", SPLITS)


def test_a_folder_is_read_with_its_splits(root: Path) -> None:
    data = load_files(root)
    assert (data.name, data.classes, data.num_classes) == ("digits", ("0", "1"), 2)
    assert (data.grid, data.channels) == ((2, 2), 1)
    assert {name: len(files) for name, files in data.splits.items()} == {
        name: 2 * count for name, count in SPLITS.items()
    }
    test = data.splits["test"]
    assert test.files[3] == (root / "test" / "1" / "00.jpg").read_bytes()
    assert test.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_missing_validation_split_is_held_out_of_training(tmp_path: Path) -> None:
    root = write_digits(tmp_path, {"train": 10, "test": 3})
    data, same, other = load_files(root), load_files(root), load_files(root, seed=1)
    train, validation = data.splits["train"], data.splits["validation"]
    assert [(labels == 0).sum() for labels in (train.labels, validation.labels)] == [8, 2]
    every = {path.read_bytes() for path in (root / "train").glob("*/*.jpg")}
    assert {*train.files, *validation.files} == every
    assert not {*train.files} & {*validation.files}
    assert same.splits["validation"].files == validation.files
    assert same.sha256 == data.sha256
    assert {*other.splits["validation"].files} != {*validation.files}
    assert other.splits["test"].files == data.splits["test"].files


def test_the_hash_is_of_what_is_trained_on(root: Path) -> None:
    def changed(change: str) -> str:
        first = root / "train" / "0" / "00.jpg"
        kept = first.read_bytes()
        moved = root / "train" / "1" / "99.jpg"
        if change == "content":
            first.write_bytes(jpeg_file(16, 16, grey=True))
        elif change == "label":
            first.rename(moved)
        found = load_files(root, image_size=(32, 32) if change == "grid" else None).sha256
        moved.unlink(missing_ok=True)
        first.write_bytes(kept)
        return found

    hashes = [changed(change) for change in ("nothing", "content", "label", "grid", "nothing")]
    assert hashes[0] == hashes[-1]
    assert len({*hashes}) == 4


def test_several_sizes_need_an_image_size(root: Path) -> None:
    (root / "train" / "0" / "00.jpg").write_bytes(jpeg_file(40, 24, grey=True))
    with pytest.raises(DataError, match="have 2 sizes; give an image size"):
        load_files(root)
    data = load_files(root, image_size=(16, 32))
    assert data.grid == (2, 4)
    train = data.splits["train"]
    assert train.coefficients([0, 1]).grid == (2, 4)
    assert train.pixels([0, 1]).shape == (2, 1, 16, 32)


@pytest.mark.parametrize("size", [(20, 16), (16, 8), (0, 16), (-16, 16)])
def test_image_sizes_are_blocks(root: Path, size: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match="multiples of 16, not"):
        load_files(root, image_size=size)


def test_sizes_that_are_no_blocks_are_filled_up(tmp_path: Path) -> None:
    data = load_files(write_digits(tmp_path, SPLITS, side=24))
    assert data.grid == (4, 4)
    test = data.splits["test"]
    assert test.coefficients([0]).grid == (4, 4)
    (pixels,) = test.pixels([0])
    assert (pixels[0, 4:28, 4:28].numpy() == jpeg.decode(test.files[0])).all()
    assert {*pixels[0, :4].unique().tolist(), *pixels[0, 28:].unique().tolist()} == {128}


def test_grey_among_colour_is_read_in_colour(root: Path) -> None:
    (root / "test" / "1" / "00.jpg").write_bytes(jpeg_file(16, 16))
    data = load_files(root)
    assert data.channels == 3
    train = data.splits["train"].coefficients([0, 1])
    assert train.chroma is not None
    assert train.chroma.abs().max() == 0
    (grey,) = data.splits["train"].pixels([0])
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0], grey[2])


DAMAGED = {
    "png": saved(picture(16, 16)),
    "cmyk": saved(Image.fromarray(picture(16, 16)).convert("CMYK"), "JPEG"),
    "cut": saved(picture(16, 16), "JPEG")[:-30],
    "empty": b"",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_is_no_whole_jpeg_is_named_with_what_to_do(root: Path, kind: str) -> None:
    (root / "validation" / "1" / "01.jpg").write_bytes(DAMAGED[kind])
    with pytest.raises(UnreadableImageError, match=r"1/01\.jpg: .*`bandwise encode`") as caught:
        load_files(root)
    assert "\n" not in str(caught.value)


def test_batches_are_in_the_order_asked_for() -> None:
    files = labelled(*(jpeg_file(16, 32, seed=seed) for seed in range(5)))
    assert len(files) == 5
    batch, want = files.coefficients([3, 0]), read_batch([files.files[3], files.files[0]])
    assert torch.equal(batch.luma, want.luma)
    part = files.subset(torch.tensor([4, 2]))
    assert part.labels.tolist() == [4, 2]
    assert part.files == (files.files[4], files.files[2])
    assert torch.equal(part.pixels([1]), files.pixels([2]))
    grey = labelled(*files.files, channels=1)
    assert grey.coefficients([0]).chroma is None
    mixed = labelled(jpeg_file(16, 16), jpeg_file(32, 16), grid=(2, 2))
    assert mixed.coefficients([1, 0]).grid == (2, 2)


@pytest.mark.parametrize("grey", [False, True])
def test_pixels_are_those_of_another_decoder(grey: bool) -> None:
    files = [jpeg_file(16, 32, grey=grey, seed=seed) for seed in range(3)]
    decoded = torch.from_numpy(np.stack([pillow_pixels(data) for data in files]))
    want = decoded[:, None] if grey else decoded.permute(0, 3, 1, 2)
    for threads in (1, 2):
        pixels = read_pixels(files, channels=want.shape[1], grid=(2, 4), threads=threads)
        assert pixels.dtype == torch.uint8
        assert (pixels.int() - want.int()).abs().max() <= 1


def test_colour_becomes_its_luma_where_grey_is_asked_for() -> None:
    data = jpeg_file(16, 32)
    (pixels,) = read_pixels([data], channels=1, grid=(2, 4))
    colours = torch.from_numpy(jpeg.decode(data)).permute(2, 0, 1)
    assert torch.equal(pixels, rgb_to_ycbcr(colours.float())[:1].round().to(torch.uint8))


def test_pixels_and_coefficients_show_the_same_part() -> None:
    """The mean of each block of luma, on a grid that crops one way and fills the other."""
    data = jpeg_file(48, 32, grey=True)
    pixels = read_pixels([data], channels=1, grid=(2, 8)).float()
    luma = read_batch([data], channels=1, grid=(2, 8)).luma
    means = torch.nn.functional.avg_pool2d(pixels - 128, 8)[:, 0]
    assert (luma[:, 0] / 8 - means).abs().max() < 1


def test_labels_are_checked() -> None:
    with pytest.raises(ShapeError, match="1 images need int64 labels"):
        LabelledFiles((jpeg_file(16, 32),), torch.zeros(1), (2, 4), 3)
