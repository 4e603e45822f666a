"""``bandwise reproduce``: the paper's experiment from one command."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from bandwise.cli.board import Board, data_progress
from bandwise.cli.main import EXIT_INTERRUPTED, app
from bandwise.cli.summary import print_summary
from bandwise.errors import ConfigurationError
from bandwise.recipes.reproduce import (
    CONTROLS,
    PAPER,
    VARIANTS,
    ReproduceConfig,
    fitting_batch_size,
    jobs,
)
from bandwise.recipes.runner import run
from bandwise.report import write_report
from bandwise.results import available_cores
from bandwise.training import TrainingConfig

PAPER_TRAINING = TrainingConfig()


class Colour(StrEnum):
    """How images of a folder are read."""

    GREY = "grey"
    RGB = "rgb"


class Device(StrEnum):
    """Where networks train."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@app.command()
def reproduce(
    dataset: Annotated[
        str,
        typer.Option(help="`mnist`, `fashion-mnist`, `digits`, or a folder of images by class."),
    ] = "mnist",
    out: Annotated[
        Path | None, typer.Option(help="Output folder; runs/reproduce-DATASET if not given.")
    ] = None,
    seeds: Annotated[
        list[int] | None, typer.Option(help="One run of each variant a seed; 0 1 2 if not given.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Upper bound on epochs.")] = PAPER_TRAINING.epochs,
    controls: Annotated[
        bool,
        typer.Option("--controls", help="Also run: " + ", ".join(v.name for v in CONTROLS) + "."),
    ] = False,
    variants: Annotated[
        list[str] | None,
        typer.Option(help="Instead of static and adaptive, any of: " + ", ".join(VARIANTS) + "."),
    ] = None,
    bands: Annotated[int, typer.Option(help="Number of radial bands K.")] = 8,
    reconstruction_weight: Annotated[
        float, typer.Option(help="λ of the joint loss.")
    ] = PAPER_TRAINING.reconstruction_weight,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Images a step; 128 if not given, less on data sets too small for it."),
    ] = None,
    network_lr: Annotated[
        float, typer.Option(help="SGD's initial learning rate.")
    ] = PAPER_TRAINING.network_lr,
    band_lr: Annotated[
        float, typer.Option(help="Adam's learning rate of the band weights.")
    ] = PAPER_TRAINING.band_lr,
    patience: Annotated[
        int,
        typer.Option(help="Stop after so many epochs without a better validation loss; 0: never."),
    ] = PAPER_TRAINING.patience or 0,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the data set lies; otherwise $BANDWISE_DATA, cache, download."),
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side to which images of a folder are resized.")
    ] = None,
    colour: Annotated[Colour, typer.Option(help="For a folder of images.")] = Colour.GREY,
    workers: Annotated[int | None, typer.Option(help="Processes; one a core if not given.")] = None,
    device: Annotated[
        Device, typer.Option(help="`auto` takes a GPU where PyTorch sees one.")
    ] = Device.AUTO,
) -> None:
    """Run the paper's experiment: static against learned band weights, seed by seed.

    Writes results.jsonl after every epoch, resumes where it was interrupted, and ends with a table,
    figures and one self-contained report.html.

    Example: bandwise reproduce --dataset digits --seeds 0 1 2 --epochs 30 --out runs/digits
    """
    console = Console()
    names = tuple(variants) if variants else tuple(v.name for v in PAPER)
    if controls:
        names = tuple(dict.fromkeys([*names, *(v.name for v in CONTROLS)]))
    config = ReproduceConfig(
        dataset=dataset,
        data_dir=data_dir,
        image_size=None if image_size is None else (image_size, image_size),
        colour=colour.value,
        bands=bands,
        seeds=tuple(seeds or (0, 1, 2)),
        variants=names,
        training=TrainingConfig(
            epochs=epochs,
            network_lr=network_lr,
            band_lr=band_lr,
            reconstruction_weight=reconstruction_weight,
            patience=patience or None,
        ),
        device=_device(device),
    )
    with data_progress(console) as progress:
        data = config.load_dataset(progress)
    training = replace(config.training, batch_size=batch_size or fitting_batch_size(data))
    config = replace(config, training=training)
    folder = out or Path("runs") / f"reproduce-{data.name}"
    console.print(
        f"{data.name}: {data.source}. {len(jobs(config))} runs, batch {training.batch_size}, "
        f"up to {epochs} epochs, into {folder}",
        highlight=False,
    )
    if workers is None:
        workers = available_cores() if config.device == "cpu" else 1
    try:
        with Board(console, jobs(config), epochs=epochs) as board:
            results = run(config, data, folder, workers=workers, listener=board.hear)
    except KeyboardInterrupt:
        console.print("interrupted; finished epochs are kept, the same command resumes")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    page = write_report(results, folder)
    print_summary(console, results)
    console.print(f"results {results}\nreport  {page}", highlight=False, soft_wrap=True)


def _device(device: Device) -> str:
    available = torch.cuda.is_available()
    if device is Device.CUDA and not available:
        raise ConfigurationError(
            "--device cuda was asked for, but PyTorch sees no CUDA device; use --device cpu"
        )
    return "cuda" if available and device is not Device.CPU else "cpu"
