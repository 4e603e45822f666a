"""Image classification from DCT coefficients."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct import idct2

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
