"""A network's logits on images as files decode to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise.errors import ShapeError
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.images import to_planes


def to_unit_range(pixels_u8: Tensor) -> Tensor:
    """(N, C, H, W) uint8 to float32 in [0, 1], channels last in memory, as networks read it."""
    return pixels_u8.to(torch.float32).div_(255).contiguous(memory_format=torch.channels_last)


def planes_of(pixels_u8: NDArray[np.uint8]) -> Tensor:
    """Decoded image, (H, W) grey or (H, W, 3) RGB, as networks take it: contiguous (C, H, W)."""
    return torch.from_numpy(np.array(to_planes(pixels_u8)))


def divergences(logits: Tensor, original_logits: Tensor) -> Tensor:
    """KL(original ‖ changed) of the class probabilities of each image, (N,), in nats.

    Both are (N, classes); rounding may leave a result a little below 0.
    """
    changed, original = F.log_softmax(logits, dim=1), F.log_softmax(original_logits, dim=1)
    return F.kl_div(changed, original, reduction="none", log_target=True).sum(1)


def logits_of(
    network: nn.Module,
    pixels_u8: Tensor,
    *,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    num_classes: int | None = None,
) -> Tensor:
    """Logits (N, classes) on the CPU of uint8 images (N, C, H, W), in evaluation mode.

    Raises `ShapeError` as `logits_of_batches`.
    """
    batches = (to_unit_range(part.to(device)) for part in pixels_u8.split(batch_size))
    return logits_of_batches(network, batches, device=device, num_classes=num_classes)


@torch.inference_mode()
def logits_of_batches(
    network: nn.Module,
    batches: Iterable[Tensor | CoefficientBatch],
    *,
    device: torch.device | str = "cpu",
    num_classes: int | None = None,
) -> Tensor:
    """Logits (N, classes) on the CPU of batches of what the network reads, in evaluation mode.

    Raises `ShapeError` when the network does not return one row of logits an image, or, where
    ``num_classes`` is given, another number of logits.
    """
    network.to(device).eval()
    parts = []
    for batch in batches:
        images = batch.images if isinstance(batch, CoefficientBatch) else len(batch)
        logits = network(batch.to(device))
        if (
            not isinstance(logits, Tensor)
            or logits.ndim != 2
            or len(logits) != images
            or num_classes not in (None, logits.shape[1])
        ):
            got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ShapeError(
                f"the network has to return logits of shape ({images}, "
                f"{num_classes or 'classes'}), it returned {got}; is it made for these classes?"
            )
        parts.append(logits.float().cpu())
    return torch.cat(parts)
