"""From a name to a data set: the known ones, and any folder of images.

MNIST and Fashion-MNIST: 60,000 training and 10,000 test images of 28×28, grey, published as idx
files. Format and data: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten
digits"; H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
machine learning algorithms", arXiv 1708.07747. The checksums are of the uncompressed files and were
taken from copies that match the MD5 sums in circulation.

Digits: 1,797 grey images of 8×8 from the UCI set "Optical Recognition of Handwritten Digits" (E.
Alpaydin, C. Kaynak, 1998), as scikit-learn brings them, whose values are counts of ink pixels, 0 to
16.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bandwise.data.fetch import (
    PublishedDataset,
    PublishedFile,
    environment_data_dir,
    locate,
    read_verified,
)
from bandwise.data.folder import SPLIT_SEED, TEST_FRACTION, load_folder
from bandwise.data.types import Dataset, LabelledImages, assemble, holdout
from bandwise.errors import ConfigurationError, CorruptDataError, UnknownDatasetError
from bandwise.images import Colour
from bandwise.progress import ProgressCallback, ignore_progress

UNSIGNED_BYTE = 0x08


def _idx_dataset(
    name: str, title: str, *, classes: str, sha256: tuple[str, ...], mirrors: tuple[str, ...]
) -> PublishedDataset:
    sizes = {
        "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
        "train-labels-idx1-ubyte": 8 + 60_000,
        "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
        "t10k-labels-idx1-ubyte": 8 + 10_000,
    }
    files = (
        PublishedFile(name=file, size_bytes=size_bytes, sha256=checksum)
        for (file, size_bytes), checksum in zip(sizes.items(), sha256, strict=True)
    )
    return PublishedDataset(
        name=name,
        title=title,
        classes=tuple(classes.split(", ")),
        files=tuple(files),
        mirrors=mirrors,
    )


MNIST = _idx_dataset(
    "mnist",
    "MNIST",
    classes="0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    sha256=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
)

FASHION_MNIST = _idx_dataset(
    "fashion-mnist",
    "Fashion-MNIST",
    classes=(
        "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot"
    ),
    sha256=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)


PUBLISHED = {"mnist": MNIST, "fashion-mnist": FASHION_MNIST}
DATASET_NAMES = ("digits", *PUBLISHED)


def load(
    name_or_path: str,
    *,
    data_dir: Path | None = None,
    image_size: tuple[int, int] | None = None,
    colour: Colour = "rgb",
    progress: ProgressCallback = ignore_progress,
) -> Dataset:
    """Load a data set by name, or a folder of images with a sub-folder a class.

    Parameters
    ----------
    name_or_path
        ``digits`` (bundled), ``mnist``, ``fashion-mnist``, or a folder: its path, or its name
        within ``data_dir`` or the folder that BANDWISE_DATA names. A known name comes first;
        write ``./mnist`` for a folder of that name.
    data_dir
        Where the files of a known data set must be; without it they are looked for in
        BANDWISE_DATA and the cache, then downloaded.
    image_size
        (H, W) to which the images of a folder are brought; by default derived from the smallest
        (`bandwise.data.folder`). The known data sets have the size they have.
    colour
        ``rgb`` or ``grey``, for folders; the known data sets are grey.
    progress
        Report progress of downloading and decoding.

    Raises
    ------
    UnknownDatasetError
        When it is neither a known name nor a folder.
    ConfigurationError
        When ``image_size`` is not that of a known data set, or not positive.
    DataError
        In one of its kinds when files are missing, damaged or not laid out as expected.
    """
    if name_or_path not in DATASET_NAMES:
        folder = _find_folder(name_or_path, data_dir)
        return load_folder(folder, image_size=image_size, colour=colour, progress=progress)
    if name_or_path == "digits":
        dataset = load_digits()
    else:
        dataset = load_idx(PUBLISHED[name_or_path], data_dir=data_dir, progress=progress)
    if image_size not in (None, dataset.image_shape[1:]):
        raise ConfigurationError(
            f"images of {name_or_path!r} are {dataset.image_shape[1]}×{dataset.image_shape[2]} "
            f"and not resized to {image_size}; leave the image size out"
        )
    return dataset


def _find_folder(name_or_path: str, data_dir: Path | None) -> Path:
    path = Path(name_or_path).expanduser()
    bases = [base for base in (data_dir, environment_data_dir()) if base is not None]
    candidates = [path, *(base / path for base in bases)]
    for candidate in candidates:
        if name_or_path and candidate.is_dir():
            return candidate
    what = "is a file" if path.is_file() else "is neither a known data set nor a folder"
    raise UnknownDatasetError(
        f"{name_or_path!r} {what}; known are {', '.join(DATASET_NAMES)}, and the path of any "
        "folder of images with a sub-folder a class works too "
        f"(looked for {', '.join(str(candidate) for candidate in candidates)})"
    )


def load_digits() -> Dataset:
    """Read scikit-learn's digits, scaled from 0..16 to 0..255 and split 80/20 by class."""
    # Importing scikit-learn takes longer than reading the digits, and only they need it.
    from sklearn import datasets

    bunch = datasets.load_digits()
    pixels_u8 = np.floor(bunch.images * (255 / 16) + 0.5).astype(np.uint8)
    train, test = holdout(
        _labelled(pixels_u8, bunch.target), fraction=TEST_FRACTION, seed=SPLIT_SEED
    )
    return assemble(
        name="digits",
        classes=[str(digit) for digit in bunch.target_names],
        train=train,
        test=test,
        source="scikit-learn digits (bundled), split 80/20 by class",
    )


def load_idx(
    wanted: PublishedDataset,
    *,
    data_dir: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> Dataset:
    """Read a published data set; `locate` says where from and what can fail."""
    paths, place = locate(wanted, data_dir=data_dir, progress=progress)
    train_images, train_labels, test_images, test_labels = (
        parse_idx(read_verified(path, file), name=str(path))
        for path, file in zip(paths, wanted.files, strict=True)
    )
    return assemble(
        name=wanted.name,
        classes=wanted.classes,
        train=_labelled(train_images, train_labels),
        test=_labelled(test_images, test_labels),
        source=f"{wanted.title}, idx files ({place}), checksums verified",
    )


def parse_idx(data: bytes, *, name: str) -> npt.NDArray[np.uint8]:
    """Array of unsigned bytes in an idx file: big-endian magic, one uint32 a dimension, values.

    Raises `CorruptDataError` when the magic, the type or the length is wrong; ``name`` says of
    which file.
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


def _labelled(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.integer]) -> LabelledImages:
    # The arrays may be read-only views of file contents; PyTorch needs memory of its own.
    return LabelledImages(
        torch.from_numpy(images[:, None].copy()), torch.from_numpy(labels.astype(np.int64))
    )
