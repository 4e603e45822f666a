"""``bandwise train``: a network on JPEG files, on their coefficients or their pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from bandwise.cli import options as opt
from bandwise.cli.output import say
from bandwise.cli.progress import ProgressDisplay, report_first_failure_only, resumable
from bandwise.errors import ConfigurationError

MODEL_NAME = "model.safetensors"
CHECKPOINT_NAME = "checkpoint.safetensors"


def train(
    folder: opt.JpegFolder,
    out: opt.Out = None,
    reads: Annotated[
        Literal["coefficients", "pixels"],
        typer.Option("--input", help="What the network reads of a file."),
    ] = "coefficients",
    network: Annotated[
        str,
        typer.Option(
            help="`resnet`, `resnet-small`, `vit`, or your own `package.module:function`."
        ),
    ] = "resnet",
    keep: Annotated[
        int | None,
        typer.Option(help="So many frequencies are read, of 64 or in colour 192.", min=1),
    ] = None,
    by: Annotated[
        Literal["importance", "energy", "zigzag"],
        typer.Option(
            help="How they are chosen: by what the model in --whole loses without them, by their "
            "energy, or by their place in zigzag order."
        ),
    ] = "zigzag",
    whole: Annotated[
        Path | None, typer.Option(help="A model of all frequencies, for --by importance.")
    ] = None,
    band_dropout: Annotated[
        float,
        typer.Option(
            help="Share of each image's frequencies to zero at random, from 0 to below 1."
        ),
    ] = 0.0,
    epochs: opt.Epochs = None,
    seed: opt.Seed = 0,
    image_size: opt.BlockSize = None,
    device: opt.Device = "auto",
) -> None:
    """Train a network on a folder of JPEG files.

    Reads the files' coefficients without decoding pixels, or with --input pixels trains the same
    network's twin. Images are changed at random, in whichever form. Leaves model.safetensors, which
    `predict`, `export` and `encode --for-model` take, and a checkpoint that the same command goes
    on from, in the middle of an epoch too. Under `torchrun --nproc-per-node N -m bandwise train`, N
    processes train one network.

    Example: bandwise train small --keep 64 --out runs/small
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.data.files import load_files
    from bandwise.learning.jpeg_network import (
        TrainConfig,
        choose_frequencies,
        correct_on_test,
        train_on_files,
        training_for,
    )
    from bandwise.models.model import Model
    from bandwise.training.processes import joined

    with joined() as processes, report_first_failure_only(processes):
        if by == "importance" and (keep is None or whole is None):
            raise ConfigurationError(
                "--by importance needs --keep and --whole MODEL, a model that was trained on all "
                "frequencies"
            )
        model = None if whole is None else Model.load(whole, own_network=network)
        data = load_files(folder, image_size=opt.square(image_size), seed=seed)
        rows, columns = data.grid
        if processes.rank == 0:
            say(
                f"{data.name}: {len(data.splits['train']):,} files to train on, "
                f"{data.num_classes} classes, {8 * columns}×{8 * rows}"
            )
        frequencies = None if keep is None else choose_frequencies(by, keep, data, model=model)
        config = TrainConfig(
            network=network,
            reads=reads,
            frequencies=frequencies,
            band_dropout=band_dropout,
            training=training_for(data, epochs=epochs, seed=seed),
            device=opt.prepare_device(device),
        )
        target = out or Path("runs") / f"train-{data.name}"
        display = ProgressDisplay(Console(stderr=True, quiet=processes.rank > 0))
        with resumable(), display as progress:
            trained, _ = train_on_files(
                config,
                data,
                processes=processes,
                checkpoint=target / CHECKPOINT_NAME,
                progress=progress,
            )
        if processes.rank > 0:
            return
        trained.save(target / MODEL_NAME)
        correct = correct_on_test(trained, data, device=config.device).float().mean()
        say(f"test accuracy {float(correct):.2%}\nmodel {target / MODEL_NAME}")
