"""``bandwise learn``: quantisation tables for a network, as a profile."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bandwise.cli.chance import warn_of_chance
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
from bandwise.wording import quantity

if TYPE_CHECKING:
    from bandwise.recipes.target import Learned


class Chroma(StrEnum):
    """Chroma subsampling."""

    FULL = "4:4:4"
    HALF = "4:2:0"


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
    subsampling: Annotated[Chroma, typer.Option(help="Of chroma, in colour.")] = Chroma.HALF,
    slopes: Annotated[
        list[float] | None, typer.Option(help="λ in nats a bit, one profile each.")
    ] = None,
    rdo: Annotated[
        float,
        typer.Option(
            help="Choose integers by rate and distortion, at this share of λ; 0 rounds them."
        ),
    ] = 0.0,
    images: Annotated[
        int | None,
        typer.Option(help="Training images that the tables are learned from; 600 if not given."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of training the network, where it is trained.")
    ] = None,
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
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    colour: Annotated[Colour, typer.Option(help="For a folder of images.")] = Colour.RGB,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Learn quantisation tables for a network and keep those that meet a target.

    Tables are learned for several λ, nats a bit, each is measured on real files of the validation
    images, the smallest files that meet the target are chosen there, and the choice is reported on
    the test images. The whole curve is kept in the profile and in the work folder, which a second
    call goes on from.

    Example: bandwise learn photos/ --network resnet --out photos.json
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.cli.datasets import load_dataset
    from bandwise.cli.stages import Stages
    from bandwise.recipes.learning import LAGRANGIANS, LearnConfig, profile_file_name
    from bandwise.recipes.networks import check_network
    from bandwise.recipes.target import Target, learn_profile

    console = Console()
    target = Target(
        accuracy_drop=target_accuracy_drop, rate_bpp=target_bpp, size_bytes=target_bytes
    )
    config = LearnConfig(
        network=network,
        weights=weights,
        epochs=epochs,
        lagrangians=tuple(slopes or LAGRANGIANS),
        rdo=rdo,
        images=LearnConfig.images if images is None else images,
        subsampling="4:2:0" if subsampling is Chroma.HALF else "4:4:4",
        seed=seed,
        device=device_name(device),
    )
    check_network(network, weights)
    data = load_dataset(console, dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    folder = work or Path("runs") / f"learn-{data.name}"
    console.print(f"{data.name}: {data.source}", highlight=False)
    with resumable("what is finished is"), Stages(console) as stages:
        learned = learn_profile(config, data, target, folder, progress=stages.show)
    learned.profile.save(out)
    if ladder is not None:
        for profile in learned.profiles:
            profile.save(ladder / profile_file_name(profile))
    console.print(_curve(learned))
    console.print(_sentence(learned, target.drop), highlight=False, soft_wrap=True)
    warn_of_chance(console, learned.original_test, data.test.labels.tolist())
    places = {
        "profile": out,
        "ladder ": ladder,
        "weights": learned.weights,
        "results": learned.results.path,
    }
    for name, path in places.items():
        if path:
            console.print(f"{name} {path}", highlight=False, markup=False, soft_wrap=True)


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


def _sentence(learned: Learned, allowed: float | None) -> str:
    """What the chosen profile does on test; ``allowed`` points were the target, if any."""
    test, original = learned.test, learned.original_test
    drop = 100 * (original.accuracy - test.accuracy)
    return (
        f"on test: {test.mean_bytes:,.0f} bytes an image, accuracy {test.accuracy:.2%}, "
        f"{abs(drop):.2f} points {'below' if drop >= 0 else 'above'} the originals' "
        f"{original.accuracy:.2%} "
        f"({quantity(len(test.image_correct), 'image')})"
        + ("" if allowed is None or drop <= allowed else f", more than the {allowed:g} asked for")
    )
