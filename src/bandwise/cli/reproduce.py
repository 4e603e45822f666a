"""``bandwise reproduce``: the paper's experiment from one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bandwise.cli import options as opt
from bandwise.cli.output import print_results, say
from bandwise.cli.progress import ProgressDisplay, resumable
from bandwise.experiments.variants import CONTROLS, PAPER, VARIANTS
from bandwise.system import available_cores
from bandwise.training.config import TrainingConfig
from bandwise.wording import quantity

PAPER_TRAINING = TrainingConfig()


def reproduce(
    dataset: Annotated[
        str,
        typer.Option(help="`mnist`, `fashion-mnist`, `digits`, or a folder of images by class."),
    ] = "mnist",
    out: opt.Out = None,
    seeds: opt.Seeds = None,
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
    data_dir: opt.DataDir = None,
    image_size: opt.ImageSize = None,
    colour: opt.Colour = "grey",
    workers: opt.Workers = None,
    device: opt.Device = "auto",
) -> None:
    """Run the paper's experiment: static against learned band weights.

    Runs seed by seed. Writes results.jsonl after every epoch, resumes where it was interrupted, and
    ends with a table, figures and one self-contained report.html.

    Example: bandwise reproduce --dataset digits --seeds 0 1 2 --epochs 30 --out runs/digits
    """
    # Imported here, because PyTorch takes seconds that help and usage errors need not wait for.
    from bandwise.experiments.reproduce import ReproduceConfig, fitting_batch_size, jobs, run

    names = [*(variants or (each.name for each in PAPER))]
    names += [each.name for each in CONTROLS if controls]
    config = ReproduceConfig(
        dataset=dataset,
        data_dir=data_dir,
        image_size=opt.square(image_size),
        colour=colour,
        bands=bands,
        seeds=tuple(seeds or (0, 1, 2)),
        variants=tuple(dict.fromkeys(names)),
        training=TrainingConfig(
            epochs=epochs,
            network_lr=network_lr,
            band_lr=band_lr,
            reconstruction_weight=reconstruction_weight,
            patience=patience or None,
        ),
        device=opt.prepare_device(device),
    )
    with ProgressDisplay() as progress:
        data = config.load_dataset(progress)
    training = replace(config.training, batch_size=batch_size or fitting_batch_size(data))
    config = replace(config, training=training)
    folder = out or Path("runs") / f"reproduce-{data.name}"
    say(
        f"{data.name}: {data.source}\n{quantity(len(jobs(config)), 'run')}, "
        f"batch {training.batch_size}, up to {quantity(epochs, 'epoch')}, into {folder}"
    )
    if workers is None:
        workers = available_cores() if config.device == "cpu" else 1
    with resumable(), ProgressDisplay() as progress:
        results = run(config, data, folder, workers=workers, progress=progress)
    print_results(results, page_in=folder)
