"""``bandwise predict``: JPEG files to classes, straight from their bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bandwise.cli import options as opt
from bandwise.cli.main import EXIT_SKIPPED
from bandwise.cli.output import printable, say
from bandwise.dataset.sources import walk
from bandwise.errors import DataNotFoundError, JpegError

if TYPE_CHECKING:
    from torch import Tensor

JPEG_SUFFIXES = (".jpg", ".jpeg")
BATCH_FILES = 64
BATCH_BYTES = 4 * 2**20
"""A file's coefficients take a hundred times its bytes, or more."""

_File = tuple[Path, bytes | str]
"""A file's bytes, or why it cannot be read."""


def predict(
    model: opt.Model,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES...",
            help="JPEG files, and folders that are searched for .jpg and .jpeg.",
        ),
    ],
    top: Annotated[int, typer.Option(help="Classes a file, the likeliest first.", min=1)] = 1,
    as_json: opt.Json = False,
    network: opt.OwnNetwork = None,
    threads: opt.Threads = None,
    device: opt.Device = "auto",
) -> None:
    """Classify JPEG files with a trained model.

    Prints a line a file, as soon as it is known: its path, its class and the probability, with tabs
    between, or with --json an object; with --top N as many classes with theirs. Images are cropped
    or filled up with grey about their centre to the size that the model reads. A file that cannot
    be read is named on stderr with the reason, and the rest goes on. Exit code: 0 all classified, 3
    something was skipped, 1 an error, 2 wrong usage.

    Example: bandwise predict model.safetensors photos --top 3
    """
    paths = [*_found(files)]
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.models.model import Model

    loaded = Model.load(model, own_network=network)
    place = opt.prepare_device(device)

    def probabilities(contents: Sequence[bytes]) -> Tensor:
        return loaded.probabilities(contents, threads=threads, device=place)

    skipped = 0
    for path, found in _results(paths, probabilities, loaded.check):
        name = printable(os.fsdecode(path))
        if isinstance(found, str):
            skipped += 1
            say(f"skipped {name}: {found}", error=True)
            continue
        best = found.topk(min(top, len(loaded.classes)))
        classes = [loaded.classes[index] for index in best.indices]
        ranking = [*zip(classes, best.values.tolist(), strict=True)]
        if as_json:
            shares = [{"class": each, "probability": round(share, 6)} for each, share in ranking]
            print(json.dumps({"path": str(path), "classes": shares}))
        else:
            print("\t".join([name, *(f"{each}\t{share:.4f}" for each, share in ranking)]))
    if skipped:
        raise typer.Exit(EXIT_SKIPPED)


def _found(files: Iterable[Path]) -> Iterator[Path]:
    """Files as they are named, and those of folders."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        inside = [file for file in map(Path, walk(path)) if file.suffix.lower() in JPEG_SUFFIXES]
        if not inside:
            raise DataNotFoundError(
                f"the folder {path} holds no files {' or '.join(JPEG_SUFFIXES)}; "
                "`bandwise encode` makes them of other images"
            )
        yield from inside


def _results(
    paths: Iterable[Path],
    probabilities: Callable[[Sequence[bytes]], Tensor],
    check: Callable[[bytes], None],
) -> Iterator[tuple[Path, Tensor | str]]:
    """Each file's class probabilities (classes,), or why it has none."""

    def checked(content: bytes | str) -> bytes | str:
        try:
            if isinstance(content, bytes):
                check(content)
        except JpegError as error:
            return str(error)
        return content

    def rows_of(batch: list[_File]) -> Iterator[Tensor]:
        return iter(probabilities([data for _, data in batch if isinstance(data, bytes)]))

    for batch in _batches(map(_read, paths)):
        try:
            rows = rows_of(batch)
        except JpegError:
            batch = [(path, checked(content)) for path, content in batch]
            rows = rows_of(batch)
        for path, content in batch:
            yield path, content if isinstance(content, str) else next(rows)


def _batches(files: Iterable[_File]) -> Iterator[list[_File]]:
    batch: list[_File] = []
    for file in files:
        batch.append(file)
        if len(batch) == BATCH_FILES or sum(len(each) for _, each in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(path: Path) -> _File:
    try:
        return path, path.read_bytes()
    except OSError as error:
        return path, f"the file cannot be read: {error.strerror or error}"
