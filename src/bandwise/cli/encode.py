"""``bandwise encode``: images to the smallest JPEG files that keep a model's answer."""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bandwise.cli import options as opt
from bandwise.cli.choosing import (
    KEEP,
    TOLERANCE,
    encoder_of,
    load_profiles,
    numbers,
    restrict_to_model,
    searching_encoder,
)
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
from bandwise.dataset.reading import read_picture
from bandwise.dataset.sources import walk
from bandwise.dataset.sources.locations import read_path
from bandwise.encoding import Container, ImageEncoder
from bandwise.errors import BandwiseError
from bandwise.executors import executor_of
from bandwise.models.loading import PreprocessingOptions
from bandwise.models.preprocessing import Interpolation
from bandwise.search.encoder import SearchEncoder, quality_of_equal_divergence
from bandwise.search.search import OnMiss
from bandwise.wording import quantity

Engine = Literal["local", "ray"]

COMPARED_IMAGES = 24
"""Images on which one quality for all is estimated."""


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
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model that is asked for each image: package.module:function or file.py:function "
            "(which returns an nn.Module), timm:NAME, torchvision:NAME or onnx:FILE; repeat for an "
            "ensemble, all of which keep their answers."
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="NATS|decision",
            help="What of the model's answer a file has to keep: divergence of the class "
            "probabilities in nats, or the decision alone; decision:MARGIN in nats. "
            f"{KEEP} if not given.",
        ),
    ] = None,
    looks: Annotated[
        int, typer.Option(help="Files of an image that are shown to the model, at most.", min=1)
    ] = 12,
    plan: Annotated[
        Path | None,
        typer.Option(help="Plan of the search, a JSON file; the built-in one if not given."),
    ] = None,
    on_miss: Annotated[
        OnMiss,
        typer.Option(
            help="What an image gets that no file keeps: its own bytes where it is a JPEG, and "
            "otherwise the file of least divergence; always that file; or quarantine."
        ),
    ] = "source",
    scaling: Annotated[
        bool,
        typer.Option(
            help="Whether files may have fewer pixels than the image, down to about half of what "
            "the model reads."
        ),
    ] = True,
    resize: Annotated[
        int | None,
        typer.Option(
            help="Short side to which the model's input is resized, where the model does not say.",
            min=1,
        ),
    ] = None,
    crop: Annotated[
        int | None, typer.Option(help="Side of the model's centre crop.", min=1)
    ] = None,
    interpolation: Annotated[
        Interpolation | None, typer.Option(help="Filter of that resizing.")
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(help="Mean that is subtracted from values in [0, 1], one or one a channel."),
    ] = None,
    std: Annotated[
        str | None, typer.Option(help="Deviation that they are divided by, likewise.")
    ] = None,
    profile: Annotated[
        list[Path] | None,
        typer.Option(
            help="Without a model: profile that was learned, a JSON file, or a folder of them; "
            "repeat for several, of which each image gets one."
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="Network that chooses among several profiles, as for `bandwise learn`. It is "
            "shown each image at the image's own size."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights of the model or network: safetensors, for a model also .pt."),
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
    """Encode images as the smallest standard JPEG files that keep a model's answer.

    For each image the model is asked what candidates of different size, chroma sampling and tables
    do to its answer, until the smallest is found that keeps it, read by libjpeg's accurate and by
    its fast decoder. Labels are not needed, and the model is not changed. Such files are for this
    model: people may miss colour and detail. Or, with a profile, all images get its tables.

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

    Example: bandwise encode photos small --model timm:efficientnet_lite0 --keep 0.2
    """
    if not shards and not is_image_or_folder(source):
        raise typer.BadParameter(
            f"{source} is no image or folder of images; with --shards, lists, archives and Parquet "
            "files are encoded, too"
        )
    if not shards and (image_column is not None or engine != "local"):
        raise typer.BadParameter("--image-column and --engine belong to --shards; give it, too")
    if (model is None) == (profile is None):
        raise typer.BadParameter(
            "say what decides on the files: a model that is asked (--model), or a learned profile "
            "(--profile)"
        )
    encoder: ImageEncoder
    if model is not None:
        if requantise or for_model is not None or network is not None or tolerance is not None:
            raise typer.BadParameter(
                "--requantise, --for-model, --network and --tolerance belong to --profile"
            )
        encoder = searching_encoder(
            model,
            keep=keep,
            looks=looks,
            plan=plan,
            on_miss=on_miss,
            scaling=scaling,
            weights=weights,
            preprocessing=PreprocessingOptions(
                resize=resize,
                crop=crop,
                interpolation=interpolation,
                mean=numbers("--mean", mean),
                std=numbers("--std", std),
            ),
            device=device,
        )
    else:
        profiles = load_profiles(profile or ())
        if for_model is not None:
            profiles = restrict_to_model(profiles, for_model)
        encoder = encoder_of(
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
        rate: dict[str, object] = {"images_per_second": round(totals.images_per_second, 1)}
        if totals.recorded:
            rate["answers"] = {"files": totals.recorded, **totals.sums}
        print(json.dumps(found | rate, indent=2))
    else:
        say(_in_words(totals, shards=shards))
        if totals.recorded:
            say(_answers_in_words(totals))
        if isinstance(encoder, SearchEncoder) and totals.encoded and not shards:
            comparison = _beside_libjpeg(encoder, Path(source), totals)
            if comparison:
                say(comparison)
    if totals.skipped:
        for one in totals.first_skipped:
            say(f"skipped {printable(one.name)}: {one.reason}", error=True)
        say(f"{totals.skipped:,} skipped, all named in {out / QUARANTINE_NAME}", error=True)
        raise typer.Exit(EXIT_SKIPPED)


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


def _answers_in_words(totals: Totals) -> str:
    """What the records of a search say together."""
    files, sums = totals.recorded, totals.sums
    missed = files - sums["kept"]
    text = (
        f"{sums['kept']:,.0f} of {files:,} keep the answer within the tolerance, "
        f"{sums['decision_kept']:,.0f} the decision; mean distance {sums['distance'] / files:.3g}; "
        f"{sums['looks'] / files:.1f} looks an image"
    )
    return text + (f"; nothing smaller kept {missed:,.0f}" if missed else "")


def _beside_libjpeg(encoder: SearchEncoder, source: Path, totals: Totals) -> str:
    """One libjpeg quality for all with the same mean divergence, estimated on some images."""
    images = []
    paths = [source] if source.is_file() else [Path(path) for path in walk(source)]
    for path in paths[:: max(1, len(paths) // COMPARED_IMAGES)][:COMPARED_IMAGES]:
        with suppress(BandwiseError):
            images.append(read_picture(read_path(path)).pixels_u8)
    if encoder.keep.kind != "divergence" or not images:
        return ""
    mean = totals.sums["distance"] / totals.recorded
    found = quality_of_equal_divergence(images, encoder.loaded[0], mean)
    if found is None:
        return ""
    quality, size_bytes, subsampling = found
    ours = totals.sums["size_bytes"] / totals.recorded
    return (
        f"one libjpeg quality for all with the same mean divergence: about q{quality:.0f} "
        f"at {subsampling}, "
        f"{size_bytes:,.0f} bytes a file, estimated on {quantity(len(images), 'image')}; these "
        f"files have {ours:,.0f} ({ours / size_bytes - 1:+.0%})"
    )
