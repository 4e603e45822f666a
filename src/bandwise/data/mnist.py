"""MNIST and Fashion-MNIST: 60,000 training and 10,000 test images of 28×28, grey, in idx files.

Format and data: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits";
H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", arXiv 1708.07747. The checksums are of the uncompressed files and were taken
from copies that match the MD5 sums in circulation.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bandwise.data.fetch import Located, PublishedFile, PublishedFiles, locate, read_verified
from bandwise.data.types import Dataset, LabelledImages, Progress, assemble
from bandwise.errors import CorruptDataError

UNSIGNED_BYTE = 0x08
MNIST_CLASSES = tuple(str(digit) for digit in range(10))
FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def _idx_files(
    *, train_images: str, train_labels: str, test_images: str, test_labels: str
) -> tuple[PublishedFile, ...]:
    sizes_and_checksums = {
        "train-images-idx3-ubyte": (16 + 60_000 * 28 * 28, train_images),
        "train-labels-idx1-ubyte": (8 + 60_000, train_labels),
        "t10k-images-idx3-ubyte": (16 + 10_000 * 28 * 28, test_images),
        "t10k-labels-idx1-ubyte": (8 + 10_000, test_labels),
    }
    return tuple(
        PublishedFile(name=name, size_bytes=size_bytes, sha256=sha256)
        for name, (size_bytes, sha256) in sizes_and_checksums.items()
    )


MNIST = PublishedFiles(
    name="mnist",
    files=_idx_files(
        train_images="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        train_labels="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        test_images="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        test_labels="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
)

FASHION_MNIST = PublishedFiles(
    name="fashion-mnist",
    files=_idx_files(
        train_images="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        train_labels="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        test_images="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        test_labels="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)


def load_mnist(*, data_dir: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Read MNIST; `bandwise.data.fetch.locate` says where from and what can go wrong."""
    return _load(MNIST, MNIST_CLASSES, "MNIST", data_dir, progress)


def load_fashion_mnist(
    *, data_dir: Path | None = None, progress: Progress | None = None
) -> Dataset:
    """Read Fashion-MNIST; `bandwise.data.fetch.locate` says where from and what can go wrong."""
    return _load(FASHION_MNIST, FASHION_MNIST_CLASSES, "Fashion-MNIST", data_dir, progress)


def parse_idx(data: bytes, *, name: str) -> npt.NDArray[np.uint8]:
    """Array of unsigned bytes in an idx file: big-endian magic, one uint32 a dimension, values.

    Raises
    ------
    CorruptDataError
        When the magic, the type or the length is wrong; ``name`` says of which file.
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE or data[3] == 0:
        raise CorruptDataError(
            f"{name} is not an idx file of unsigned bytes: it begins with {data[:4].hex(' ')!r}"
        )
    header_bytes = 4 + 4 * data[3]
    if len(data) < header_bytes:
        raise CorruptDataError(f"{name} ends within its idx header of {header_bytes} bytes")
    shape = tuple(int(n) for n in np.frombuffer(data, dtype=">u4", count=data[3], offset=4))
    if len(data) != header_bytes + math.prod(shape):
        raise CorruptDataError(
            f"{name} says shape {shape}, which takes {header_bytes + math.prod(shape)} bytes, "
            f"but has {len(data)}"
        )
    try:
        return np.frombuffer(data, dtype=np.uint8, offset=header_bytes).reshape(shape)
    except ValueError as error:  # too many dimensions, or too long ones beside an empty one
        raise CorruptDataError(f"{name} says shape {shape}, which no array has") from error


def _load(
    wanted: PublishedFiles,
    classes: tuple[str, ...],
    title: str,
    data_dir: Path | None,
    progress: Progress | None,
) -> Dataset:
    located = locate(wanted, data_dir=data_dir, progress=progress)
    arrays = [_read_array(located, file) for file in wanted.files]
    train, test = (_labelled(*arrays[:2]), _labelled(*arrays[2:]))
    return assemble(
        name=wanted.name,
        classes=classes,
        train=train,
        test=test,
        source=f"{title}, idx files ({located.place}), checksums verified",
    )


def _read_array(located: Located, file: PublishedFile) -> npt.NDArray[np.uint8]:
    path = located.paths[file.name]
    return parse_idx(read_verified(path, file), name=str(path))


def _labelled(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> LabelledImages:
    # The arrays are read-only views of file contents; PyTorch needs memory of its own.
    return LabelledImages(
        torch.from_numpy(images[:, None].copy()), torch.from_numpy(labels.astype(np.int64))
    )
