"""``bandwise learn``: quantisation tables for a network, as a profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from bandwise.cli.options import (
    ColourOption,
    DataDirOption,
    DatasetArgument,
    DeviceOption,
    EpochsOption,
    ImageSizeOption,
    LagrangiansOption,
    LearnImagesOption,
    NetworkOption,
    SeedOption,
    WeightsOption,
    device_name,
    load_dataset,
)
from bandwise.cli.output import say, warn_of_chance
from bandwise.cli.progress import ProgressDisplay, resumable
from bandwise.wording import quantity

if TYPE_CHECKING:
    from bandwise.recipes.target import Learned


def learn(
    dataset: DatasetArgument,
    out: Annotated[Path, typer.Option(help="The profile, a JSON file.")],
    network: NetworkOption = "resnet",
    weights: WeightsOption = None,
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
    slopes: LagrangiansOption = None,
    rdo: Annotated[
        float,
        typer.Option(
            help="Choose integers by rate and distortion, at this share of the tables' λ; 0 rounds "
            "them."
        ),
    ] = 0.0,
    images: LearnImagesOption = 600,
    epochs: EpochsOption = None,
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
    seed: SeedOption = 0,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    colour: ColourOption = "rgb",
    device: DeviceOption = "auto",
) -> None:
    """Learn quantisation tables for a network and keep those that meet a target.

    Tables are learned for several λ, each is measured on real files of the validation images, the
    smallest files that meet the target are chosen there, and the choice is reported on the test
    images. The whole curve is kept in the profile and in the work folder, which a second call goes
    on from.

    Example: bandwise learn photos/ --network resnet --out photos.json
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.recipes.learning import LAGRANGIANS, LearnConfig, profile_file_name
    from bandwise.recipes.networks import check_network
    from bandwise.recipes.target import Target, learn_profile

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
        device=device_name(device),
    )
    check_network(network, weights)
    data = load_dataset(dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    folder = work or Path("runs") / f"learn-{data.name}"
    say(f"{data.name}: {data.source}")
    with resumable("what is finished is"), ProgressDisplay() as progress:
        learned = learn_profile(config, data, target, folder, progress=progress)
    learned.profile.save(out)
    if ladder is not None:
        for profile in learned.profiles:
            profile.save(ladder / profile_file_name(profile))
    Console(highlight=False).print(_curve(learned))
    say(_outcome(learned, target.drop))
    warn_of_chance(learned.original_test, data.test.labels.tolist())
    say(f"profile {out}")
    if ladder is not None:
        say(f"ladder  {ladder}")
    say(f"weights {learned.weights}\nresults {learned.results.path}")


def _curve(learned: Learned) -> Table:
    """Bytes and accuracy of every profile on validation, the chosen one marked."""
    table = Table(box=None, pad_edge=False)
    table.add_column("on validation")
    for title in ("bytes an image", "accuracy", "divergence", ""):
        table.add_column(title, justify="right")
    for point in learned.profile.curve:
        if point["split"] == "validation":
            size = point["mean_bytes"]
            table.add_row(
                point["label"],
                "" if size is None else f"{size:,.0f}",
                f"{point['accuracy']:.2%}",
                f"{point['divergence']:.4f}",
                "chosen" if point["label"] == learned.chosen.label else "",
            )
    return table


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
