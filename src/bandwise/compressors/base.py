"""The contract that all compressors share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from bandwise.bands import Bands, Rings
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
        The band weights ``w``: (K,), or (N, K) where each image has its own.
    scale
        The importance ``s`` of each coefficient: (H, W), or (N, 1, ..., H, W).
    """

    coefficients: Tensor
    weights: Tensor
    scale: Tensor


class Compressor(nn.Module, ABC):
    """Weighs the coefficients of a plane by bands."""

    def __init__(self, plane: tuple[int, int]) -> None:
        super().__init__()
        self.plane = plane

    @property
    @abstractmethod
    def bands(self) -> Bands:
        """The partition, as it is now."""

    @abstractmethod
    def weights(self) -> Tensor:
        """Band weights w, shape (K,): of every image, or of none in particular."""

    @abstractmethod
    def importance(self, weights: Tensor) -> Tensor:
        """``s = Σ_k w_k M_k``: weights (..., K) to (..., H, W)."""

    def weights_of(self, coefficients: Tensor) -> Tensor:  # noqa: ARG002
        """Band weights of images (N, ..., H, W): (K,), or (N, K) where each has its own."""
        return self.weights()

    def rings(self) -> Rings | None:
        """Edges and exponent of the bands where these are learned."""
        return None

    def anneal(self, progress: float) -> None:
        """Hear how far training is, from 0 in its first epoch to 1 in its last."""

    def scale(self) -> Tensor:
        """Importance of each coefficient by `weights`, shape (H, W)."""
        return self.importance(self.weights())

    def forward(self, coefficients: Tensor) -> Weighted:
        """Weigh coefficients (..., H, W).

        Raises
        ------
        ShapeError
            If the plane is not the one that the bands partition.
        """
        if coefficients.shape[-2:] != self.plane:
            raise ShapeError(
                f"this compressor has bands on a {self.plane[0]}×{self.plane[1]} "
                f"plane, but got coefficients of shape {tuple(coefficients.shape)}"
            )
        weights = self.weights_of(coefficients)
        scale = self.importance(weights)
        if weights.ndim == 2:
            scale = scale.reshape(-1, *[1] * (coefficients.ndim - 3), *self.plane)
        return Weighted(coefficients * scale, weights, scale)


class FixedBands(Compressor):
    """Weighs by a partition that stays as it is."""

    index: Tensor

    def __init__(self, bands: Bands) -> None:
        super().__init__(bands.shape)
        self._bands = bands
        self.register_buffer("index", bands.index, persistent=False)

    @property
    def bands(self) -> Bands:
        """The partition."""
        return self._bands

    def importance(self, weights: Tensor) -> Tensor:
        """``s = Σ_k w_k M_k``: weights (..., K) to (..., H, W)."""
        scale: Tensor = weights.index_select(-1, self.index.flatten()).unflatten(-1, self.plane)
        return scale


def normalise(logits: Tensor, normalisation: Normalisation) -> Tensor:
    """Band weights (..., K) from unconstrained values (..., K)."""
    weights = torch.softmax(logits, dim=-1)
    return weights if normalisation == "softmax" else weights * logits.shape[-1]
