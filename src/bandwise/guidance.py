"""For each image the smallest file that leaves a network's output as it is.

    pixels ──every profile of a ladder──→ files ──decode──→ network ──→ KL(original || file) each
                                                                 smallest file with KL ≤ tolerance

Images differ more in what they can lose than frequencies do, so a quality for each image saves what
one for all cannot. The network is asked at the encoder; it sees the image and never its label.
Files stay standard JPEG: they differ in their tables.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.encoding import Container, EncodedImage, encode_pixels
from bandwise.errors import ConfigurationError, EncodingError
from bandwise.profile import Profile

if TYPE_CHECKING:  # PyTorch takes seconds to import: only who asks a network waits for it
    import torch
    from torch import Tensor, nn

PIXELS_AT_ONCE = 2**22
"""Pixels that the network is shown at once, so that memory does not grow with the ladder."""


@dataclass(frozen=True)
class Rungs:
    """The files of one image, one a profile, and the divergence in nats that each causes."""

    files: tuple[bytes, ...]
    divergences: tuple[float, ...]

    def chosen(self, tolerance: float) -> int:
        """Index of the smallest file within the tolerance; where none is, of the least divergent.

        The first of equals.
        """
        within = [index for index, nats in enumerate(self.divergences) if nats <= tolerance]
        if not within:
            return int(np.argmin(self.divergences))
        return min(within, key=lambda index: len(self.files[index]))

    def choose(self, tolerance: float) -> bytes:
        """File of the chosen index."""
        return self.files[self.chosen(tolerance)]


class Guide:
    """Measures what each profile of a ladder does to a network's output on an image.

    Parameters
    ----------
    profiles
        At least one; they differ in their tables. All are for grey images, or all for colour.
    network
        Maps pixels (N, C, H, W) in [0, 1] to logits (N, classes); C is 1 for profiles for grey, 3
        for colour, where a grey image is shown three times.
    pixels_at_once
        Pixels that the network is shown at once.

    Raises
    ------
    ConfigurationError
        Without a profile, or where some are for grey images and some for colour.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        network: nn.Module,
        *,
        device: torch.device | str = "cpu",
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        if not profiles:
            raise ConfigurationError("a ladder needs at least one profile")
        if len({profile.components for profile in profiles}) > 1:
            raise ConfigurationError(
                "some profiles of the ladder are for grey images alone and some for colour; "
                "use those that were learned from the same images"
            )
        self.profiles = tuple(profiles)
        self._network = network.eval()
        self._device = device
        self._pixels_at_once = pixels_at_once
        self._lock = threading.Lock()

    def rungs(self, pixels_u8: NDArray[np.uint8], *, icc: bytes | None = None) -> Rungs:
        """Every file of an image and its divergence; safe to call from several threads.

        Raises `EncodingError` for an image that the profiles are not for, that the network cannot
        read at its size, or on which its output is not finite; and what `encode_pixels` raises.
        """
        import torch

        from bandwise.models.classification import divergences

        files = tuple(encode_pixels(pixels_u8, profile, icc=icc) for profile in self.profiles)
        shown = chain((pixels_u8,), map(jpeg.decode, files))
        height, width = pixels_u8.shape[:2]
        at_once = max(1, self._pixels_at_once // (height * width))
        parts = []
        while part := list(islice(shown, at_once)):
            parts.append(self._logits(part))
        logits = torch.cat(parts).double()
        if not logits.isfinite().all():
            raise EncodingError("the network's output is not finite, so no file can be chosen")
        nats = divergences(logits[1:], logits[:1].expand(len(files), -1)).clamp(min=0)
        return Rungs(files, tuple(nats.tolist()))

    def _logits(self, shown: Sequence[NDArray[np.uint8]]) -> Tensor:
        import torch

        from bandwise.models.classification import logits_of, planes_of

        channels = len(self.profiles[0].components)
        batch = torch.stack([planes_of(each).expand(channels, -1, -1) for each in shown])
        try:
            with self._lock:
                return logits_of(self._network, batch, batch_size=len(batch), device=self._device)
        except RuntimeError as error:
            height, width = batch.shape[-2:]
            reason = str(error).partition("\n")[0]
            raise EncodingError(
                f"the network cannot read an image of {width}×{height}: {reason}"
            ) from error


@dataclass(frozen=True, kw_only=True)
class GuidedEncoder:
    """Writes each image as the smallest file within a tolerance: an `ImageEncoder`.

    The network is loaded when the first image comes, in whichever process that is, so that an
    encoder travels to other processes without it.

    Attributes
    ----------
    network, weights
        Name of a built-in network, or ``package.module:function``, and its weights as safetensors.
    tolerance
        Nats by which a file may change the network's output.
    container
        How the chosen file is stored; files are compared in the smallest container.
    """

    profiles: Sequence[Profile]
    network: str
    weights: Path
    tolerance: float
    container: Container = "smallest"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ConfigurationError(f"the tolerance is 0 nats or more, got {self.tolerance}")

    @property
    def settings(self) -> dict[str, Any]:
        """What determines the bytes beside the profiles."""
        with self.weights.open("rb") as stream:
            weights_sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return {
            "container": self.container,
            "network": self.network,
            "weights_sha256": weights_sha256,
            "tolerance": self.tolerance,
        }

    @cached_property
    def guide(self) -> Guide:
        """The loaded network; raises where network, weights and profiles do not fit together."""
        import torch

        from bandwise.models.networks.registry import load_network

        if parent_process() is not None:  # one of a process a core
            torch.set_num_threads(1)
        network = load_network(
            self.network,
            self.weights,
            num_classes=num_classes_of(self.profiles),
            channels=len(self.profiles[0].components),
        )
        return Guide(self.profiles, network, device=self.device)

    def encode(
        self,
        pixels_u8: NDArray[np.uint8],
        *,
        icc: bytes | None = None,
        source: bytes | None = None,  # noqa: ARG002
    ) -> EncodedImage:
        """Return the chosen file; raises as `Guide.rungs`."""
        rungs = self.guide.rungs(pixels_u8, icc=icc)
        chosen = rungs.chosen(self.tolerance)
        if self.container == "smallest":
            return EncodedImage(rungs.files[chosen])
        profile = self.profiles[chosen]
        return EncodedImage(encode_pixels(pixels_u8, profile, container=self.container, icc=icc))

    def __getstate__(self) -> dict[str, Any]:
        """All but the network, which other processes load for themselves."""
        return {name: value for name, value in vars(self).items() if name != "guide"}


def num_classes_of(profiles: Sequence[Profile]) -> int:
    """Classes of the network that profiles were learned for, by their provenance.

    Raises `ConfigurationError` where a profile does not say, or they differ.
    """
    found = {profile.name: profile.provenance.get("num_classes") for profile in profiles}
    for name, classes in found.items():
        if type(classes) is not int or classes < 1:
            raise ConfigurationError(
                f"the profile {name!r} does not say for how many classes it was learned "
                '("num_classes" in its provenance); use profiles of `bandwise learn`'
            )
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name!r} {classes}" for name, classes in found.items())
        raise ConfigurationError(
            f"the profiles were learned for networks of different numbers of classes ({told}); "
            "use those of one network"
        )
    return int(next(iter(found.values())) or 0)
