"""From a name to a data set: the known names, and any folder of images."""

from __future__ import annotations

from pathlib import Path

from bandwise.data.fetch import environment_data_dir
from bandwise.data.folder import load_folder
from bandwise.data.known import FASHION_MNIST, MNIST, load_digits, load_idx
from bandwise.data.types import Dataset
from bandwise.errors import ConfigurationError, UnknownDatasetError
from bandwise.images import Colour
from bandwise.progress import ProgressCallback, ignore_progress

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
