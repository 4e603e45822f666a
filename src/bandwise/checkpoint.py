"""Named tensors with JSON beside them in one safetensors file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from bandwise.errors import CheckpointError
from bandwise.files import write_atomically

_METADATA_KEY = "bandwise"
_LEAST_SECONDS = 0.3
"""What writing is taken to cost at least: a hundredth of the time is every half a minute then."""


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and JSON-able metadata to one file, atomically."""
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = json.dumps(metadata, sort_keys=True)
    write_atomically(path, safetensors.torch.save(contiguous, {_METADATA_KEY: text}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises `CheckpointError` if the file is missing, truncated or was written by something else.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})[_METADATA_KEY])
            if not isinstance(metadata, dict):
                raise ValueError("its metadata is no object")
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (OSError, KeyError, ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} is not a readable checkpoint ({error}); delete it to start again"
        ) from error


class Pace:
    """Says when to write a checkpoint, so that writing takes a given share of the time at most."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._cost = _LEAST_SECONDS
        self._written = time.monotonic()

    def due(self) -> bool:
        """Whether enough time has passed since the last one."""
        return time.monotonic() - self._written >= self._cost / self._share

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measure the writing of one, within this context."""
        started = time.monotonic()
        yield
        self._written = time.monotonic()
        self._cost = max(_LEAST_SECONDS, self._written - started)
