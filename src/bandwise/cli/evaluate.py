"""``bandwise evaluate``: accuracy against real bytes, codec by codec."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    device_name,
)
from bandwise.cli.progress import counting
from bandwise.errors import ConfigurationError

if TYPE_CHECKING:
    from bandwise.evaluation import Codec, Setting, Step

Work = list[tuple["Codec", list["Setting"]]]

BOUNDS = (0.0, 0.5, 1.0)
"""Percentage points of accuracy that the columns of the table allow to lose."""


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
    from bandwise.cli.board import data_progress
    from bandwise.cli.savings import print_savings
    from bandwise.data import load
    from bandwise.evaluation import SPLITS, EvaluationConfig, ProfileCodec
    from bandwise.evaluation import evaluate as run
    from bandwise.measures import points_of
    from bandwise.profile import Profile
    from bandwise.results import read_rows
    from bandwise.tasks.networks import load_network

    console = Console()
    profiles = [Profile.load(path) for path in profile or ()]
    config = EvaluationConfig(
        network=network,
        seed=seed,
        splits=tuple(each.value for each in split) if split else SPLITS,
        device=device_name(device),
        threads=threads,
    )
    with data_progress(console) as progress:
        data = load(
            dataset,
            data_dir=data_dir,
            image_size=None if image_size is None else (image_size, image_size),
            colour=colour.value,
            progress=progress,
        )
    channels = data.image_shape[0]
    work = chosen_settings(codecs, channels, every, console)
    if profiles:
        learned = ProfileCodec(profiles)
        work.append((learned, learned.settings()))
    model = load_network(network, weights, channels=channels, num_classes=data.num_classes)
    folder = out or Path("runs") / f"evaluate-{data.name}"
    console.print(
        f"{data.name}: {data.source}. {sum(len(settings) for _, settings in work)} settings of "
        f"{', '.join(codec.name for codec, _ in work)}, into {folder}",
        highlight=False,
    )
    try:
        with counting(console, "measuring", "images") as tell:
            heard = _Counter(tell)
            results = run(config, data, model, work, folder, profiles=profiles, listener=heard)
    except KeyboardInterrupt as stop:
        stop.add_note("finished settings are kept, the same command resumes")
        raise
    points = points_of(read_rows(results), network=network)
    print_savings(console, points, bound=bound, bounds=sorted({*BOUNDS, bound}))
    console.print(f"results {results}", highlight=False, soft_wrap=True)


def chosen_settings(names: list[str] | None, channels: int, every: int, console: Console) -> Work:
    """Codecs with those of their settings that are asked for; says what is not installed.

    Raises `ConfigurationError` for a codec that was asked for and is not there.
    """
    from bandwise.evaluation import baselines, unavailable

    missing = unavailable()
    work: Work = []
    found: set[str] = set()
    for name, codec in baselines(channels).items():
        settings: list[Setting] = []
        by_family: dict[str, list[Setting]] = {}
        for setting in codec.settings():
            by_family.setdefault(setting.family, []).append(setting)
        for family, swept in by_family.items():
            if names is None or {name, family} & set(names):
                settings += swept[::every]
                found |= {name, family}
        if settings:
            work.append((codec, settings))
    for name in names or ():
        if name in missing:
            raise ConfigurationError(f"the codec {name!r} cannot be used: {missing[name]}")
        if name not in found:
            raise ConfigurationError(
                f"there is no codec or family {name!r}; codecs are {', '.join(baselines(channels))}"
            )
    if every > 1 and "libjpeg" in found:
        console.print(
            f"libjpeg is measured at every {every}th setting only: savings against it may be the "
            "gaps between them",
            highlight=False,
            soft_wrap=True,
        )
    if names is None:
        for name, reason in missing.items():
            console.print(f"without {name}: {reason}", highlight=False, soft_wrap=True)
    return work


class _Counter:
    """Listens to an evaluation and tells how many images are done, of how many."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._total: int | None = None

    def __call__(self, step: Step) -> None:
        if self._total is None:
            self._total = step.images_left + step.images_done
        self._tell(self._total - step.images_left, self._total)
