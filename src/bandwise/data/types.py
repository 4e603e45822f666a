"""Data sets that have been read: items with integer labels, in splits, and their identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from bandwise.errors import ConfigurationError, DataError, ShapeError

VALIDATION_FRACTION = 0.2
"""Share of the training images that serves for validation where a data set has no such split."""


class Labelled(Protocol):
    """Items with a class label each."""

    @property
    def labels(self) -> Tensor:
        """(N,) int64, indices into the data set's classes."""
        ...

    def subset(self, indices: Tensor | Sequence[int]) -> Self:
        """Items at ``indices``, in that order."""
        ...


LabelledT = TypeVar("LabelledT", bound=Labelled)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images of one size with a class label each.

    Raises `ShapeError` when a shape or a dtype is another, or the two lengths differ.

    Parameters
    ----------
    pixels_u8
        (N, C, H, W) uint8, C = 1 (grey) or 3 (RGB).
    labels
        (N,) int64, indices into the data set's classes.
    """

    pixels_u8: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        pixels = self.pixels_u8
        if pixels.ndim != 4 or pixels.shape[1] not in (1, 3) or pixels.dtype != torch.uint8:
            raise ShapeError(
                "images are uint8 of shape (N, C, H, W) with C 1 or 3, "
                f"not {pixels.dtype} of shape {tuple(pixels.shape)}"
            )
        check_labels(self.labels, len(pixels))

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor | Sequence[int]) -> LabelledImages:
        """Copy the images at ``indices``, in that order."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return LabelledImages(self.pixels_u8[index], self.labels[index])


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits(Generic[LabelledT]):
    """A classification data set with its splits and its identity.

    Parameters
    ----------
    name
        The known name, or the name of the folder.
    classes
        Class names; a label is an index into them.
    splits
        ``train``, ``test`` and, where there is one, ``validation`` (see `with_validation`).
    sha256
        Identity of the data: hash over classes, contents and labels of all splits.
    source
        In words: where the data was found and what was done to it. Holds no absolute path.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, LabelledT]
    sha256: str
    source: str

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def train(self) -> LabelledT:
        """Images to train on."""
        return self.splits["train"]

    @property
    def validation(self) -> LabelledT | None:
        """The validation split, or None where there is none."""
        return self.splits.get("validation")

    @property
    def test(self) -> LabelledT:
        """Images to test with."""
        return self.splits["test"]

    def split(self, name: str) -> LabelledT:
        """Images of ``train``, ``validation`` or ``test``; `DataError` where there are none."""
        if name not in self.splits:
            raise DataError(f"{self.name} has no split {name!r}; see `with_validation`")
        return self.splits[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(Splits[LabelledImages]):
    """Decoded images of one size."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        _, channels, height, width = self.train.pixels_u8.shape
        return channels, height, width


def with_validation(dataset: Dataset, *, seed: int) -> Dataset:
    """Hold out a fifth of the training images, by class, where there is no validation split.

    The identity stays: the same images are held out for the same seed, as by `holdout`.
    """
    splits = split_validation(dataset.splits, seed=seed)
    return replace(dataset, splits=splits)


def split_validation(splits: Mapping[str, LabelledT], *, seed: int) -> Mapping[str, LabelledT]:
    """Splits with ``validation``, which is held out of ``train`` where it is missing."""
    if "validation" in splits:
        return splits
    train, validation = holdout(splits["train"], fraction=VALIDATION_FRACTION, seed=seed)
    return {**splits, "train": train, "validation": validation}


def assemble(
    *,
    name: str,
    classes: Sequence[str],
    train: LabelledImages,
    validation: LabelledImages | None = None,
    test: LabelledImages,
    source: str,
) -> Dataset:
    """Build a `Dataset` and compute its identity."""
    present = {"train": train, "validation": validation, "test": test}
    splits = {split: images for split, images in present.items() if images is not None}

    def contents() -> Iterable[Any]:
        for split, images in splits.items():
            yield f"{split} {tuple(images.pixels_u8.shape)}".encode()
            yield np.ascontiguousarray(images.pixels_u8.numpy()).data
            yield labels_as_bytes(images.labels)

    return Dataset(
        name=name,
        classes=tuple(classes),
        splits=splits,
        sha256=hash_data(classes, contents()),
        source=source,
    )


def hash_data(classes: Sequence[str], contents: Iterable[Any]) -> str:
    """SHA-256 over class names and buffers of bytes, one after the other."""
    digest = hashlib.sha256(json.dumps(list(classes)).encode())
    for part in contents:
        digest.update(part)
    return digest.hexdigest()


def labels_as_bytes(labels: Tensor) -> bytes:
    """Labels (N,) as little-endian 64-bit integers, the same on every machine."""
    return labels.numpy().astype("<i8").tobytes()


def check_labels(labels: Tensor, count: int) -> None:
    """Raise `ShapeError` for labels that are not (count,) int64."""
    if labels.shape != (count,) or labels.dtype != torch.int64:
        raise ShapeError(
            f"{count} images need int64 labels of shape ({count},), "
            f"got {labels.dtype} of shape {tuple(labels.shape)}"
        )


def holdout(images: LabelledT, *, fraction: float, seed: int) -> tuple[LabelledT, LabelledT]:
    """Split into (kept, held out), stratified by class; both keep the order of ``images``.

    Each class gives ``round(fraction · n)`` of its n images, but at least one and never all of
    them; a class with a single image keeps it. The choice depends only on the labels, the fraction
    and the seed: it draws raw 64-bit words of PCG64, whose stream NumPy keeps fixed (NEP 19).
    Raises `ConfigurationError` when ``fraction`` is not strictly between 0 and 1 or ``seed`` is
    negative; `DataError` when no class has two images, so that nothing can be held out.
    """
    if not 0 < fraction < 1:
        raise ConfigurationError(f"the held-out fraction lies between 0 and 1, not at {fraction}")
    if seed < 0:
        raise ConfigurationError(f"the seed of a split is 0 or more, not {seed}")
    labels = images.labels.numpy()
    shuffled_by_class = np.lexsort((np.random.PCG64(seed).random_raw(len(labels)), labels))
    _, first, inverse, counts = np.unique(
        labels[shuffled_by_class], return_index=True, return_inverse=True, return_counts=True
    )
    rounded = np.floor(fraction * counts + 0.5).astype(np.int64)
    quota = np.clip(rounded, np.minimum(1, counts - 1), counts - 1)
    held_out = np.zeros(len(labels), dtype=bool)
    rank_in_class = np.arange(len(labels)) - first[inverse]
    held_out[shuffled_by_class] = rank_in_class < quota[inverse]
    if not held_out.any():
        raise DataError(
            f"nothing can be held out of {len(labels)} images: no class has two; add images"
        )
    return (
        images.subset(torch.from_numpy(np.flatnonzero(~held_out))),
        images.subset(torch.from_numpy(np.flatnonzero(held_out))),
    )
