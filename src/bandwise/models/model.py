"""A trained network and all that its use takes, in one file.

    JPEG bytes ──read──→ coefficients or pixels on one grid ──network──→ probabilities

The file is safetensors: the network's weights, and JSON that describes it:

    {"format": "bandwise-model", "schema": 1, "network": "resnet", "reads": "coefficients",
     "classes": [...], "channels": 3, "grid": [16, 16], "frequencies": [0, 1, ...],
     "provenance": {...}}
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, get_args

import torch
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.checkpoint import load_tensors, save_tensors
from bandwise.data.files import read_batch, read_pixels
from bandwise.errors import CheckpointError, ConfigurationError, JpegError
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies
from bandwise.jpeg.batch import map_in_order
from bandwise.models.classification import Reads, logits_of_batches, to_unit_range
from bandwise.models.networks.registry import build_coefficient_network, build_network, set_weights

FORMAT = "bandwise-model"
SCHEMA = 1
GRID_MAX = 8192
"""Blocks along the longest side that JPEG has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A network with its classes and with the form in which it reads images.

    Raises `ConfigurationError` where these do not fit together.

    Attributes
    ----------
    network
        Name in the registry of what it reads, or ``package.module:function``.
    reads
        Pixels in [0, 1], or a `CoefficientBatch`.
    classes
        Their names, in the order of the logits.
    channels
        1 grey, 3 colour. Files of the other kind are brought to it.
    grid
        Rows and columns of luma blocks, of 8×8 pixels, that files are brought to about their
        centre: what is over is cropped, what is missing is grey. Even for coefficients of colour.
    frequencies
        What a network on coefficients reads of each image; None for pixels.
    provenance
        Where it comes from: JSON values.
    module
        The network itself.
    """

    network: str
    reads: Reads
    classes: tuple[str, ...]
    channels: int
    grid: tuple[int, int]
    frequencies: Frequencies | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    module: nn.Module

    def __post_init__(self) -> None:
        of_coefficients = self.reads == "coefficients"
        requirements = {
            f"the network is a name, got {self.network!r}": isinstance(self.network, str),
            f"a model reads pixels or coefficients, got {self.reads!r}": (
                self.reads in get_args(Reads)
            ),
            f"classes are two or more different names, got {self.classes!r}": (
                all(isinstance(name, str) for name in self.classes)
                and len({*self.classes}) == len(self.classes) > 1
            ),
            f"channels are 1 or 3, got {self.channels!r}": self.channels in (1, 3),
            f"the grid is two numbers of blocks from 1 to {GRID_MAX}, got {self.grid!r}": (
                len(self.grid) == 2
                and all(isinstance(side, int) and 1 <= side <= GRID_MAX for side in self.grid)
            ),
            "frequencies are given for coefficients, and for them alone": (
                of_coefficients == (self.frequencies is not None)
            ),
        }
        for requirement, met in requirements.items():
            if not met:
                raise ConfigurationError(textwrap.shorten(requirement, 200))
        if of_coefficients and self.channels == 3 and any(side % 2 for side in self.grid):
            raise ConfigurationError(f"with colour the grid is even, got {self.grid}")
        if self.channels == 1 and self.reads_chroma:
            raise ConfigurationError("a model of grey images cannot keep frequencies of chroma")

    @property
    def reads_chroma(self) -> bool:
        """Whether it is a network on coefficients that keeps some of chroma."""
        return self.frequencies is not None and bool(self.frequencies.chroma)

    @property
    def description(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "network": self.network,
            "reads": self.reads,
            "classes": list(self.classes),
            "channels": self.channels,
            "grid": list(self.grid),
            "frequencies": None if self.frequencies is None else list(self.frequencies.kept),
            "provenance": dict(self.provenance),
        }

    def save(self, path: Path) -> None:
        """Write the model to a file, atomically; `OutputError` where that cannot be done."""
        save_tensors(path, self.module.state_dict(), self.description)

    @classmethod
    def load(cls, path: Path, *, own_network: str | None = None) -> Self:
        """Read what :meth:`save` wrote, ready for evaluation.

        Raises `CheckpointError` where the file is missing, damaged, no model or of a newer version
        of bandwise, or its network is not built in and not ``own_network``.

        Parameters
        ----------
        own_network
            ``package.module:function`` where the network is your own. A file does not get to choose
            which code is imported: one that names another function is refused.
        """
        described, weights = cls._read_file(path)
        if ":" in described.network and described.network != own_network:
            raise CheckpointError(
                f"{path}: its network is {described.network!r}, which is no part of bandwise; if "
                "you trust that code, name it when you load the model (--network on the command "
                "line)"
            )
        try:
            module = described._untrained()
        except ConfigurationError as error:
            raise CheckpointError(f"{path}: {error}") from error
        misfit = f"{path} does not hold the weights of {described.network} as it describes it"
        set_weights(module, weights, misfit)
        return replace(described, module=module)

    @classmethod
    def describe(cls, path: Path) -> Self:
        """Read what a file says of its model, whoever's network it is: that is not built.

        ``module`` is an ``nn.Identity``. Raises `CheckpointError` as :meth:`load`.
        """
        return cls._read_file(path)[0]

    @classmethod
    def _read_file(cls, path: Path) -> tuple[Self, dict[str, Tensor]]:
        try:
            weights, description = load_tensors(path)
        except CheckpointError as error:
            raise CheckpointError(
                f"{path} is missing, damaged or no model that bandwise wrote ({error.__cause__}); "
                "give the model.safetensors of `bandwise train`"
            ) from error
        if description.get("format") != FORMAT or description.get("schema") != SCHEMA:
            raise CheckpointError(
                f"{path}: expected the format {FORMAT!r} of schema {SCHEMA}, got "
                f"{description.get('format')!r} of schema {description.get('schema')!r}; give a "
                "model, or upgrade bandwise where it is newer"
            )
        try:
            kept = description["frequencies"]
            described = cls(
                network=description["network"],
                reads=description["reads"],
                classes=tuple(description["classes"]),
                channels=description["channels"],
                grid=tuple(description["grid"]),
                frequencies=None if kept is None else Frequencies(tuple(kept)),
                provenance=dict(description["provenance"]),
                module=nn.Identity(),
            )
        except KeyError as error:
            raise CheckpointError(f"{path}: its description lacks {error}") from error
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: {error}") from error
        return described, weights

    def read(
        self, files: Sequence[bytes], *, threads: int | None = None
    ) -> Tensor | CoefficientBatch:
        """JPEG files as the network takes them, on the model's grid and in its channels.

        Pixels are (N, channels, 8 · rows, 8 · columns). Orientation in EXIF is not applied. Raises
        `JpegError` when a file is damaged or not supported; the message begins with its index.

        Parameters
        ----------
        threads
            Threads that read; None for one a core.
        """
        if self.reads == "coefficients":
            channels = 3 if self.reads_chroma else 1
            return read_batch(files, channels=channels, grid=self.grid, threads=threads)
        pixels_u8 = read_pixels(files, channels=self.channels, grid=self.grid, threads=threads)
        return to_unit_range(pixels_u8)

    def check(self, data: bytes) -> None:
        """Read a file alone and forget it; `JpegError` says why that cannot be done."""
        if self.reads == "coefficients":
            jpeg.read_coefficients(data)
        else:
            jpeg.decode(data)

    def probabilities(
        self,
        files: Sequence[bytes],
        *,
        batch_size: int = 64,
        threads: int | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """Probability of each class, (N, classes) on the CPU, of JPEG files; see `read`.

        Raises `JpegError` when a file is damaged or not supported; the message begins with its
        index.
        """

        def batches() -> Iterator[Tensor | CoefficientBatch]:
            for start in range(0, len(files), batch_size):
                yield self.read(files[start : start + batch_size], threads=threads)

        if not files:
            return torch.empty(0, len(self.classes))
        try:
            logits = logits_of_batches(
                self.module, batches(), device=device, num_classes=len(self.classes)
            )
        except JpegError:
            map_in_order(self.check, files, threads)  # names the file
            raise
        return logits.softmax(1)

    def _untrained(self) -> nn.Module:
        if self.frequencies is None:
            return build_network(
                self.network, num_classes=len(self.classes), channels=self.channels
            )
        return build_coefficient_network(
            self.network, num_classes=len(self.classes), frequencies=self.frequencies
        )
