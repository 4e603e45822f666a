"""``bandwise train``: a network on JPEG files, on their coefficients or their pixels."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.cli.options import (
    BlockSizeOption,
    Device,
    DeviceOption,
    JpegFolderArgument,
    device_name,
)
from bandwise.cli.progress import one_voice, resumable

MODEL_NAME = "model.safetensors"
CHECKPOINT_NAME = "checkpoint.safetensors"


class Input(StrEnum):
    """What a network reads of a file."""

    COEFFICIENTS = "coefficients"
    PIXELS = "pixels"


class Rule(StrEnum):
    """How frequencies are chosen."""

    IMPORTANCE = "importance"
    ENERGY = "energy"
    ZIGZAG = "zigzag"


def train(
    folder: JpegFolderArgument,
    out: Annotated[
        Path | None, typer.Option(help="Output folder; runs/train-FOLDER if not given.")
    ] = None,
    reads: Annotated[
        Input, typer.Option("--input", help="What the network reads of a file.")
    ] = Input.COEFFICIENTS,
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
        Rule,
        typer.Option(
            help="How they are chosen: by what the model in --whole loses without them, by their "
            "energy, or by their place in zigzag order."
        ),
    ] = Rule.ZIGZAG,
    whole: Annotated[
        Path | None, typer.Option(help="A model of all frequencies, for --by importance.")
    ] = None,
    band_dropout: Annotated[
        float,
        typer.Option(
            help="Share of each image's frequencies to zero at random, from 0 to below 1."
        ),
    ] = 0.0,
    epochs: Annotated[int | None, typer.Option(help="By the images if not given.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of weights, batches and changes.", min=0)] = 0,
    image_size: BlockSizeOption = None,
    device: DeviceOption = Device.AUTO,
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
    from bandwise.cli.stages import Stages
    from bandwise.data.files import load_files
    from bandwise.errors import ConfigurationError
    from bandwise.inference import Model
    from bandwise.recipes.stages import training as reporting
    from bandwise.recipes.training import (
        TrainConfig,
        choose_frequencies,
        correct_on_test,
        train_on_files,
        training_for,
    )
    from bandwise.training import joined

    with joined() as processes, one_voice(processes):
        if by is Rule.IMPORTANCE and (keep is None or whole is None):
            raise ConfigurationError(
                "--by importance needs --keep and --whole MODEL, a model that was trained on all "
                "frequencies"
            )
        size = None if image_size is None else (image_size, image_size)
        console = Console(highlight=False, soft_wrap=True, quiet=processes.rank > 0)
        model = None if whole is None else Model.load(whole, own_network=network)
        data = load_files(folder, image_size=size, seed=seed)
        rows, columns = data.grid
        console.print(
            f"{data.name}: {len(data.splits['train']):,} files to train on, "
            f"{data.num_classes} classes, {8 * columns}×{8 * rows}"
        )
        frequencies = None
        if keep is not None:
            frequencies = choose_frequencies(by.value, keep, data, model=model)
        training = training_for(data, epochs=epochs, seed=seed)
        config = TrainConfig(
            network=network,
            reads=reads.value,
            frequencies=frequencies,
            band_dropout=band_dropout,
            training=training,
            device=device_name(device),
        )
        target = out or Path("runs") / f"train-{data.name}"
        with resumable("finished epochs are"), Stages(console) as stages:
            trained, _ = train_on_files(
                config,
                data,
                processes=processes,
                checkpoint=target / CHECKPOINT_NAME,
                progress=reporting(stages.hear),
            )
        if processes.rank > 0:
            return
        trained.save(target / MODEL_NAME)
        correct = correct_on_test(trained, data, device=config.device).float().mean()
        console.print(f"test accuracy {float(correct):.2%}\nmodel {target / MODEL_NAME}")
