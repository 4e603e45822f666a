"""Tiny published data sets for the tests: real idx files with real checksums."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bandwise.data.fetch import PublishedDataset, PublishedFile


def idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.tobytes()


def tiny_contents() -> dict[str, bytes]:
    """Uncompressed files of a set with 6 training and 4 test images of 5×3."""
    generator = np.random.default_rng(0)
    contents = {}
    for split, count in (("train", 6), ("t10k", 4)):
        images = generator.integers(0, 256, (count, 5, 3), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 2
        contents[f"{split}-images-idx3-ubyte"] = idx_bytes(images)
        contents[f"{split}-labels-idx1-ubyte"] = idx_bytes(labels)
    return contents


def publish(name: str, contents: dict[str, bytes], *mirrors: str) -> PublishedDataset:
    files = tuple(
        PublishedFile(name=file, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for file, data in contents.items()
    )
    return PublishedDataset(name=name, title=name, classes=(), files=files, mirrors=mirrors)


def write_files(folder: Path, contents: dict[str, bytes], *, compressed: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / name).write_bytes(data)
