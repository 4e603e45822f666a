"""``bandwise encode``: images to JPEG files with a learned profile."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bandwise.cli import options as opt
from bandwise.cli.main import EXIT_SKIPPED
from bandwise.cli.output import printable, say
from bandwise.cli.progress import ProgressDisplay, resumable
from bandwise.dataset import (
    MAX_ERROR_RATE,
    QUARANTINE_NAME,
    SHARD_IMAGES,
    Alpha,
    EncodeOptions,
    Totals,
    encode_shards,
    encode_tree,
    is_image_or_folder,
)
from bandwise.encoding import Container, ImageEncoder, ProfileEncoder
from bandwise.errors import ConfigurationError
from bandwise.executors import executor_of
from bandwise.profile import Profile
from bandwise.wording import quantity

Engine = Literal["local", "ray"]

TOLERANCE = 0.05
"""Nats by which a file that a network chooses may change its output."""


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
    device: opt.Device = "auto",
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
    ] = "smallest",
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
    ] = "white",
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
    ] = "local",
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
    as_json: opt.Json = False,
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

    With several profiles each image gets the smallest file that keeps the network's output within
    the tolerance, or where none does the one that changes it least.

    Example: bandwise encode photos photos-small --profile profile.json
    """
    if not shards and not is_image_or_folder(source):
        raise typer.BadParameter(
            f"{source} is no image or folder of images; with --shards, lists, archives and Parquet "
            "files are encoded, too"
        )
    if not shards and (image_column is not None or engine != "local"):
        raise typer.BadParameter("--image-column and --engine belong to --shards; give it, too")
    profiles = _load_profiles(profile)
    if for_model is not None:
        profiles = _restrict_to_model(profiles, for_model)
    encoder = _encoder_of(
        profiles,
        network=network,
        weights=weights,
        tolerance=tolerance,
        device=device,
        container=container,
        requantise=requantise,
    )
    run = (
        partial(encode_shards, source, shard_images=shard_images, image_column=image_column)
        if shards
        else partial(encode_tree, Path(source))
    )
    note = "files that are written are whole, the same command with --resume goes on"
    with warnings.catch_warnings(), resumable(note), ProgressDisplay() as progress:
        warnings.simplefilter("ignore")  # Pillow's, of oddities in metadata; the pixels count
        totals = run(
            out,
            encoder,
            options=EncodeOptions(alpha=alpha, requantise=requantise),
            resume=resume,
            executor=executor_of(engine if shards else "threads", workers),
            max_error_rate=max_error_rate,
            progress=progress,
        )
    if as_json:
        names = ("encoded", "requantised", "kept", "bytes_in", "bytes_out", "seconds", "skipped")
        found = {"shards": totals.parts} if shards else {}
        found |= {name: getattr(totals, name) for name in names}
        rate = {"images_per_second": round(totals.images_per_second, 1)}
        print(json.dumps(found | rate, indent=2))
    else:
        say(_in_words(totals, shards=shards))
    if totals.skipped:
        for one in totals.first_skipped:
            say(f"skipped {printable(one.name)}: {one.reason}", error=True)
        say(f"{totals.skipped:,} skipped, all named in {out / QUARANTINE_NAME}", error=True)
        raise typer.Exit(EXIT_SKIPPED)


def _encoder_of(
    profiles: Sequence[Profile],
    *,
    network: str | None,
    weights: Path | None,
    tolerance: float | None,
    device: opt.DeviceName,
    container: Container,
    requantise: bool,
) -> ImageEncoder:
    """Encoder with one profile, or with the several that a network chooses from.

    Raises `typer.BadParameter` where the options do not fit the number of profiles, and what
    `GuidedEncoder.guide` does where network, weights and profiles do not fit together.
    """
    if len(profiles) == 1:
        if any(given is not None for given in (network, weights, tolerance)):
            raise typer.BadParameter(
                "--network, --weights and --tolerance belong to a ladder of several profiles and "
                "there is one; give more with --profile, or leave them out"
            )
        return ProfileEncoder(profiles[0], container)
    if network is None or weights is None:
        raise typer.BadParameter(
            f"{len(profiles)} profiles need a network that chooses one for each image; give "
            "--network NAME and --weights FILE, or one profile"
        )
    if requantise:
        raise typer.BadParameter(
            "several profiles are compared from pixels; leave out --requantise, or give one profile"
        )
    # PyTorch takes seconds to import, and one profile for all images does not need it.
    from bandwise.guidance import GuidedEncoder

    encoder = GuidedEncoder(
        profiles=profiles,
        network=network,
        weights=weights,
        tolerance=TOLERANCE if tolerance is None else tolerance,
        container=container,
        device=opt.prepare_device(device),
    )
    _ = encoder.guide  # so that what does not fit is said before anything is written
    return encoder


def _load_profiles(paths: Sequence[Path]) -> list[Profile]:
    """Profiles of files, and of folders in the order of their names."""
    found: list[Profile] = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise ConfigurationError(f"the folder {path} holds no profiles (*.json)")
        found += map(Profile.load, files)
    return found


def _restrict_to_model(profiles: Sequence[Profile], path: Path) -> list[Profile]:
    """Profiles whose files hold the frequencies alone that a model reads."""
    from bandwise.models.model import Model

    kept = Model.describe(path).frequencies
    if kept is None:
        raise typer.BadParameter(
            f"the model {path} reads pixels, to which every frequency adds; give one that reads "
            "coefficients, or leave out --for-model"
        )
    for profile in profiles:
        if kept.chroma and profile.subsampling != "4:2:0":
            raise typer.BadParameter(
                f"models read chroma at 4:2:0, and the profile {profile.name!r} has it at "
                f"{profile.subsampling}, where other frequencies are read; use a profile at 4:2:0, "
                "or leave out --for-model"
            )
    return [profile.keeping(kept) for profile in profiles]


def _in_words(totals: Totals, *, shards: bool) -> str:
    text = f"{quantity(totals.encoded, 'image')} encoded"
    if shards:
        text += f" into {quantity(totals.parts, 'shard')}"
    if totals.requantised:
        text += f", {totals.requantised:,} of them requantised"
    if totals.bytes_in:
        text += (
            f": {totals.bytes_in:,} → {totals.bytes_out:,} bytes "
            f"({totals.bytes_out / totals.bytes_in:.1%})"
        )
    if totals.encoded:
        text += f", {totals.images_per_second:,.0f} images/s"
    return text + (f"; {totals.kept:,} kept" if totals.kept else "")
