"""``bandwise experiment``: comparisons that end with a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bandwise.cli import options as opt
from bandwise.cli.output import print_results, say
from bandwise.cli.progress import ProgressDisplay, resumable

experiment = typer.Typer(
    help="""Run an experiment that compares methods, and write its report.

    The same command goes on where it was interrupted. `bandwise reproduce` runs the paper's.
    """,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


@experiment.command()
def rate_accuracy(
    dataset: opt.Dataset,
    out: opt.Out = None,
    network: opt.Network = "resnet",
    weights: opt.Weights = None,
    epochs: opt.Epochs = None,
    transfer: Annotated[
        str, typer.Option(help="Network that the tables are not learned for; `none` for none.")
    ] = "plain-cnn",
    slopes: opt.Lagrangians = None,
    codecs: opt.Codecs = None,
    every: opt.Every = 1,
    libjpeg_every: Annotated[
        int, typer.Option(help="The same for libjpeg, which --every leaves alone.", min=1)
    ] = 1,
    retrained_seeds: Annotated[
        list[int] | None,
        typer.Option(help="Also retrain the network on files, with these seeds; not if not given."),
    ] = None,
    images: opt.LearnImages = 600,
    seed: opt.Seed = 0,
    data_dir: opt.DataDir = None,
    image_size: opt.ImageSize = None,
    colour: opt.Colour = "rgb",
    device: opt.Device = "auto",
) -> None:
    """Compare learned tables with libjpeg and other codecs on real bytes.

    Trains or loads a network, learns tables for it, measures every codec at every setting on real
    files, does so again for a network that the tables were not learned for, and with seeds given
    retrains the network on the files. Ends with a table and one self-contained report.html, and
    goes on where it was interrupted.

    Example: bandwise experiment rate-accuracy photos --retrained-seeds 0 1 2
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.experiments.rate_accuracy import RateAccuracyConfig, run
    from bandwise.learning.networks import check_network
    from bandwise.learning.profiles import LAGRANGIANS, LearnConfig

    config = RateAccuracyConfig(
        learn=LearnConfig(
            network=network,
            weights=weights,
            epochs=epochs,
            lagrangians=tuple(slopes or LAGRANGIANS),
            images=images,
            seed=seed,
            device=opt.prepare_device(device),
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
    data = opt.load_dataset(dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    folder = out or Path("runs") / f"rate-accuracy-{data.name}"
    say(f"{data.name}: {data.source}, into {folder}")
    with resumable(), ProgressDisplay() as progress:
        results = run(config, data, folder, progress=progress)
    print_results(results, page_in=folder)


@experiment.command()
def jpeg_training(
    folder: opt.JpegFolder,
    out: opt.Out = None,
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
    seeds: opt.Seeds = None,
    epochs: opt.Epochs = None,
    workers: opt.Workers = None,
    image_size: opt.BlockSize = None,
) -> None:
    """Compare networks on JPEG coefficients with their twins on pixels.

    Trains both for several seeds on a folder of JPEG files, and a smaller network on all
    frequencies, then on fewer, chosen by importance, by energy and by place. Ends with a table and
    one self-contained report.html, and goes on where it was interrupted.

    Example: bandwise experiment jpeg-training small --epochs 20
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.data.files import load_files
    from bandwise.experiments.jpeg_training import JpegTrainingConfig, run
    from bandwise.learning.jpeg_network import training_for
    from bandwise.system import available_cores

    data = load_files(folder, image_size=opt.square(image_size))
    target = out or Path("runs") / f"jpeg-training-{data.name}"
    config = JpegTrainingConfig(
        twins=tuple(twins or ("resnet",)),
        selected=network,
        kept=tuple(keep or (64, 24, 12)),
        seeds=tuple(seeds or (0, 1, 2)),
        training=training_for(data, epochs=epochs),
    )
    say(f"{data.name}, into {target}")
    with resumable(), ProgressDisplay() as progress:
        results = run(config, data, target, workers=workers or available_cores(), progress=progress)
    print_results(results, page_in=target)
