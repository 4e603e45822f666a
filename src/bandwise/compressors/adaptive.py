"""Band weights that depend on the image."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.bands import Bands
from bandwise.compressors.base import FixedBands, Normalisation, normalise
from bandwise.errors import ShapeError

HIDDEN = 16
"""Units of the hidden layer if not given."""

_FLOOR = 1 / (12 * 255**2)
"""Added to energies before the logarithm: the variance of rounding to 8 bits, below which there is
nothing to see."""


class AdaptiveBands(FixedBands):
    """Weights ``w = softmax(a + g(x))`` of each image, which start uniform.

    ``x`` is the logarithm of the image's energy in each band, its mean squared coefficient, brought
    to mean 0 and variance 1 over the bands: a change of contrast does not move the weights of an
    image whose energies are well above rounding. ``g`` is linear, ReLU, linear without bias, which
    ``a`` is, and tanh: before weights are normalised, an image moves each by a factor of e at most,
    up or down, so that g cannot run away with all weight to one band. Its last layer starts at
    zero, so that training starts with the weights of `LearnedBands`, and takes the mean over hidden
    units, not their sum: Adam, whose steps are alike for all parameters, then moves g about as far
    as a at first. `weights_of` is all that encoding needs; `flops` is what it costs.

    Parameters
    ----------
    bands, normalisation
        As of `LearnedBands`.
    hidden
        Units of g's hidden layer.
    """

    averaging: Tensor

    def __init__(
        self, bands: Bands, *, normalisation: Normalisation = "mean-one", hidden: int = HIDDEN
    ) -> None:
        super().__init__(bands)
        self.normalisation: Normalisation = normalisation
        masks = bands.masks().flatten(1).float()
        averaging = (masks / masks.sum(1, keepdim=True).clamp(min=1)).T.contiguous()
        self.register_buffer("averaging", averaging, persistent=False)
        self.logits = nn.Parameter(torch.zeros(bands.count))
        self.first = nn.Linear(bands.count, hidden)
        self.last = nn.Linear(hidden, bands.count, bias=False)
        nn.init.zeros_(self.last.weight)

    def weights(self) -> Tensor:
        """Band weights (K,) where g adds nothing."""
        return normalise(self.logits, self.normalisation)

    def weights_of(self, coefficients: Tensor) -> Tensor:
        """Band weights (N, K) of images (N, ..., H, W); raises `ShapeError`."""
        if coefficients.ndim < 3:
            raise ShapeError(
                "weights that depend on the image need images (N, ..., H, W), got "
                f"{tuple(coefficients.shape)}"
            )
        planes = coefficients.square().reshape(len(coefficients), -1, len(self.averaging))
        energies = planes.mean(1) @ self.averaging
        seen = F.layer_norm((energies + _FLOOR).log(), self.logits.shape)
        moved = torch.tanh(self.last(F.relu(self.first(seen))) / self.first.out_features)
        return normalise(self.logits + moved, self.normalisation)

    def flops(self, planes: int = 1) -> int:
        """Additions and multiplications to find the weights of an image of so many planes."""
        coefficients, count = self.averaging.shape
        network = 2 * (self.first.weight.numel() + self.last.weight.numel())
        return 2 * coefficients * (planes + count) + network
