"""``bandwise export``: a trained model as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bandwise.cli import options as opt
from bandwise.cli.output import say


def export(
    model: opt.Model,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The ONNX file.")],
    network: opt.OwnNetwork = None,
) -> None:
    """Write a trained model as an ONNX file, for programs without PyTorch.

    The file holds the network with its selection of frequencies, and takes any number of images:
    dequantised coefficients of their blocks, luma (N, 64, rows, columns) and chroma
    (N, 128, rows / 2, columns / 2), or pixels in [0, 1]. Classes and the grid are in its metadata.

    Example: bandwise export model.safetensors model.onnx
    """
    # PyTorch takes seconds to import, which help and usage errors do not wait for.
    from bandwise.models.model import Model
    from bandwise.models.onnx import export_onnx

    loaded = Model.load(model, own_network=network)
    inputs = export_onnx(loaded, out)
    shapes = ", ".join(f"{name} ({', '.join(map(str, shape))})" for name, shape in inputs.items())
    say(f"{shapes} → logits (N, {len(loaded.classes)}): {out}, {out.stat().st_size:,} bytes")
