"""A network's logits on images as files decode to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bandwise.errors import ShapeError


def to_unit_range(pixels_u8: Tensor) -> Tensor:
    """(N, C, H, W) uint8 to float32 in [0, 1], channels last in memory, as networks read it."""
    return pixels_u8.to(torch.float32).div_(255).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def logits_of(
    network: nn.Module,
    pixels_u8: Tensor,
    *,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    num_classes: int | None = None,
) -> Tensor:
    """Logits (N, classes) on the CPU of uint8 images (N, C, H, W), in evaluation mode.

    Raises
    ------
    ShapeError
        When the network does not return one row of logits an image, or, where ``num_classes`` is
        given, another number of logits.
    """
    network.to(device).eval()
    parts = []
    for batch in pixels_u8.split(batch_size):
        logits = network(to_unit_range(batch.to(device)))
        if (
            not isinstance(logits, Tensor)
            or logits.ndim != 2
            or len(logits) != len(batch)
            or num_classes not in (None, logits.shape[1])
        ):
            got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ShapeError(
                f"the network has to return logits of shape ({len(batch)}, "
                f"{num_classes or 'classes'}), it returned {got}; is it made for these classes?"
            )
        parts.append(logits.float().cpu())
    return torch.cat(parts)
