"""Band weights that do not change."""

from __future__ import annotations

import torch
from torch import Tensor

from bandwise.bands import Bands
from bandwise.compressors.base import FixedBands, Normalisation


class StaticBands(FixedBands):
    """Uniform weights.

    ``softmax`` gives 1/K each, the paper's baseline, which divides the network's input by K.
    ``mean-one`` gives 1 each, which is no weighting at all.
    """

    fixed: Tensor

    def __init__(self, bands: Bands, *, normalisation: Normalisation = "mean-one") -> None:
        super().__init__(bands)
        self.normalisation: Normalisation = normalisation
        weight = 1.0 if normalisation == "mean-one" else 1 / bands.count
        self.register_buffer("fixed", torch.full((bands.count,), weight), persistent=False)

    def weights(self) -> Tensor:
        """Band weights, shape (K,)."""
        return self.fixed
