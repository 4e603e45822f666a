"""``bandwise encode``: images to JPEG files with a learned profile."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bandwise.adaptive import AdaptiveProfile, load_profile
from bandwise.cli.main import EXIT_SKIPPED
from bandwise.cli.options import Device, DeviceOption, device_name
from bandwise.cli.progress import counting
from bandwise.errors import ConfigurationError
from bandwise.measures import quantity
from bandwise.pipeline import (
    QUARANTINE_NAME,
    Chooser,
    EncodeOptions,
    Skipped,
    Summary,
    encode_tree,
)
from bandwise.profile import Profile

AnyProfile = Profile | AdaptiveProfile

REASONS_SHOWN = 5
TOLERANCE = 0.05
"""Nats by which a file that a network chooses may change its output."""


class Container(StrEnum):
    """How a file is laid out."""

    BASELINE = "baseline"
    PROGRESSIVE = "progressive"
    SMALLEST = "smallest"


class Alpha(StrEnum):
    """What becomes of transparency."""

    WHITE = "white"
    REFUSE = "refuse"


def encode(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="An image, or a folder that is encoded whole.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the .jpg files.")],
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
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Keep files that are there already with the profile's tables."
        ),
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Threads; one a core if not given.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout.")
    ] = False,
) -> None:
    """Encode images as standard JPEG files with a learned profile.

    Any PNG, JPEG, WebP, BMP, TIFF, GIF, PPM or AVIF becomes OUT/same/name.jpg: turned upright,
    8 bits a channel, with its ICC profile where that fits, without other metadata. Every file is
    read back and its tables compared before it appears. A file that cannot be encoded is named in
    OUT/quarantine.jsonl with the reason, and the rest goes on; so are files that would get one
    name, such as a.png and a.jpg. Inputs are never altered. Exit code: 0 all encoded, 3 something
    was skipped, 1 an error, 2 wrong usage.

    With --for-model the files hold what that model reads and no more; people see blurred images.

    A profile that was learned with `bandwise learn --adaptive` chooses tables for each image by the
    image's own statistics. With several profiles each image gets the smallest file that keeps the
    network's output within the tolerance, or where none does the one that changes it least.

    Example: bandwise encode photos photos-small --profile profile.json
    """
    options = EncodeOptions(container=container.value, alpha=alpha.value, requantise=requantise)
    loaded = [load_profile(path) for path in _files(profile)]
    _refuse_misuse(len(loaded), network, weights, tolerance, requantise=requantise)
    if for_model is not None:
        loaded = _keeping_what_is_read(loaded, for_model)
    chosen: Profile | Chooser = loaded[0]
    profiles = [each for each in loaded if isinstance(each, Profile)]
    if len(profiles) < len(loaded) and (len(loaded) > 1 or requantise):
        raise typer.BadParameter(
            "a profile with a codebook chooses for each image by itself, from its pixels; give it "
            "alone, without --requantise"
        )
    if network is not None and weights is not None:
        limit = TOLERANCE if tolerance is None else tolerance
        chosen = _chooser(profiles, network, weights, limit, device)
    errors = Console(stderr=True)
    try:
        # Pillow warns of oddities in metadata; the pixels are what counts.
        with warnings.catch_warnings(), counting(errors, "encoding", "images") as progress:
            warnings.simplefilter("ignore")
            summary = encode_tree(
                source,
                out,
                chosen,
                options=options,
                resume=resume,
                workers=workers,
                progress=progress,
            )
    except KeyboardInterrupt as stop:
        stop.add_note("files that are written are whole, the same command with --resume goes on")
        raise
    if as_json:
        print(json.dumps(_as_json(summary), indent=2))
    else:
        Console().print(_in_words(summary), highlight=False, soft_wrap=True)
    if summary.skipped:
        for line in _skip_lines(summary.skipped, out):
            errors.print(line, highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_SKIPPED)


def _files(paths: list[Path]) -> list[Path]:
    """Profiles' files, those of folders in the order of their names."""
    found = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise ConfigurationError(f"the folder {path} holds no profiles (*.json)")
        found += files
    return found


def _refuse_misuse(
    profiles: int,
    network: str | None,
    weights: Path | None,
    tolerance: float | None,
    *,
    requantise: bool,
) -> None:
    """Say what to do where the options do not fit the number of profiles."""
    if profiles > 1 and (network is None or weights is None):
        raise typer.BadParameter(
            f"{profiles} profiles need a network that chooses one for each image; give --network "
            "NAME and --weights FILE, or one profile"
        )
    if profiles > 1 and requantise:
        raise typer.BadParameter(
            "several profiles are compared from pixels; leave out --requantise, or give one profile"
        )
    if profiles == 1 and any(given is not None for given in (network, weights, tolerance)):
        raise typer.BadParameter(
            "--network, --weights and --tolerance belong to a ladder of several profiles and there "
            "is one; give more with --profile, or leave them out"
        )


def _keeping_what_is_read(profiles: list[AnyProfile], path: Path) -> list[AnyProfile]:
    """Profiles whose files hold the frequencies alone that a model reads."""
    from bandwise.inference import Model

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


def _chooser(
    profiles: list[Profile], network: str, weights: Path, tolerance: float, device: Device
) -> Chooser:
    # PyTorch takes seconds to import, and one profile for all images does not need it.
    from bandwise.encoding import encode_pixels
    from bandwise.guidance import Guide, GuidedChoice, num_classes_of
    from bandwise.tasks.networks import load_network

    model = load_network(
        network,
        weights,
        num_classes=num_classes_of(profiles),
        channels=len(profiles[0].components),
    )
    guide = Guide(profiles, model, encode=encode_pixels, device=device_name(device))
    return GuidedChoice(guide, tolerance)


def _as_json(summary: Summary) -> dict[str, object]:
    return {
        **asdict(summary),
        "skipped": len(summary.skipped),
        "images_per_second": round(summary.images_per_second, 1),
    }


def _in_words(summary: Summary) -> str:
    text = f"{quantity(summary.encoded, 'image')} encoded"
    if summary.requantised:
        text += f", {summary.requantised:,} of them requantised"
    if summary.bytes_in:
        text += (
            f": {summary.bytes_in:,} → {summary.bytes_out:,} bytes "
            f"({summary.bytes_out / summary.bytes_in:.1%}), "
            f"{summary.images_per_second:,.0f} images/s"
        )
    return text + (f"; {summary.kept:,} kept" if summary.kept else "")


def _skip_lines(skipped: tuple[Skipped, ...], out: Path) -> list[str]:
    lines = [f"skipped {_printable(one.name)}: {one.reason}" for one in skipped[:REASONS_SHOWN]]
    return [*lines, f"{len(skipped):,} skipped, all named in {out / QUARANTINE_NAME}"]


def _printable(name: str) -> str:
    """Show a name that is no valid UTF-8, too."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
