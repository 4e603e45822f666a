"""Options that several commands have, as annotations, and what commands make of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bandwise.cli.progress import ProgressDisplay
from bandwise.errors import ConfigurationError
from bandwise.system import keep_freed_memory

if TYPE_CHECKING:
    from bandwise import data

ColourName = Literal["grey", "rgb"]
DeviceName = Literal["auto", "cpu", "cuda"]

Dataset = Annotated[
    str, typer.Argument(help="A folder of images by class, `mnist`, `fashion-mnist` or `digits`.")
]
Out = Annotated[Path | None, typer.Option(help="Output folder; runs/COMMAND-DATASET if not given.")]
Network = Annotated[
    str,
    typer.Option(help="`resnet`, `plain-cnn`, `small-cnn`, or your own `package.module:function`."),
]
Weights = Annotated[
    Path | None,
    typer.Option(help="The network's weights, safetensors; trained first if not given."),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        help="Of training each network that is trained; by the images if not given.", min=1
    ),
]
Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A trained model, one safetensors file.")
]
OwnNetwork = Annotated[
    str | None,
    typer.Option(
        help="The `package.module:function` of a model whose network is your own: code that a file "
        "names is not run unasked."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the data set lies; otherwise $BANDWISE_DATA, cache, download."),
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        help="Side in pixels to which images of a folder are scaled and centre-cropped; if not "
        "given, the shortest side of all, rounded down to a multiple of 8."
    ),
]
Colour = Annotated[ColourName, typer.Option(help="How images of a folder are read.")]
JpegFolder = Annotated[
    Path, typer.Argument(help="A folder of .jpg files by class, such as `encode` makes.")
]
BlockSize = Annotated[
    int | None,
    typer.Option(
        help="Side in pixels, a multiple of 16, that images are cropped or filled up to, block by "
        "block; needed where they differ in size."
    ),
]
Lagrangians = Annotated[
    list[float] | None,
    typer.Option("--slopes", help="Lagrangian multipliers λ in nats a bit, one profile each."),
]
Codecs = Annotated[
    list[str] | None,
    typer.Option(
        help="Codecs, or families of one, such as `webp` or `'libjpeg compact'`; every codec that "
        "is installed if not given."
    ),
]
Every = Annotated[
    int, typer.Option(help="Of each family's settings, measure every EVERY-th.", min=1)
]
LearnImages = Annotated[int, typer.Option(help="Training images that the tables are learned from.")]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)]
Seeds = Annotated[
    list[int] | None, typer.Option(help="One run of each kind a seed; 0 1 2 if not given.")
]
Threads = Annotated[
    int | None, typer.Option(help="Threads that read; one a core if not given.", min=1)
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Workers = Annotated[
    int | None, typer.Option(help="Runs side by side; one a core if not given.", min=1)
]
Device = Annotated[DeviceName, typer.Option(help="`auto` takes a GPU where PyTorch sees one.")]


def prepare_device(device: DeviceName) -> str:
    """Make this process ready for networks, and return PyTorch's name of the device.

    Raises `ConfigurationError` where CUDA was asked for and is not there.
    """
    import torch

    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ConfigurationError(
            "--device cuda was asked for, but PyTorch sees no CUDA device; use --device cpu"
        )
    keep_freed_memory()
    return "cuda" if available and device != "cpu" else "cpu"


def square(side: int | None) -> tuple[int, int] | None:
    """Height and width of a square image."""
    return None if side is None else (side, side)


def load_dataset(
    name: str, *, data_dir: Path | None, image_size: int | None, colour: ColourName
) -> data.Dataset:
    """Load a data set as the options of the same names say, with progress."""
    from bandwise.data import load

    with ProgressDisplay() as progress:
        return load(
            name,
            data_dir=data_dir,
            image_size=square(image_size),
            colour=colour,
            progress=progress,
        )
