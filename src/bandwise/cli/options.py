"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Colour(StrEnum):
    """How images of a folder are read."""

    GREY = "grey"
    RGB = "rgb"


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


DatasetArgument = Annotated[
    str, typer.Argument(help="A folder of images by class, `mnist`, `fashion-mnist` or `digits`.")
]
NetworkOption = Annotated[
    str,
    typer.Option(help="`resnet`, `plain-cnn`, `small-cnn`, or your own `package.module:function`."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(help="The network's weights, safetensors; trained first if not given."),
]
ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A trained model, one safetensors file.")
]
OwnNetworkOption = Annotated[
    str | None,
    typer.Option(
        help="The `package.module:function` of a model whose network is your own: code that a file "
        "names is not run unasked."
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(help="Where the data set lies; otherwise $BANDWISE_DATA, cache, download."),
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(
        help="Side in pixels to which images of a folder are scaled and centre-cropped; if not "
        "given, the shortest side of all, rounded down to a multiple of 8."
    ),
]
JpegFolderArgument = Annotated[
    Path, typer.Argument(help="A folder of .jpg files by class, such as `encode` makes.")
]
BlockSizeOption = Annotated[
    int | None,
    typer.Option(
        help="Side in pixels, a multiple of 16, that images are cropped or filled up to, block by "
        "block; needed where they differ in size."
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="`auto` takes a GPU where PyTorch sees one.")]


def device_name(device: Device) -> str:
    """Device for PyTorch; `ConfigurationError` where CUDA was asked for and is not there."""
    import torch

    from bandwise.errors import ConfigurationError

    available = torch.cuda.is_available()
    if device is Device.CUDA and not available:
        raise ConfigurationError(
            "--device cuda was asked for, but PyTorch sees no CUDA device; use --device cpu"
        )
    return "cuda" if available and device is not Device.CPU else "cpu"
