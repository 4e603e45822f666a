"""A model as an ONNX file, for programs that do without PyTorch."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bandwise.errors import ConfigurationError
from bandwise.files import write_atomically
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.tables import BLOCK, FREQUENCIES
from bandwise.models.model import Model

BATCH = "N"
"""Name of the dimension of images, which is of any size."""


def export_onnx(model: Model, path: Path) -> dict[str, tuple[str | int, ...]]:
    """Write a model's network, with its selection of frequencies, to an ONNX file, atomically.

    Inputs are float32 on the model's grid: ``luma`` (N, 64, rows, columns) and, where some chroma
    is kept, ``chroma`` (N, 128, rows / 2, columns / 2), dequantised as in a `CoefficientBatch`; or
    ``pixels`` (N, channels, 8 · rows, 8 · columns) in [0, 1]. The output is ``logits`` (N,
    classes). The file's metadata holds the model's description, a JSON value each. Raises
    `ConfigurationError` where the packages that write ONNX are not installed; `OutputError` where
    the file cannot be written. Returns shapes of the inputs by name.
    """
    onnx = _library()
    examples = _examples(model)
    network = copy.deepcopy(model.module).cpu().eval()
    program = _traced(network if "pixels" in examples else _OnPlanes(network), examples)
    exported = program.model_proto
    _forget_sources(exported.graph)
    facts = {name: json.dumps(value) for name, value in model.description.items()}
    onnx.helper.set_model_props(exported, facts)
    write_atomically(path, exported.SerializeToString())
    return {name: (BATCH, *example.shape[1:]) for name, example in examples.items()}


class _OnPlanes(nn.Module):
    """A network on coefficients whose inputs are the planes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, luma: Tensor, chroma: Tensor | None = None) -> Tensor:
        logits: Tensor = self.network(CoefficientBatch(luma, chroma))
        return logits


def _examples(model: Model) -> dict[str, Tensor]:
    """An input of each name; of two images, because one would be taken for a constant."""
    rows, columns = model.grid
    if model.reads == "pixels":
        return {"pixels": torch.zeros(2, model.channels, rows * BLOCK, columns * BLOCK)}
    luma = torch.zeros(2, FREQUENCIES, rows, columns)
    if not model.reads_chroma:
        return {"luma": luma}
    return {"luma": luma, "chroma": torch.zeros(2, 2 * FREQUENCIES, rows // 2, columns // 2)}


def _traced(network: nn.Module, examples: dict[str, Tensor]) -> Any:
    # PyTorch's exporter warns of its own use of what it deprecates, and of packages not needed.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        return torch.onnx.export(
            network.eval().requires_grad_(),  # else layers take a fused path that ONNX lacks
            tuple(examples.values()),
            input_names=[*examples],
            output_names=["logits"],
            dynamic_shapes=tuple({0: torch.export.Dim(BATCH)} for _ in examples),
            dynamo=True,
            verbose=False,
        )


def _forget_sources(graph: Any) -> None:
    """Drop what the exporter notes of the source code's lines and folders."""
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")


def _library() -> Any:
    try:
        import_module("onnxscript")
        return import_module("onnx")
    except ImportError as error:
        raise ConfigurationError(
            f"ONNX files need the packages onnx and onnxscript ({error}); install bandwise[onnx]"
        ) from error
