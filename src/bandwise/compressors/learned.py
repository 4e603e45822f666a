"""Band weights that are learned with the task."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bandwise.bands import Bands
from bandwise.compressors.base import FixedBands, Normalisation, normalise


class LearnedBands(FixedBands):
    """Weights ``w = softmax(a)`` with learned ``a``, which start uniform.

    The paper uses ``softmax``; ``mean-one`` multiplies by K, so that learning moves importance
    between bands without changing the scale of the network's input.
    """

    def __init__(self, bands: Bands, *, normalisation: Normalisation = "mean-one") -> None:
        super().__init__(bands)
        self.normalisation: Normalisation = normalisation
        self.logits = nn.Parameter(torch.zeros(bands.count))

    def weights(self) -> Tensor:
        """Band weights, shape (K,), differentiable with respect to ``logits``."""
        return normalise(self.logits, self.normalisation)
