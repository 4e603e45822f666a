"""Image classification: from DCT coefficients, and logits on images as files decode to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct import idct2
from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.images import to_planes

Reads = Literal["coefficients", "pixels"]
"""What a network reads of an image."""


class Classification(nn.Module):
    """A classifier with cross-entropy as its loss and top-1 accuracy as its metric.

    Parameters
    ----------
    network
        Maps (N, C, H, W) to logits (N, classes).
    reads
        ``"coefficients"`` hands the network the coefficients, as the paper does; ``"pixels"``
        hands it their inverse DCT, which suits any ordinary image network.
    """

    def __init__(self, network: nn.Module, *, reads: Reads = "coefficients") -> None:
        super().__init__()
        if reads not in ("coefficients", "pixels"):
            raise ConfigurationError(f"reads must be 'coefficients' or 'pixels', got {reads!r}")
        self.network = network
        self.reads: Reads = reads

    def forward(self, coefficients: Tensor) -> Tensor:
        """Logits (N, classes) of coefficients (N, C, H, W)."""
        inputs = coefficients if self.reads == "coefficients" else idct2(coefficients)
        logits: Tensor = self.network(inputs)
        if logits.ndim != 2 or logits.shape[0] != coefficients.shape[0]:
            raise ShapeError(
                f"a classifier must return logits of shape ({coefficients.shape[0]}, classes), "
                f"the network returned {tuple(logits.shape)}"
            )
        return logits

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy in nats of logits (N, classes) and labels (N,)."""
        return F.cross_entropy(logits, labels)

    def correct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N,) bool: where the largest logit is the label's."""
        return logits.argmax(dim=1) == labels


def per_class_accuracy(correct: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Share of correct predictions in each class.

    Returns (num_classes,) float64; NaN for a class without samples.

    Parameters
    ----------
    correct
        (N,) bool.
    labels
        (N,) int64.
    """
    hits = torch.bincount(labels[correct], minlength=num_classes)
    return hits.double() / torch.bincount(labels, minlength=num_classes)


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
