"""``bandwise predict``: JPEG files to classes, straight from their bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bandwise.cli.main import EXIT_SKIPPED
from bandwise.cli.options import (
    Device,
    DeviceOption,
    ModelArgument,
    OwnNetworkOption,
    device_name,
)
from bandwise.errors import DataNotFoundError, JpegError
from bandwise.pipeline.sources import walk

if TYPE_CHECKING:
    from torch import Tensor

JPEG_SUFFIXES = (".jpg", ".jpeg")
BATCH_FILES = 64
BATCH_BYTES = 4 * 2**20
"""A file's coefficients take a hundred times its bytes, or more."""


def predict(
    model: ModelArgument,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES...",
            help="JPEG files, and folders that are searched for .jpg and .jpeg.",
        ),
    ],
    top: Annotated[int, typer.Option(help="Classes a file, the likeliest first.", min=1)] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a file, one a line.")
    ] = False,
    network: OwnNetworkOption = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads that read; one a core if not given.", min=1)
    ] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Classify JPEG files with a trained model.

    Prints a line a file, as soon as it is known: its path, its class and the probability, with tabs
    between; with --top N as many classes with theirs. Images are cropped or filled up with grey
    about their centre to the size that the model reads. A file that cannot be read is named on
    stderr with the reason, and the rest goes on. Exit code: 0 all classified, 3 something was
    skipped, 1 an error, 2 wrong usage.

    Example: bandwise predict model.safetensors photos --top 3
    """
    paths = [*_found(files)]
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.inference import Model

    loaded = Model.load(model, own_network=network)
    place = device_name(device)

    def probabilities(contents: list[bytes]) -> Tensor:
        return loaded.probabilities(contents, threads=threads, device=place)

    errors = Console(stderr=True)
    skipped = 0
    for path, found in _results(paths, probabilities, loaded.check):
        if isinstance(found, str):
            skipped += 1
            line = f"skipped {_printable(path)}: {found}"
            errors.print(line, highlight=False, markup=False, soft_wrap=True)
            continue
        best = found.topk(min(top, len(loaded.classes)))
        names = [loaded.classes[index] for index in best.indices]
        ranking = list(zip(names, best.values.tolist(), strict=True))
        print(_as_json(path, ranking) if as_json else _in_words(path, ranking))
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
    probabilities: Callable[[list[bytes]], Tensor],
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

    def readable(batch: list[tuple[Path, bytes | str]]) -> list[bytes]:
        return [content for _, content in batch if isinstance(content, bytes)]

    for batch in _batches((path, _content(path)) for path in paths):
        try:
            rows = iter(probabilities(readable(batch)))
        except JpegError:
            batch = [(path, checked(content)) for path, content in batch]
            rows = iter(probabilities(readable(batch)))
        for path, content in batch:
            yield path, content if isinstance(content, str) else next(rows)


def _batches(
    files: Iterable[tuple[Path, bytes | str]],
) -> Iterator[list[tuple[Path, bytes | str]]]:
    batch: list[tuple[Path, bytes | str]] = []
    held = 0
    for path, content in files:
        batch.append((path, content))
        held += len(content)
        if len(batch) == BATCH_FILES or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _content(path: Path) -> bytes | str:
    """Bytes of a file, or why they cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"


def _as_json(path: Path, ranking: list[tuple[str, float]]) -> str:
    classes = [{"class": name, "probability": round(share, 6)} for name, share in ranking]
    return json.dumps({"path": str(path), "classes": classes})


def _in_words(path: Path, ranking: list[tuple[str, float]]) -> str:
    return "\t".join([_printable(path), *(f"{name}\t{share:.4f}" for name, share in ranking)])


def _printable(path: Path) -> str:
    """Show a name that is no valid UTF-8, too."""
    return os.fsencode(path).decode(errors="replace")
