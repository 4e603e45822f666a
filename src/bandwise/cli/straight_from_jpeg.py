"""``bandwise straight-from-jpeg``: coefficients against pixels, and how many of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.cli.options import BlockSizeOption, JpegFolderArgument
from bandwise.cli.progress import resumable


def straight_from_jpeg(
    folder: JpegFolderArgument,
    out: Annotated[
        Path | None, typer.Option(help="Output folder; runs/straight-FOLDER if not given.")
    ] = None,
    twins: Annotated[
        list[str] | None,
        typer.Option(help="Networks on coefficients and on pixels; `resnet` if not given."),
    ] = None,
    network: Annotated[
        str, typer.Option(help="Network that is trained on fewer frequencies.")
    ] = "resnet-small",
    keep: Annotated[
        list[int] | None,
        typer.Option(help="How many frequencies it reads; 64 24 12 if not given."),
    ] = None,
    seeds: Annotated[list[int] | None, typer.Option(help="0 1 2 if not given.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of every run; by the images if not given.", min=1)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Runs side by side; one a core if not given.", min=1)
    ] = None,
    image_size: BlockSizeOption = None,
) -> None:
    """Compare networks on JPEG coefficients with their twins on pixels.

    Trains both for several seeds on a folder of JPEG files, and a smaller network on all
    frequencies, then on fewer, chosen by importance, by energy and by place. Ends with a table and
    one self-contained report.html, and goes on where it was interrupted.

    Example: bandwise straight-from-jpeg small --epochs 20
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.cli.report import print_outcome
    from bandwise.cli.stages import Stages
    from bandwise.data.files import load_files
    from bandwise.recipes.straight_from_jpeg import StraightConfig, run
    from bandwise.recipes.training import training_for
    from bandwise.results import available_cores

    size = None if image_size is None else (image_size, image_size)
    console = Console(highlight=False, soft_wrap=True)
    data = load_files(folder, image_size=size)
    target = out or Path("runs") / f"straight-{data.name}"
    config = StraightConfig(
        twins=tuple(twins or ("resnet",)),
        selected=network,
        kept=tuple(keep or (64, 24, 12)),
        seeds=tuple(seeds or (0, 1, 2)),
        training=training_for(data, epochs=epochs),
    )
    console.print(f"{data.name}, into {target}")
    with resumable("finished runs and epochs are"), Stages(console) as stages:
        results = run(
            config,
            data,
            target,
            workers=workers or available_cores(),
            progress=stages.show,
        )
    print_outcome(console, results, target)
