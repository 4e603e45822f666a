"""Where images come from: a folder tree, a list, WebDataset archives or Parquet files.

    open_source(name) ──→ Source ──parts()──→ Part, one a shard ──read(part)──→ Sample, ...

A part says which files it is made of and what they are like, so that a run that goes on can tell
whether they still are. Samples come one at a time: memory does not grow with their number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bandwise.dataset.sources.archives import Archives
from bandwise.dataset.sources.files import ImageFiles, walk
from bandwise.dataset.sources.locations import is_url
from bandwise.dataset.sources.parquet import Tables
from bandwise.dataset.sources.samples import Part, Sample, Source, SourceFile, key_of
from bandwise.errors import ConfigurationError, DataNotFoundError
from bandwise.images import image_suffixes

LIST_SUFFIX, ARCHIVE_SUFFIX, TABLE_SUFFIX = ".txt", ".tar", ".parquet"
SHARD_IMAGES = 1000

_KINDS = frozenset({ARCHIVE_SUFFIX, TABLE_SUFFIX}) | image_suffixes()

__all__ = [
    "SHARD_IMAGES",
    "Archives",
    "ImageFiles",
    "Part",
    "Sample",
    "Source",
    "SourceFile",
    "Tables",
    "is_image_or_folder",
    "key_of",
    "open_source",
    "walk",
]


def open_source(
    name: str, *, shard_images: int = SHARD_IMAGES, image_column: str | None = None
) -> Source:
    """Source by what its name and contents say it is.

    A folder whose first file is of the kind .tar or .parquet is a data set of those, any other a
    tree of images. A .txt file lists paths and URLs of images, or of .tar or .parquet files. A .tar
    or .parquet file, or the URL of one, stands for itself, and any other file for one image. Raises
    `DataNotFoundError` where there is nothing, `ConfigurationError` for archives mixed with images
    and shards of less than one image.
    """
    if shard_images < 1:
        raise ConfigurationError(f"a shard holds at least one image, got {shard_images}")
    path = Path(name).absolute()
    above, files = _files(name, path)
    suffix = next((each for each in map(_suffix, files) if each in _KINDS), "")
    if suffix in (ARCHIVE_SUFFIX, TABLE_SUFFIX):
        _, files = _files(name, path)
        names = tuple(each for each in files if _suffix(each) in _KINDS)
        if other := [each for each in names if _suffix(each) != suffix]:
            raise ConfigurationError(
                f"{name} has {names[0]} and {other[0]}; give files of one kind, each kind apart"
            )
        if suffix == ARCHIVE_SUFFIX:
            return Archives(above=above, names=names)
        return Tables(above=above, names=names, shard_images=shard_images, column=image_column)
    if image_column is not None:
        raise ConfigurationError(f"{name} is no Parquet, which alone has columns of images")
    if is_url(name):
        raise ConfigurationError(f"{name} is no archive or Parquet file; put URLs into a list")
    is_list = path.suffix == LIST_SUFFIX and path.is_file()
    return ImageFiles(path=path, shard_images=shard_images, is_list=is_list)


def is_image_or_folder(name: str) -> bool:
    """Whether a name is that of neither a list nor an archive, a Parquet file or a URL."""
    return not is_url(name) and _suffix(name) not in (LIST_SUFFIX, ARCHIVE_SUFFIX, TABLE_SUFFIX)


def _files(name: str, path: Path) -> tuple[Path, Iterator[str]]:
    """Where names are relative to, and those of all files."""
    if is_url(name):
        return path.parent, iter([name])
    if path.is_dir():
        return path, (os.path.relpath(file, path) for file in walk(path))
    if not path.exists():
        raise DataNotFoundError(f"{name} does not exist; name an image or a folder of images")
    if path.suffix == LIST_SUFFIX:
        lines = ImageFiles(path=path, shard_images=1, is_list=True).entries()
        return path.parent, (entry.location for entry in lines)
    return path.parent, iter([path.name])


def _suffix(location: str) -> str:
    return PurePosixPath(location.partition("?")[0]).suffix.lower()
