"""Band weights on coefficients: the contract, the static baseline and the learned method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from bandwise.errors import ShapeError
from bandwise.frequency.bands import Bands

Normalisation = Literal["softmax", "mean-one"]
"""``softmax``: weights sum to 1 (the paper). ``mean-one``: the same times K, so their mean is 1
and a change of importance is not also a change of scale."""


class Weighted(NamedTuple):
    """What a compressor returns.

    Attributes
    ----------
    coefficients
        (..., H, W): ``X_c = X ⊙ s`` with ``s = Σ_k w_k M_k`` (Eq. 2 and 4 of the paper).
    weights
        (K,): the band weights ``w``.
    scale
        (H, W): the importance ``s`` of each coefficient.
    """

    coefficients: Tensor
    weights: Tensor
    scale: Tensor


class Compressor(nn.Module, ABC):
    """Weighs the coefficients of a plane by bands.

    Parameters
    ----------
    bands
        The partition, which stays as it is.
    """

    index: Tensor

    def __init__(self, bands: Bands, *, normalisation: Normalisation = "mean-one") -> None:
        super().__init__()
        self.bands = bands
        self.normalisation: Normalisation = normalisation
        self.register_buffer("index", bands.index, persistent=False)

    @abstractmethod
    def weights(self) -> Tensor:
        """Band weights w, shape (K,)."""

    def scale(self) -> Tensor:
        """Importance of each coefficient ``s = Σ_k w_k M_k``, shape (H, W)."""
        return self._scale(self.weights())

    def forward(self, coefficients: Tensor) -> Weighted:
        """Weigh coefficients (..., H, W).

        Raises
        ------
        ShapeError
            If the plane is not the one that the bands partition.
        """
        if coefficients.shape[-2:] != self.bands.shape:
            raise ShapeError(
                f"this compressor has bands on a {self.bands.shape[0]}×{self.bands.shape[1]} "
                f"plane, but got coefficients of shape {tuple(coefficients.shape)}"
            )
        weights = self.weights()
        scale = self._scale(weights)
        return Weighted(coefficients * scale, weights, scale)

    def _scale(self, weights: Tensor) -> Tensor:
        scale: Tensor = weights.index_select(0, self.index.flatten()).unflatten(0, self.bands.shape)
        return scale


class StaticBands(Compressor):
    """Uniform weights.

    ``softmax`` gives 1/K each, the paper's baseline, which divides the network's input by K.
    ``mean-one`` gives 1 each, which is no weighting at all.
    """

    fixed: Tensor

    def __init__(self, bands: Bands, *, normalisation: Normalisation = "mean-one") -> None:
        super().__init__(bands, normalisation=normalisation)
        weight = 1.0 if normalisation == "mean-one" else 1 / bands.count
        self.register_buffer("fixed", torch.full((bands.count,), weight), persistent=False)

    def weights(self) -> Tensor:
        """Band weights, shape (K,)."""
        return self.fixed


class LearnedBands(Compressor):
    """Weights ``w = softmax(a)`` with learned ``a``, which start uniform.

    The paper uses ``softmax``; ``mean-one`` multiplies by K, so that learning moves importance
    between bands without changing the scale of the network's input.
    """

    def __init__(self, bands: Bands, *, normalisation: Normalisation = "mean-one") -> None:
        super().__init__(bands, normalisation=normalisation)
        self.logits = nn.Parameter(torch.zeros(bands.count))

    def weights(self) -> Tensor:
        """Band weights, shape (K,), differentiable with respect to ``logits``."""
        return normalise(self.logits, self.normalisation)


def normalise(logits: Tensor, normalisation: Normalisation) -> Tensor:
    """Band weights (K,) from unconstrained values (K,)."""
    weights = torch.softmax(logits, dim=0)
    return weights if normalisation == "softmax" else weights * len(logits)
