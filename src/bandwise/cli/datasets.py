"""Data sets as commands read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from bandwise.cli.options import Colour
from bandwise.data import Dataset, load
from bandwise.data import Progress as DataProgress


def load_dataset(
    console: Console, name: str, *, data_dir: Path | None, image_size: int | None, colour: Colour
) -> Dataset:
    """Load a data set as the options of the same names say, with progress."""
    with data_progress(console) as progress:
        return load(
            name,
            data_dir=data_dir,
            image_size=None if image_size is None else (image_size, image_size),
            colour=colour.value,
            progress=progress,
        )


@contextmanager
def data_progress(console: Console) -> Iterator[DataProgress]:
    """Show what finding and reading the data set is doing."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=console, transient=True
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done)

        yield report
