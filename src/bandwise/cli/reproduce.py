"""``bandwise reproduce``: the paper's experiment from one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.cli.options import (
    Colour,
    DataDirOption,
    Device,
    DeviceOption,
    ImageSizeOption,
    device_name,
)
from bandwise.cli.progress import resumable
from bandwise.measures import quantity
from bandwise.recipes.variants import CONTROLS, EXTENSIONS, PAPER, VARIANTS
from bandwise.results import available_cores
from bandwise.training import TrainingConfig

PAPER_TRAINING = TrainingConfig()


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
    extensions: Annotated[
        bool,
        typer.Option(
            "--extensions", help="Also run: " + ", ".join(v.name for v in EXTENSIONS) + "."
        ),
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
        typer.Option(
            help=f"Images a step; if not given {PAPER_TRAINING.batch_size}, halved until an epoch "
            "has at least 128 steps."
        ),
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
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    colour: Annotated[Colour, typer.Option(help="How images of a folder are read.")] = Colour.GREY,
    workers: Annotated[int | None, typer.Option(help="Processes; one a core if not given.")] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Run the paper's experiment: static against learned band weights.

    Runs seed by seed. Writes results.jsonl after every epoch, resumes where it was interrupted, and
    ends with a table, figures and one self-contained report.html.

    Example: bandwise reproduce --dataset digits --seeds 0 1 2 --epochs 30 --out runs/digits
    """
    # Imported here, because PyTorch takes seconds that help and usage errors need not wait for.
    from bandwise.cli.board import Board
    from bandwise.cli.datasets import data_progress
    from bandwise.cli.report import print_outcome
    from bandwise.recipes.reproduce import ReproduceConfig, fitting_batch_size, jobs
    from bandwise.recipes.runner import run

    console = Console()
    names = tuple(variants) if variants else tuple(v.name for v in PAPER)
    more = [*(CONTROLS if controls else ()), *(EXTENSIONS if extensions else ())]
    names = tuple(dict.fromkeys([*names, *(v.name for v in more)]))
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
        device=device_name(device),
    )
    with data_progress(console) as progress:
        data = config.load_dataset(progress)
    training = replace(config.training, batch_size=batch_size or fitting_batch_size(data))
    config = replace(config, training=training)
    folder = out or Path("runs") / f"reproduce-{data.name}"
    console.print(
        f"{data.name}: {data.source}\n{quantity(len(jobs(config)), 'run')}, "
        f"batch {training.batch_size}, up to {quantity(epochs, 'epoch')}, into {folder}",
        highlight=False,
        soft_wrap=True,
    )
    if workers is None:
        workers = available_cores() if config.device == "cpu" else 1
    with (
        resumable("finished epochs are"),
        Board(console, jobs(config), epochs=epochs) as board,
    ):
        results = run(config, data, folder, workers=workers, listener=board.hear)
    print_outcome(console, results, folder)
