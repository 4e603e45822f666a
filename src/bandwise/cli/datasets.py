"""Data sets as commands read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as ProgressBar

from bandwise.cli.options import Colour
from bandwise.data import Dataset, load
from bandwise.progress import Progress, ProgressCallback


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
def data_progress(console: Console) -> Iterator[ProgressCallback]:
    """Show what finding and reading the data set is doing."""
    with ProgressBar(
        TextColumn("{task.description}"), BarColumn(), console=console, transient=True
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def report(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bar.add_task(progress.stage, total=progress.total)
            bar.update(tasks[progress.stage], completed=progress.done)

        yield report
