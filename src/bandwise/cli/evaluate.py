"""``bandwise evaluate``: accuracy against real bytes, codec by codec."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.cli.chance import warn_of_chance
from bandwise.cli.options import (
    Colour,
    DataDirOption,
    DatasetArgument,
    Device,
    DeviceOption,
    ImageSizeOption,
    NetworkOption,
    device_name,
)
from bandwise.cli.progress import resumable
from bandwise.wording import quantity


class Split(StrEnum):
    """Which images are measured."""

    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    dataset: DatasetArgument,
    weights: Annotated[Path, typer.Option(help="The network's weights, a safetensors file.")],
    network: NetworkOption = "resnet",
    out: Annotated[
        Path | None, typer.Option(help="Output folder; runs/evaluate-DATASET if not given.")
    ] = None,
    profile: Annotated[
        list[Path] | None, typer.Option(help="A learned profile, a JSON file; repeat for several.")
    ] = None,
    codecs: Annotated[
        list[str] | None,
        typer.Option(
            help="Codecs, or families of one, such as `webp` or `'libjpeg compact'`; "
            "every codec that is installed if not given."
        ),
    ] = None,
    every: Annotated[
        int, typer.Option(help="Of each family's settings, measure every EVERY-th.", min=1)
    ] = 1,
    bound: Annotated[
        float, typer.Option(help="Percentage points of accuracy that may be lost.", min=0)
    ] = 1.0,
    split: Annotated[
        list[Split] | None,
        typer.Option(help="Only these images; repeat for both, which choosing and judging need."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            help="That the network was trained with, so that the same images are held out where "
            "there is no validation split."
        ),
    ] = 0,
    data_dir: DataDirOption = None,
    image_size: ImageSizeOption = None,
    colour: Annotated[Colour, typer.Option(help="For a folder of images.")] = Colour.RGB,
    threads: Annotated[
        int | None, typer.Option(help="Threads that encode; one a core if not given.", min=1)
    ] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Measure accuracy against real bytes, for profiles and for other codecs.

    Every image is encoded, decoded and classified by a network that was trained on originals. A
    codec's setting is the smallest that loses at most so many points on validation; what it does is
    reported on test. Writes results.jsonl after every setting and goes on where it was interrupted.

    Example: bandwise evaluate photos --weights resnet.safetensors --profile photos.json
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.cli.datasets import load_dataset
    from bandwise.cli.report import print_summary
    from bandwise.cli.stages import Stages
    from bandwise.evaluation import (
        EvaluationConfig,
        ProfileCodec,
        sweep,
        unavailable,
    )
    from bandwise.evaluation import evaluate as run
    from bandwise.profile import Profile
    from bandwise.recipes.networks import check_network
    from bandwise.results import LIBJPEG, SPLITS, Measurement
    from bandwise.statistics import find_original, merge_seeds
    from bandwise.tasks.networks import load_network

    console = Console()
    profiles = [Profile.load(path) for path in profile or ()]
    config = EvaluationConfig(
        network=network,
        seed=seed,
        splits=[each for each in SPLITS if not split or each in [one.value for one in split]],
        device=device_name(device),
        threads=threads,
    )
    check_network(network, weights)
    data = load_dataset(console, dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    channels = data.image_shape[0]
    work = sweep(channels, names=codecs, every=every, libjpeg_every=every)
    notes = [f"without {name}: {why}" for name, why in unavailable().items() if codecs is None]
    if every > 1 and any(codec.name == LIBJPEG for codec, _ in work):
        notes.append(
            f"libjpeg is measured at every {every}th setting only: savings against it may be the "
            "gaps between them"
        )
    for note in notes:
        console.print(note, highlight=False, soft_wrap=True)
    if profiles:
        learned = ProfileCodec(profiles)
        work.append((learned, learned.settings()))
    model = load_network(network, weights, channels=channels, num_classes=data.num_classes)
    folder = out or Path("runs") / f"evaluate-{data.name}"
    console.print(
        f"{data.name}: {data.source}. "
        f"{quantity(sum(len(settings) for _, settings in work), 'setting')} of "
        f"{', '.join(codec.name for codec, _ in work)}, into {folder}",
        highlight=False,
    )
    with resumable("finished settings are"), Stages(console) as stages:
        results = run(config, data, model, work, folder, profiles=profiles, progress=stages.show)
    points = merge_seeds(results.of(Measurement), network=network)
    print_summary(console, results, bound=bound)
    warn_of_chance(console, find_original(points, "test"), data.test.labels.tolist())
    console.print(f"results {results.path}", highlight=False, soft_wrap=True)
