"""Any folder of images with a sub-folder a class.

Two layouts are read:

    DIR/train/CLASS/*, DIR/test/CLASS/* and, if there, DIR/validation/CLASS/* (or DIR/val/...)
    DIR/CLASS/*, which is split 80/20 into train and test by class, always with the same seed

Classes are sorted by name and must be the same in every split. Every file in a class folder must
be an image; hidden files, and files beside the class folders, are passed over. Decoding is
described in `bandwise.data.decode`. Without a stated size images become squares whose side is the
shortest side of any image, rounded down to a multiple of 8 (at least 8), so that nothing but an
image under 8 pixels is enlarged.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bandwise.data.decode import Colour, decode, short_side
from bandwise.data.types import Dataset, LabelledImages, Progress, assemble, holdout
from bandwise.errors import ConfigurationError, DataError, DataNotFoundError, EmptyClassError

TEST_FRACTION = 0.2
SPLIT_SEED = 0
BLOCK_SIZE = 8
VALIDATION_NAMES = ("validation", "val")
MAX_THREADS = 8


@dataclass(frozen=True)
class Split:
    """Files and labels of a split, in the order of names."""

    paths: list[Path]
    labels: list[int]


def load_folder(
    root: Path,
    *,
    image_size: tuple[int, int] | None = None,
    colour: Colour = "rgb",
    progress: Progress | None = None,
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
    DataNotFoundError
        When the folder or one of its splits is missing.
    EmptyClassError
        When a class lacks images in a split.
    UnreadableImageError
        When a file in a class folder is not an acceptable image.
    DataError
        When there are fewer than two classes, or folders within a class.
    """
    if colour not in ("grey", "rgb"):
        raise ConfigurationError(f"colour is 'grey' or 'rgb', not {colour!r}")
    if image_size is not None and min(image_size) < 1:
        raise ConfigurationError(f"an image size is (height, width) of 1 or more, not {image_size}")
    classes, splits = scan(root)
    name = root.resolve().name
    every_path = [path for split in splits.values() for path in split.paths]
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        if image_size is None:
            side = min(pool.map(short_side, every_path))
            side = max(BLOCK_SIZE, side - side % BLOCK_SIZE)
            image_size, why = (side, side), "from the shortest side of all images"
        else:
            why = "as asked"
        pixels = _decode_all(every_path, image_size, colour, pool, name, progress)
    offset = 0
    images = {}
    for split_name, split in splits.items():
        end = offset + len(split.paths)
        images[split_name] = LabelledImages(pixels[offset:end], torch.tensor(split.labels))
        offset = end
    how_split = "its own split"
    if "test" not in images:
        images["train"], images["test"] = holdout(
            images["train"], fraction=TEST_FRACTION, seed=SPLIT_SEED
        )
        how_split = "split 80/20 by class"
    return assemble(
        name=name,
        classes=classes,
        train=images["train"],
        validation=images.get("validation"),
        test=images["test"],
        source=(
            f"folder {name}, {how_split}, {colour}, scaled to cover and centre-cropped to "
            f"{image_size[0]}×{image_size[1]} ({why})"
        ),
    )


def _decode_all(
    paths: list[Path],
    image_size: tuple[int, int],
    colour: Colour,
    pool: ThreadPoolExecutor,
    name: str,
    progress: Progress | None,
) -> torch.Tensor:
    height, width = image_size
    channels = 1 if colour == "grey" else 3
    pixels = np.empty((len(paths), channels, height, width), dtype=np.uint8)

    def decode_into(index: int) -> None:
        pixels[index] = decode(paths[index], height=height, width=width, colour=colour)

    for done, _ in enumerate(pool.map(decode_into, range(len(paths))), start=1):
        if progress is not None:
            progress(f"decoding {name}", done, len(paths))
    return torch.from_numpy(pixels)


def scan(root: Path) -> tuple[list[str], dict[str, Split]]:
    """Classes and splits by name; a flat layout is one split named train.

    Raises
    ------
    DataNotFoundError, EmptyClassError, DataError
        As `load_folder`.
    """
    if not root.is_dir():
        raise DataNotFoundError(f"{root} is not a folder; name one with a sub-folder a class")
    if not (root / "train").is_dir() or not _sub_folders(root / "train"):
        folders = {"train": root}
    else:
        folders = {"train": root / "train", **_validation_folder(root), "test": root / "test"}
        if not folders["test"].is_dir():
            raise DataNotFoundError(
                f"{root} has train/ but no test/; add test/ with the same classes, or put the "
                "class folders directly into it to have them split"
            )
    classes = [folder.name for folder in _sub_folders(folders["train"])]
    if not classes:
        raise DataError(
            f"{folders['train']} has no class sub-folders; put the images of each class into a "
            "folder of its own"
        )
    if len(classes) == 1:
        raise DataError(
            f"{folders['train']} has one class only ({classes[0]!r}); classification needs two"
        )
    smallest_class = 2 if len(folders) == 1 else 1
    return classes, {
        name: _scan_split(folder, classes, smallest_class) for name, folder in folders.items()
    }


def _validation_folder(root: Path) -> dict[str, Path]:
    present = [root / name for name in VALIDATION_NAMES if (root / name).is_dir()]
    if len(present) > 1:
        raise DataError(f"{root} has both validation/ and val/; keep one of them")
    return {"validation": present[0]} if present else {}


def _scan_split(folder: Path, classes: list[str], smallest_class: int) -> Split:
    extra = [found.name for found in _sub_folders(folder) if found.name not in classes]
    if extra:
        raise DataError(
            f"{folder} has the class {extra[0]!r}, which train does not have; every split needs "
            "the same classes"
        )
    split = Split([], [])
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            raise EmptyClassError(
                f"{folder} has no folder for the class {name!r}; every split needs every class"
            )
        paths = _images(folder / name)
        if len(paths) < smallest_class:
            raise EmptyClassError(
                f"{folder / name} holds {len(paths)} images, at least {smallest_class} needed; "
                "add images or remove the class"
            )
        split.paths.extend(paths)
        split.labels.extend([label] * len(paths))
    return split


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
