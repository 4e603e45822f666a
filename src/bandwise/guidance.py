"""For each image the smallest file that leaves a network's output as it is.

    pixels ──every profile of a ladder──→ files ──decode──→ network ──→ KL(original || file) each
                                                                 smallest file with KL ≤ tolerance

Images differ more in what they can lose than frequencies do, so a quality for each image saves what
one for all cannot. The network is asked at the encoder; it sees the image and never its label.
Files stay standard JPEG: they differ in their tables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.errors import ConfigurationError, EncodingError
from bandwise.profile import Profile
from bandwise.tasks import divergences, logits_of, planes_of

Encode = Callable[[NDArray[np.uint8], Profile], bytes]

PIXELS_AT_ONCE = 2**22
"""Pixels that the network is shown at once, so that memory does not grow with the ladder."""


@dataclass(frozen=True)
class Rungs:
    """The files of one image, one a profile, their divergence in nats, and the class of each."""

    files: tuple[bytes, ...]
    divergences: tuple[float, ...]
    decisions: tuple[int, ...]

    def chosen(self, tolerance: float) -> int:
        """Index of the smallest file within the tolerance; where none is, of the least divergent.

        The first of equals.
        """
        within = [index for index, nats in enumerate(self.divergences) if nats <= tolerance]
        if not within:
            return int(np.argmin(self.divergences))
        return min(within, key=lambda index: len(self.files[index]))

    def choose(self, tolerance: float) -> bytes:
        """File of the index that is chosen."""
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
    encode
        Writes the file of an image (height, width) or (height, width, 3) uint8 with a profile.

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
        encode: Encode,
        device: torch.device | str = "cpu",
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
        self._encode = encode
        self._device = device
        self._lock = threading.Lock()

    def rungs(self, pixels_u8: NDArray[np.uint8]) -> Rungs:
        """Every file of an image and its divergence; safe to call from several threads.

        Raises `EncodingError` for an image that the profiles are not for, that the network cannot
        read at its size, or on which its output is not finite; and what ``encode`` raises.
        """
        files = tuple(self._encode(pixels_u8, profile) for profile in self.profiles)
        shown = chain((pixels_u8,), map(jpeg.decode, files))
        height, width = pixels_u8.shape[:2]
        at_once = max(1, PIXELS_AT_ONCE // (height * width))
        parts = []
        while part := list(islice(shown, at_once)):
            parts.append(self._logits(part))
        logits = torch.cat(parts).double()
        if not logits.isfinite().all():
            raise EncodingError("the network's output is not finite, so no file can be chosen")
        nats = divergences(logits[1:], logits[:1].expand(len(files), -1)).clamp(min=0)
        return Rungs(files, tuple(nats.tolist()), tuple(logits[1:].argmax(1).tolist()))

    def _logits(self, shown: Sequence[NDArray[np.uint8]]) -> Tensor:
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


class GuidedChoice:
    """The profile of each image: the smallest file within a tolerance in nats."""

    def __init__(self, guide: Guide, tolerance: float) -> None:
        if not tolerance >= 0:
            raise ConfigurationError(f"the tolerance is 0 nats or more, got {tolerance}")
        self.profiles = guide.profiles
        self._guide = guide
        self._tolerance = tolerance

    def profile_for(self, pixels_u8: NDArray[np.uint8]) -> Profile:
        """Profile for an image (height, width) or (height, width, 3); raises as `Guide.rungs`."""
        return self.profiles[self._guide.rungs(pixels_u8).chosen(self._tolerance)]


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
