"""Named tensors with JSON beside them in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from bandwise.errors import CheckpointError
from bandwise.files import write_atomically

_METADATA_KEY = "bandwise"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and JSON-able metadata to one file, atomically."""
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = json.dumps(metadata, sort_keys=True)
    write_atomically(path, safetensors.torch.save(contiguous, {_METADATA_KEY: text}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises
    ------
    CheckpointError
        If the file is missing, truncated or was written by something else.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})[_METADATA_KEY])
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (OSError, KeyError, ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} is not a readable checkpoint ({error}); delete it to start again"
        ) from error
