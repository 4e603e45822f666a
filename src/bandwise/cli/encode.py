"""``bandwise encode``: images to JPEG files with a learned profile."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bandwise.adaptive import AdaptiveProfile
from bandwise.cli.choosing import (
    TOLERANCE,
    GuidedByNetwork,
    keeping_what_is_read,
    load_profiles,
    refuse_misuse,
)
from bandwise.cli.main import EXIT_SKIPPED
from bandwise.cli.options import Device, DeviceOption
from bandwise.cli.progress import counting, saving_text
from bandwise.measures import quantity
from bandwise.pipeline import (
    MAX_ERROR_RATE,
    QUARANTINE_NAME,
    SHARD_IMAGES,
    Chooser,
    EncodeOptions,
    Skipped,
    Summary,
    Totals,
    encode_shards,
    encode_tree,
    executor_of,
    is_image_or_folder,
)
from bandwise.profile import Profile

REASONS_SHOWN = 5


class Container(StrEnum):
    """How a file is laid out."""

    BASELINE = "baseline"
    PROGRESSIVE = "progressive"
    SMALLEST = "smallest"


class Alpha(StrEnum):
    """What becomes of transparency."""

    WHITE = "white"
    REFUSE = "refuse"


class Engine(StrEnum):
    """Where shards are made."""

    LOCAL = "local"
    RAY = "ray"


def encode(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="An image, or a folder that is encoded whole. With --shards also a list of paths "
            "and URLs (.txt), and one or a folder of WebDataset archives (.tar) or Parquet files.",
        ),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder for the .jpg files, or the shards.")
    ],
    profile: Annotated[
        list[Path],
        typer.Option(
            help="Profile that was learned, a JSON file, or a folder of them; repeat for several, "
            "of which each image gets one."
        ),
    ],
    network: Annotated[
        str | None,
        typer.Option(
            help="Network that chooses among several profiles, as for `bandwise learn`. It is "
            "shown each image at the image's own size."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="The network's weights, a safetensors file.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="Divergence from the network's output on the original that a file may cause, "
            f"in nats, where a network chooses; {TOLERANCE:g} if not given.",
            min=0,
        ),
    ] = None,
    device: DeviceOption = Device.AUTO,
    for_model: Annotated[
        Path | None,
        typer.Option(
            help="Model on coefficients that is to read the files, a safetensors file; frequencies "
            "that it does not read are dropped from them."
        ),
    ] = None,
    container: Annotated[
        Container,
        typer.Option(help="Baseline, progressive, or for each image the smaller of them."),
    ] = Container.SMALLEST,
    requantise: Annotated[
        bool,
        typer.Option(
            "--requantise",
            help="Requantise the coefficients of JPEGs that have the profile's chroma sampling "
            "and are upright, instead of decoding them to pixels.",
        ),
    ] = False,
    alpha: Annotated[
        Alpha,
        typer.Option(
            help="Transparent pixels: laid on white, as when learning, or the image skipped."
        ),
    ] = Alpha.WHITE,
    shards: Annotated[
        bool,
        typer.Option(
            "--shards", help="Write tar shards, as WebDataset reads them, instead of a tree."
        ),
    ] = False,
    shard_images: Annotated[
        int,
        typer.Option(help="Images a shard, but for archives, each of which is one.", min=1),
    ] = SHARD_IMAGES,
    image_column: Annotated[
        str | None,
        typer.Option(help="Column of Parquet files with the images, where several could be it."),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(
            help="Who makes shards: processes of this machine, or the Ray cluster at $RAY_ADDRESS."
        ),
    ] = Engine.LOCAL,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a run; what is there and whole is kept as it is."
        ),
    ] = False,
    max_error_rate: Annotated[
        float,
        typer.Option(
            help="Share of images that cannot be encoded, past which the run stops; ten always may."
        ),
    ] = MAX_ERROR_RATE,
    workers: Annotated[
        int | None,
        typer.Option(help="Threads, or with --shards processes; one a core if not given."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout.")
    ] = False,
) -> None:
    """Encode images as standard JPEG files with a learned profile.

    Any PNG, JPEG, WebP, BMP, TIFF, GIF, PPM or AVIF becomes OUT/same/name.jpg: turned upright,
    8 bits a channel, with its ICC profile where that fits, without other metadata. Every file is
    read back and its tables compared before it appears. A file that cannot be encoded is named in
    OUT/quarantine.jsonl with the reason, and the rest goes on; so are files that would get one
    name, such as a.png and a.jpg. Inputs are never altered.

    With --shards the files go into OUT/shard-000000.tar and so on, with the numbers of classes and
    what else a source says of an image, and a list of the samples beside each. The bytes are the
    same whatever the workers and the engine. `bandwise verify` checks either kind of output.

    A run that was stopped goes on with --resume, with the same profile and options. Exit code: 0
    all encoded, 3 something was skipped, 4 stopped since too much was, 1 an error, 2 wrong usage.

    With --for-model the files hold what that model reads and no more; people see blurred images.

    A profile that was learned with `bandwise learn --adaptive` chooses tables for each image by the
    image's own statistics. With several profiles each image gets the smallest file that keeps the
    network's output within the tolerance, or where none does the one that changes it least.

    Example: bandwise encode photos photos-small --profile profile.json
    """
    options = EncodeOptions(container=container.value, alpha=alpha.value, requantise=requantise)
    loaded = load_profiles(profile)
    refuse_misuse(loaded, network, weights, tolerance, requantise=requantise)
    if not shards:
        _refuse_what_shards_need(source, image_column, engine)
    if for_model is not None:
        loaded = keeping_what_is_read(loaded, for_model)
    chosen: Profile | Chooser = loaded[0]
    profiles = [each for each in loaded if isinstance(each, Profile)]
    settings: Mapping[str, Any] = {}
    if isinstance(chosen, AdaptiveProfile):
        settings = {"policy_sha256": chosen.sha256}
    if network is not None and weights is not None:
        guided = GuidedByNetwork(
            profiles=profiles,
            network=network,
            weights=weights,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            device=device,
        )
        _ = guided.choice  # so that what does not fit is said before anything is written
        chosen, settings = guided, guided.settings
    errors = Console(stderr=True)
    result: Summary | Totals
    try:
        # Pillow warns of oddities in metadata; the pixels are what counts.
        with warnings.catch_warnings(), counting(errors, "encoding", "images") as tell:
            warnings.simplefilter("ignore")
            if shards:
                result = encode_shards(
                    source,
                    out,
                    chosen,
                    options=options,
                    settings=settings,
                    shard_images=shard_images,
                    image_column=image_column,
                    resume=resume,
                    executor=executor_of(engine.value, workers),
                    max_error_rate=max_error_rate,
                    progress=lambda so_far: tell(
                        so_far.done,
                        so_far.total,
                        before=so_far.kept,
                        note=saving_text(so_far.bytes_in, so_far.bytes_out),
                    ),
                )
            else:
                result = encode_tree(
                    Path(source),
                    out,
                    chosen,
                    options=options,
                    settings=settings,
                    resume=resume,
                    workers=workers,
                    max_error_rate=max_error_rate,
                    progress=tell,
                )
    except KeyboardInterrupt as stop:
        stop.add_note("files that are written are whole, the same command with --resume goes on")
        raise
    if as_json:
        print(json.dumps(_as_json(result), indent=2))
    else:
        Console().print(_in_words(result), highlight=False, soft_wrap=True)
    skipped, first = _skipped(result)
    if skipped:
        for line in _skip_lines(first, skipped, out):
            errors.print(line, highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_SKIPPED)


def _refuse_what_shards_need(source: str, image_column: str | None, engine: Engine) -> None:
    if not is_image_or_folder(source):
        raise typer.BadParameter(
            f"{source} is no image or folder of images; with --shards, lists, archives and Parquet "
            "files are encoded, too"
        )
    if image_column is not None or engine is not Engine.LOCAL:
        raise typer.BadParameter("--image-column and --engine belong to --shards; give it, too")


def _skipped(result: Summary | Totals) -> tuple[int, Sequence[Skipped]]:
    """How many images were skipped, and the first of them."""
    if isinstance(result, Totals):
        return result.quarantined, result.first_skipped
    return len(result.skipped), result.skipped


def _as_json(result: Summary | Totals) -> dict[str, object]:
    names = ("encoded", "requantised", "kept", "bytes_in", "bytes_out", "seconds")
    return {
        **({"shards": result.shards} if isinstance(result, Totals) else {}),
        **{name: getattr(result, name) for name in names},
        "skipped": _skipped(result)[0],
        "images_per_second": round(result.images_per_second, 1),
    }


def _in_words(result: Summary | Totals) -> str:
    text = f"{quantity(result.encoded, 'image')} encoded"
    if isinstance(result, Totals):
        text += f" into {quantity(result.shards, 'shard')}"
    if result.requantised:
        text += f", {result.requantised:,} of them requantised"
    if result.bytes_in:
        text += (
            f": {result.bytes_in:,} → {result.bytes_out:,} bytes "
            f"({result.bytes_out / result.bytes_in:.1%})"
        )
    if result.encoded:
        text += f", {result.images_per_second:,.0f} images/s"
    return text + (f"; {result.kept:,} kept" if result.kept else "")


def _skip_lines(first: Sequence[Skipped], count: int, out: Path) -> list[str]:
    lines = [f"skipped {printable(one.name)}: {one.reason}" for one in first[:REASONS_SHOWN]]
    return [*lines, f"{count:,} skipped, all named in {out / QUARANTINE_NAME}"]


def printable(name: str) -> str:
    """Show a name that is no valid UTF-8, too."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
