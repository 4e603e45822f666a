"""``bandwise adaptive``: what tables for each image save, part by part."""

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


def adaptive(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None, typer.Option(help="Output folder; runs/adaptive-DATASET if not given.")
    ] = None,
    network: NetworkOption = "resnet",
    weights: WeightsOption = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of training the network, where it is trained.")
    ] = None,
    codebooks: Annotated[
        list[int] | None,
        typer.Option(help="Kinds of images that get tables of their own; 1 2 4 8 16."),
    ] = None,
    with_rate: Annotated[
        list[int] | None,
        typer.Option(help="Of these, codebooks with a rate for each image as well; 1 8."),
    ] = None,
    images: Annotated[
        int, typer.Option(help="Training images, at most, that all is learned from.")
    ] = 4000,
    seeds: Annotated[list[int] | None, typer.Option(help="Seeds of learning; 0 1 2.")] = None,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    colour: Annotated[Colour, typer.Option(help="For a folder of images.")] = Colour.RGB,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Measure what tables for each image save, part by part.

    A codebook of tables for kinds of images, a rate for each image by a policy that sees its
    statistics alone, and both; beside them the network asked for each image, and an oracle that
    knows the labels. The network stays as it is. Goes on where it was interrupted.

    Example: bandwise adaptive photos --weights resnet.safetensors
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.cli.datasets import load_dataset
    from bandwise.cli.parts import print_parts
    from bandwise.cli.stages import Stages
    from bandwise.recipes.adaptive import AdaptiveConfig, run
    from bandwise.recipes.codebooks import CodebookConfig
    from bandwise.recipes.learning import LearnConfig
    from bandwise.recipes.networks import check_network
    from bandwise.report import write_report
    from bandwise.report.adaptive import adaptive_summary
    from bandwise.results import read_rows

    console = Console()
    config = AdaptiveConfig(
        learn=LearnConfig(
            network=network, weights=weights, epochs=epochs, device=device_name(device)
        ),
        codebook=CodebookConfig(images=images),
        sizes=tuple(codebooks or (1, 2, 4, 8, 16)),
        with_rate=tuple(with_rate or (1, 8)),
        seeds=tuple(seeds or (0, 1, 2)),
    )
    check_network(network, weights)
    data = load_dataset(console, dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    folder = out or Path("runs") / f"adaptive-{data.name}"
    console.print(f"{data.name}: {data.source}, into {folder}", highlight=False)
    with resumable("what is finished is"), Stages(console) as stages:
        results = run(config, data, folder, listener=stages.hear)
    page = write_report(results, folder)
    print_parts(console, adaptive_summary(read_rows(results)))
    console.print(f"results {results}\nreport  {page}", highlight=False, soft_wrap=True)
