"""Any folder of images with a sub-folder a class.

Two layouts are read:

    DIR/train/CLASS/*, DIR/test/CLASS/* and, if there, DIR/validation/CLASS/* (or DIR/val/...)
    DIR/CLASS/*, which is split 80/20 into train and test by class, always with the same seed

Classes are sorted by name and must be the same in every split. Every file in a class folder must
be an image; hidden files, and files beside the class folders, are passed over. Decoding is
described in `bandwise.images.decode_file`. Without a stated size images become squares whose side
is the shortest side of any image, rounded down to a multiple of 8 (at least 8), so that nothing
but an image under 8 pixels is enlarged.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bandwise.data.types import Dataset, LabelledImages, assemble, holdout
from bandwise.errors import ConfigurationError, DataError, DataNotFoundError, EmptyClassError
from bandwise.images import Colour, decode_file, short_side
from bandwise.progress import Progress, ProgressCallback, ignore_progress

TEST_FRACTION = 0.2
SPLIT_SEED = 0
"""Of the 80/20 split of data that has no official one."""
BLOCK_SIZE = 8
VALIDATION_NAMES = ("validation", "val")
MAX_THREADS = 8


@dataclass(frozen=True, eq=False)
class LabelledPaths:
    """Files with a class label each, by class and name; ``labels`` is (N,) int64."""

    paths: tuple[Path, ...]
    labels: Tensor

    def subset(self, indices: Tensor | Sequence[int]) -> LabelledPaths:
        """Files at ``indices``, in that order."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return LabelledPaths(tuple(self.paths[i] for i in index.tolist()), self.labels[index])


def load_folder(
    root: Path,
    *,
    image_size: tuple[int, int] | None = None,
    colour: Colour = "rgb",
    progress: ProgressCallback = ignore_progress,
) -> Dataset:
    """Read a folder of images into memory.

    Parameters
    ----------
    image_size
        (H, W) of every image; by default a square derived from the smallest image.
    colour
        ``rgb`` for (3, H, W), ``grey`` for (1, H, W).

    Raises
    ------
    ConfigurationError
        When ``image_size`` or ``colour`` is none that exists.
    UnreadableImageError
        When a file in a class folder is not an acceptable image.
    DataError
        In one of its kinds when the folder is not laid out so; see `scan`.
    """
    if colour not in ("grey", "rgb"):
        raise ConfigurationError(f"colour is 'grey' or 'rgb', not {colour!r}")
    if image_size is not None and min(image_size) < 1:
        raise ConfigurationError(f"an image size is (height, width) of 1 or more, not {image_size}")
    folder = scan(root)
    paths = [path for split in folder.splits.values() for path in split.paths]
    why = "as asked"
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        if image_size is None:
            side = min(pool.map(short_side, paths))
            side = max(BLOCK_SIZE, side - side % BLOCK_SIZE)
            image_size, why = (side, side), "from the shortest side of all images"
        height, width = image_size
        pixels = np.empty((len(paths), 1 if colour == "grey" else 3, height, width), np.uint8)

        def decode_into(index: int) -> None:
            pixels[index] = decode_file(paths[index], height=height, width=width, colour=colour)

        for done, _ in enumerate(pool.map(decode_into, range(len(paths))), start=1):
            progress(Progress(stage=f"decoding {folder.name}", done=done, total=len(paths)))
    parts = torch.from_numpy(pixels).split([len(split.paths) for split in folder.splits.values()])
    images = {
        name: LabelledImages(part, split.labels)
        for (name, split), part in zip(folder.splits.items(), parts, strict=True)
    }
    return assemble(
        name=folder.name,
        classes=folder.classes,
        train=images["train"],
        validation=images.get("validation"),
        test=images["test"],
        source=(
            f"folder {folder.name}, {folder.origin_of_test}, {colour}, scaled to cover and "
            f"centre-cropped to {height}×{width} ({why})"
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Folder:
    """Layout of a folder; ``origin_of_test`` says in words where its test split comes from."""

    name: str
    classes: tuple[str, ...]
    splits: dict[str, LabelledPaths]
    origin_of_test: str


def scan(root: Path) -> Folder:
    """Classes and splits of a folder, of which no file is read.

    Raises
    ------
    DataNotFoundError
        When the folder or one of its splits is missing.
    EmptyClassError
        When a class lacks images in a split.
    DataError
        When there are fewer than two classes, or folders within a class.
    """
    if not root.is_dir():
        raise DataNotFoundError(f"{root} is not a folder; name one with a sub-folder a class")
    flat = not (root / "train").is_dir() or not _sub_folders(root / "train")
    if flat:
        folders = {"train": root}
    else:
        folders = {"train": root / "train", **_validation_folder(root), "test": root / "test"}
        if not folders["test"].is_dir():
            raise DataNotFoundError(
                f"{root} has train/ but no test/; add test/ with the same classes, or put the "
                "class folders directly into it to have them split"
            )
    classes = tuple(folder.name for folder in _sub_folders(folders["train"]))
    if not classes:
        raise DataError(
            f"{folders['train']} has no class sub-folders; put the images of each class into a "
            "folder of its own"
        )
    if len(classes) == 1:
        raise DataError(
            f"{folders['train']} has one class only ({classes[0]!r}); classification needs two"
        )
    splits = {
        name: _scan_split(folder, classes, smallest_class=2 if flat else 1)
        for name, folder in folders.items()
    }
    if flat:
        splits["train"], splits["test"] = holdout(
            splits["train"], fraction=TEST_FRACTION, seed=SPLIT_SEED
        )
    return Folder(
        name=root.resolve().name,
        classes=classes,
        splits=splits,
        origin_of_test="split 80/20 by class" if flat else "its own split",
    )


def _validation_folder(root: Path) -> dict[str, Path]:
    present = [root / name for name in VALIDATION_NAMES if (root / name).is_dir()]
    if len(present) > 1:
        raise DataError(f"{root} has both validation/ and val/; keep one of them")
    return {"validation": present[0]} if present else {}


def _scan_split(folder: Path, classes: Sequence[str], *, smallest_class: int) -> LabelledPaths:
    extra = [found.name for found in _sub_folders(folder) if found.name not in classes]
    if extra:
        raise DataError(
            f"{folder} has the class {extra[0]!r}, which train does not have; every split needs "
            "the same classes"
        )
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            raise EmptyClassError(
                f"{folder} has no folder for the class {name!r}; every split needs every class"
            )
        found = _images(folder / name)
        if len(found) < smallest_class:
            raise EmptyClassError(
                f"{folder / name} holds {len(found)} images, at least {smallest_class} needed; "
                "add images or remove the class"
            )
        paths += found
        labels += [label] * len(found)
    return LabelledPaths(tuple(paths), torch.tensor(labels))


def _sub_folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in _visible(folder) if entry.is_dir())


def _images(class_folder: Path) -> list[Path]:
    entries = sorted(_visible(class_folder))
    for entry in entries:
        if entry.is_dir():
            raise DataError(
                f"{entry} is a folder within a class; put its images into {class_folder} itself"
            )
    return entries


def _visible(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataNotFoundError(f"{folder} cannot be listed: {error.strerror}") from error
