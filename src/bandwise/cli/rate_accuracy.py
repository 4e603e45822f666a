"""``bandwise rate-accuracy``: the whole comparison on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.cli.options import (
    Colour,
    DataDirOption,
    DatasetArgument,
    Device,
    DeviceOption,
    ImageSizeOption,
    NetworkOption,
    WeightsOption,
    device_name,
)
from bandwise.cli.progress import resumable


def rate_accuracy(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None, typer.Option(help="Output folder; runs/rate-accuracy-DATASET if not given.")
    ] = None,
    network: NetworkOption = "resnet",
    weights: WeightsOption = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of training networks, where they are trained.")
    ] = None,
    transfer: Annotated[
        str, typer.Option(help="Network that the tables are not learned for; `none` for none.")
    ] = "plain-cnn",
    slopes: Annotated[
        list[float] | None,
        typer.Option(help="λ in nats a bit, one profile each."),
    ] = None,
    codecs: Annotated[
        list[str] | None, typer.Option(help="Codecs; every one that is installed if not given.")
    ] = None,
    every: Annotated[
        int,
        typer.Option(
            help="Of each family's settings, libjpeg's apart, measure every EVERY-th.", min=1
        ),
    ] = 1,
    libjpeg_every: Annotated[int, typer.Option(help="The same for libjpeg's settings.", min=1)] = 1,
    retrained_seeds: Annotated[
        list[int] | None,
        typer.Option(help="Also retrain the network on files, with these seeds; not if not given."),
    ] = None,
    images: Annotated[
        int, typer.Option(help="Training images that the tables are learned from.")
    ] = 600,
    seed: Annotated[int, typer.Option(help="Of networks and of what is drawn.")] = 0,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    colour: Annotated[Colour, typer.Option(help="For a folder of images.")] = Colour.RGB,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Compare learned tables with libjpeg and other codecs on real bytes.

    Trains or loads a network, learns tables for it, measures every codec at every setting on real
    files, does so again for a network that the tables were not learned for, and with seeds given
    retrains the network on the files. Ends with a table and one self-contained report.html, and
    goes on where it was interrupted.

    Example: bandwise rate-accuracy photos --retrained-seeds 0 1 2
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.cli.datasets import load_dataset
    from bandwise.cli.report import print_outcome
    from bandwise.cli.stages import Stages
    from bandwise.recipes.learning import LAGRANGIANS, LearnConfig
    from bandwise.recipes.networks import check_network
    from bandwise.recipes.rate_accuracy import RateAccuracyConfig, run

    console = Console()
    config = RateAccuracyConfig(
        learn=LearnConfig(
            network=network,
            weights=weights,
            epochs=epochs,
            lagrangians=tuple(slopes or LAGRANGIANS),
            images=images,
            seed=seed,
            device=device_name(device),
        ),
        codecs=None if codecs is None else tuple(codecs),
        every=every,
        libjpeg_every=libjpeg_every,
        transfer=None if transfer == "none" else transfer,
        retrained_seeds=tuple(retrained_seeds or ()),
    )
    check_network(network, weights)
    if config.transfer is not None:
        check_network(config.transfer, None)
    data = load_dataset(console, dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    folder = out or Path("runs") / f"rate-accuracy-{data.name}"
    console.print(f"{data.name}: {data.source}, into {folder}", highlight=False)
    with resumable("what is finished is"), Stages(console) as stages:
        results = run(config, data, folder, progress=stages.show)
    print_outcome(console, results, folder)
