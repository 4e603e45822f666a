from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn import datasets

from bandwise.data.catalog import FASHION_MNIST, MNIST, load_digits, load_idx, parse_idx
from bandwise.data.types import LabelledImages
from bandwise.errors import CorruptDataError

from .published import idx_bytes, publish, tiny_contents, write_files


@given(npst.arrays(np.uint8, npst.array_shapes(max_dims=4, max_side=6, min_side=0)))
def test_parse_idx_reads_what_was_written(array: npt.NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(parse_idx(idx_bytes(array), name="x"), array)


IDX = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@given(st.integers(0, len(IDX) - 1))
def test_parse_idx_refuses_every_truncation(length: int) -> None:
    with pytest.raises(CorruptDataError, match="broken-file"):
        parse_idx(IDX[:length], name="broken-file")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (IDX + b"\0", r"shape \(2, 3, 4\), which takes 40 bytes, but has 41"),
        (b"\1" + IDX[1:], "begins with '01 00 08 03'"),
        (IDX[:2] + b"\x0d" + IDX[3:], "not an idx file of unsigned bytes"),
        (b"\0\0\x08\0", "not an idx file"),
        (b"\0\0\x08\x02" + b"\xff" * 8, "but has 12"),
        (b"\0\0\x08\x64" + 100 * b"\0\0\0\1" + b"\0", "which no array has"),
        (b"\0\0\x08\x04" + bytes(4) + b"\xff" * 12, "which no array has"),
    ],
)
def test_parse_idx_refuses_other_formats(data: bytes, why: str) -> None:
    with pytest.raises(CorruptDataError, match=why):
        parse_idx(data, name="x")


@pytest.mark.parametrize("compressed", [True, False])
def test_images_and_labels_are_put_together(tmp_path: Path, compressed: bool) -> None:
    contents = tiny_contents()
    wanted = replace(MNIST, files=publish("mnist", contents).files)
    write_files(tmp_path, contents, compressed=compressed)
    dataset = load_idx(wanted, data_dir=tmp_path)
    assert dataset.name == "mnist"
    assert dataset.image_shape == (1, 5, 3)
    assert (len(dataset.train), dataset.validation, len(dataset.test)) == (6, None, 4)
    assert dataset.test.labels.tolist() == [0, 1, 0, 1]
    assert dataset.test.pixels_u8.numpy().tobytes() == contents["t10k-images-idx3-ubyte"][16:]
    assert dataset.source == "MNIST, idx files (data folder), checksums verified"


def test_real_mnist(real_data_dir: Path) -> None:
    dataset = load_idx(MNIST, data_dir=real_data_dir)
    assert dataset.image_shape == (1, 28, 28)
    assert (len(dataset.train), len(dataset.test)) == (60_000, 10_000)
    assert dataset.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.test.labels.bincount().tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    # The mean and deviation of the training pixels that are commonly quoted.
    pixels = dataset.train.pixels_u8.numpy() / np.float32(255)
    assert round(float(pixels.mean()), 4) == 0.1307
    assert round(float(pixels.std()), 4) == 0.3081


def test_real_fashion_mnist(real_data_dir: Path) -> None:
    dataset = load_idx(FASHION_MNIST, data_dir=real_data_dir)
    assert (len(dataset.train), len(dataset.test)) == (60_000, 10_000)
    assert dataset.train.labels.bincount().tolist() == [6000] * 10
    assert dataset.classes[int(dataset.train.labels[0])] == "Ankle boot"
    assert round(float(dataset.train.pixels_u8.numpy().mean() / 255), 4) == 0.2860


def test_digits_are_scikit_learns_scaled_to_bytes() -> None:
    dataset = load_digits()
    assert dataset.image_shape == (1, 8, 8)
    assert dataset.classes == tuple("0123456789")
    assert dataset.validation is None
    everything = np.concatenate([dataset.train.pixels_u8, dataset.test.pixels_u8])[:, 0]
    assert set(np.unique(everything)) == {round(v * 255 / 16 + 1e-9) for v in range(17)}
    ink = np.rint(everything / 255 * 16)
    found = {image.tobytes() for image in ink}
    assert found == {image.tobytes() for image in datasets.load_digits().images}


def test_digits_are_split_by_class_and_the_same_everywhere() -> None:
    dataset = load_digits()
    assert (len(dataset.train), len(dataset.test)) == (1438, 359)

    def shares(images: LabelledImages) -> torch.Tensor:
        return torch.bincount(images.labels, minlength=10) / len(images)

    assert (shares(dataset.train) - shares(dataset.test)).abs().max() < 0.003
    assert dataset.sha256 == "35c5ea98b5925b02ceaf9edf866a5a04f8ae181d9047c0ed7478c06e2500ee8a"
