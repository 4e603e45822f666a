"""``bandwise learn``: quantisation tables for a network, as a profile."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from bandwise.cli import options as opt
from bandwise.cli.output import say, warn_of_chance
from bandwise.cli.progress import ProgressDisplay, resumable
from bandwise.wording import quantity

if TYPE_CHECKING:
    from bandwise.learning.target import Learned
    from bandwise.report import Table


def learn(
    dataset: opt.Dataset,
    out: Annotated[Path, typer.Option(help="The profile, a JSON file.")],
    network: opt.Network = "resnet",
    weights: opt.Weights = None,
    target_accuracy_drop: Annotated[
        float | None,
        typer.Option(help="Points of accuracy that may be lost; 1 if no target is given."),
    ] = None,
    target_bpp: Annotated[
        float | None, typer.Option(help="Instead: bits per pixel, headers included.")
    ] = None,
    target_bytes: Annotated[
        float | None, typer.Option(help="Instead: mean bytes an image, headers included.")
    ] = None,
    subsampling: Annotated[
        Literal["4:4:4", "4:2:0"], typer.Option(help="Of chroma, in colour.")
    ] = "4:2:0",
    slopes: opt.Lagrangians = None,
    rdo: Annotated[
        float,
        typer.Option(
            help="Choose integers by rate and distortion, at this share of the tables' λ; 0 rounds "
            "them."
        ),
    ] = 0.0,
    images: opt.LearnImages = 600,
    epochs: opt.Epochs = None,
    ladder: Annotated[
        Path | None,
        typer.Option(
            help="Folder that also gets every profile of the curve, among which `bandwise encode` "
            "chooses for each image."
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="Network and measurements; runs/learn-DATASET if not given."),
    ] = None,
    seed: opt.Seed = 0,
    data_dir: opt.DataDir = None,
    image_size: opt.ImageSize = None,
    colour: opt.Colour = "rgb",
    device: opt.Device = "auto",
) -> None:
    """Learn quantisation tables for a network and keep those that meet a target.

    Tables are learned for several λ, each is measured on real files of the validation images, the
    smallest files that meet the target are chosen there, and the choice is reported on the test
    images. The whole curve is kept in the profile and in the work folder, which a second call goes
    on from.

    Example: bandwise learn photos/ --network resnet --out photos.json
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.learning.networks import check_network
    from bandwise.learning.profiles import LAGRANGIANS, LearnConfig, profile_file_name
    from bandwise.learning.target import Target, learn_profile

    target = Target(
        accuracy_drop=target_accuracy_drop, rate_bpp=target_bpp, size_bytes=target_bytes
    )
    config = LearnConfig(
        network=network,
        weights=weights,
        epochs=epochs,
        lagrangians=tuple(slopes or LAGRANGIANS),
        rdo=rdo,
        images=images,
        subsampling=subsampling,
        seed=seed,
        device=opt.prepare_device(device),
    )
    check_network(network, weights)
    data = opt.load_dataset(dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    folder = work or Path("runs") / f"learn-{data.name}"
    say(f"{data.name}: {data.source}")
    with resumable(), ProgressDisplay() as progress:
        learned = learn_profile(config, data, target, folder, progress=progress)
    learned.profile.save(out)
    if ladder is not None:
        for profile in learned.profiles:
            profile.save(ladder / profile_file_name(profile))
    Console(highlight=False).print(_curve(learned).to_terminal())
    say(_outcome(learned, target.drop))
    warn_of_chance(learned.original_test, data.test.labels.tolist())
    say(f"profile {out}")
    if ladder is not None:
        say(f"ladder  {ladder}")
    say(f"weights {learned.weights}\nresults {learned.results.path}")


def _curve(learned: Learned) -> Table:
    """Bytes and accuracy of every profile on validation, the chosen one marked."""
    from bandwise.report import Column, Table

    chosen = learned.chosen.label
    return Table(
        title="on validation",
        columns=[
            Column("tables", itemgetter("label")),
            Column("bytes an image", itemgetter("mean_bytes"), "{:,.0f}".format, absent=""),
            Column("accuracy", itemgetter("accuracy"), "{:.2%}".format),
            Column("divergence", itemgetter("divergence"), "{:.4f}".format),
            Column("", lambda point: "chosen" if point["label"] == chosen else ""),
        ],
        items=[point for point in learned.profile.curve if point["split"] == "validation"],
    )


def _outcome(learned: Learned, allowed: float | None) -> str:
    """Result of the chosen profile on test; ``allowed`` points were the target, if any."""
    test, original = learned.test, learned.original_test
    drop = 100 * (original.accuracy - test.accuracy)
    return (
        f"on test: {test.mean_bytes:,.0f} bytes an image, accuracy {test.accuracy:.2%}, "
        f"{abs(drop):.2f} points {'below' if drop >= 0 else 'above'} the originals' "
        f"{original.accuracy:.2%} ({quantity(test.images, 'image')})"
        + ("" if allowed is None or drop <= allowed else f", more than the {allowed:g} asked for")
    )
