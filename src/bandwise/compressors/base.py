"""The contract that all compressors share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from bandwise.bands import Bands
from bandwise.errors import ShapeError

Normalisation = Literal["softmax", "mean-one"]
"""``softmax``: weights sum to 1 (the paper). ``mean-one``: the same times K, so their mean is 1
and a change of importance is not also a change of scale."""


class Weighted(NamedTuple):
    """What a compressor returns.

    Attributes
    ----------
    coefficients
        (N, ..., H, W): ``X_c = X ⊙ s`` with ``s = Σ_k w_k M_k`` (Eq. 2 and 4 of the paper).
    weights
        (K,): the band weights ``w``.
    scale
        (H, W): the importance ``s`` of each coefficient.
    """

    coefficients: Tensor
    weights: Tensor
    scale: Tensor


class Compressor(nn.Module, ABC):
    """Weighs the coefficients of a plane by bands."""

    index: Tensor

    def __init__(self, bands: Bands) -> None:
        super().__init__()
        self.bands = bands
        self.register_buffer("index", bands.index, persistent=False)

    @abstractmethod
    def weights(self) -> Tensor:
        """Band weights w, shape (K,)."""

    def scale(self) -> Tensor:
        """Importance of each coefficient ``s = Σ_k w_k M_k``, shape (H, W)."""
        return self.weights()[self.index]

    def forward(self, coefficients: Tensor) -> Weighted:
        """Weigh coefficients (..., H, W).

        Raises
        ------
        ShapeError
            If the plane is not the one that the bands partition.
        """
        if coefficients.shape[-2:] != self.index.shape:
            raise ShapeError(
                f"this compressor has bands on a {self.bands.shape[0]}×{self.bands.shape[1]} "
                f"plane, but got coefficients of shape {tuple(coefficients.shape)}"
            )
        weights = self.weights()
        scale = weights[self.index]
        return Weighted(coefficients * scale, weights, scale)


def normalise(logits: Tensor, normalisation: Normalisation) -> Tensor:
    """Band weights (K,) from unconstrained values (K,)."""
    weights = torch.softmax(logits, dim=0)
    return weights if normalisation == "softmax" else weights * logits.numel()
