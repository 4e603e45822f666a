"""``bandwise evaluate``: accuracy against real bytes, codec by codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from bandwise.cli import options as opt
from bandwise.cli.output import print_results, say, warn_of_chance
from bandwise.cli.progress import ProgressDisplay, resumable
from bandwise.results import LIBJPEG, SPLITS, Measurement, Split
from bandwise.wording import quantity


def evaluate(
    dataset: opt.Dataset,
    weights: Annotated[Path, typer.Option(help="The network's weights, a safetensors file.")],
    network: opt.Network = "resnet",
    out: opt.Out = None,
    profile: Annotated[
        list[Path] | None, typer.Option(help="A learned profile, a JSON file; repeat for several.")
    ] = None,
    codecs: opt.Codecs = None,
    every: opt.Every = 1,
    bound: Annotated[
        float, typer.Option(help="Percentage points of accuracy that may be lost.", min=0)
    ] = 1.0,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="Only `validation` or `test`; repeat for both, which choosing and judging need."
        ),
    ] = None,
    seed: opt.Seed = 0,
    data_dir: opt.DataDir = None,
    image_size: opt.ImageSize = None,
    colour: opt.Colour = "rgb",
    threads: Annotated[
        int | None, typer.Option(help="Threads that encode; one a core if not given.", min=1)
    ] = None,
    device: opt.Device = "auto",
) -> None:
    """Measure accuracy against real bytes, for profiles and for other codecs.

    Every image is encoded, decoded and classified by a network that was trained on originals; give
    --seed as it was trained with, so that the same images are held out where there is no validation
    split. A codec's setting is the smallest that loses at most so many points on validation; what
    it does is reported on test. Writes results.jsonl after every setting and goes on where it was
    interrupted.

    Example: bandwise evaluate photos --weights resnet.safetensors --profile photos.json
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.evaluation import EvaluationConfig, ProfileCodec, sweep, unavailable
    from bandwise.evaluation import evaluate as run
    from bandwise.learning.networks import check_network
    from bandwise.models.networks.registry import load_network
    from bandwise.profile import Profile
    from bandwise.statistics import find_original

    profiles = [Profile.load(path) for path in profile or ()]
    config = EvaluationConfig(
        network=network,
        seed=seed,
        splits=cast(list[Split], split) or SPLITS,
        device=opt.prepare_device(device),
        threads=threads,
    )
    check_network(network, weights)
    data = opt.load_dataset(dataset, data_dir=data_dir, image_size=image_size, colour=colour)
    channels = data.image_shape[0]
    work = sweep(channels, names=codecs, every=every, libjpeg_every=every)
    if codecs is None:
        for name, why in unavailable().items():
            say(f"without {name}: {why}")
    if every > 1 and any(codec.name == LIBJPEG for codec, _ in work):
        say(
            f"libjpeg is measured at every {every}th setting only: savings against it may be the "
            "gaps between them"
        )
    if profiles:
        learned = ProfileCodec(profiles)
        work.append((learned, learned.settings()))
    model = load_network(network, weights, channels=channels, num_classes=data.num_classes)
    folder = out or Path("runs") / f"evaluate-{data.name}"
    settings = quantity(sum(len(settings) for _, settings in work), "setting")
    names = ", ".join(codec.name for codec, _ in work)
    say(f"{data.name}: {data.source}. {settings} of {names}, into {folder}")
    with resumable(), ProgressDisplay() as progress:
        results = run(config, data, model, work, folder, profiles=profiles, progress=progress)
    print_results(results, bound=bound)
    measured = [each for each in results.of(Measurement) if each.network == network]
    warn_of_chance(find_original(measured, "test"), data.test.labels.tolist())
