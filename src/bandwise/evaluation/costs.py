"""What every file that an image could become does to it: bytes and divergence, image by image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.encoding import encode_pixels
from bandwise.evaluation.codecs import as_array
from bandwise.profile import Profile
from bandwise.results import available_cores
from bandwise.tasks import divergences, logits_of, planes_of

_CHUNK = 256


class Costs(NamedTuple):
    """Costs of N images at R rungs.

    Attributes
    ----------
    size_bytes
        (N, R) int64: bytes of the files.
    divergence
        (N, R) float64: of the network's output on the decoded file from that on the original, nats.
    """

    size_bytes: Tensor
    divergence: Tensor


def rung_costs(
    ladders: Sequence[Sequence[Profile]],
    members: Sequence[int],
    pixels_u8: Tensor,
    network: nn.Module,
    *,
    device: torch.device | str = "cpu",
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Costs:
    """Encode every image with each rung of its ladder, decode, and ask the network.

    Parameters
    ----------
    ladders
        M ladders of R profiles.
    members
        Of each image the index of its ladder.
    pixels_u8
        (N, C, H, W) uint8.
    progress
        Hears how many images are done.
    """
    original = logits_of(network, pixels_u8, device=device).double()
    sizes, nats = [], []
    with ThreadPoolExecutor(threads or available_cores()) as pool:
        for index in torch.arange(len(pixels_u8)).split(_CHUNK):

            def coded(image: int) -> tuple[list[int], Tensor]:
                array = as_array(pixels_u8[image])
                files = [encode_pixels(array, profile) for profile in ladders[members[image]]]
                shown = torch.stack([planes_of(jpeg.decode(file)) for file in files])
                return [len(file) for file in files], shown

            chunk = list(pool.map(coded, index.tolist()))
            sizes += [each for each, _ in chunk]
            rungs = len(chunk[0][0])
            shown = torch.cat([each for _, each in chunk])
            logits = logits_of(network, shown, device=device).double()
            found = divergences(logits, original[index].repeat_interleave(rungs, 0))
            nats.append(found.clamp(min=0).view(-1, rungs))
            progress(int(index[-1]) + 1)
    return Costs(torch.tensor(sizes), torch.cat(nats))
