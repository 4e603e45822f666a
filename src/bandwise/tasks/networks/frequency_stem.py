"""The front of every network on coefficients: choose, weigh and standardise frequencies."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bandwise.dct_domain import CoefficientBatch, FrequencyStatistics
from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequencies import Frequencies


class FrequencySelection(nn.Module):
    """Keep some frequencies, standardise them, and multiply each by its learned weight.

    Weights are ``softmax(a)`` scaled to mean one over the kept frequencies, as band weights are
    elsewhere, each frequency being a band; all are one at first. Only what is kept is computed.

    Parameters
    ----------
    frequencies
        What is kept.
    """

    mean: Tensor
    scale: Tensor
    luma: Tensor
    chroma: Tensor

    def __init__(self, frequencies: Frequencies) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.logits = nn.Parameter(torch.zeros(len(frequencies)))
        self.register_buffer("mean", torch.zeros(len(frequencies)))
        self.register_buffer("scale", torch.ones(len(frequencies)))
        for name, chosen in (("luma", frequencies.luma), ("chroma", frequencies.chroma)):
            index = torch.tensor(chosen, dtype=torch.int64)
            self.register_buffer(name, index, persistent=False)

    def standardise(self, statistics: FrequencyStatistics) -> None:
        """Take the mean and deviation of a data set's frequencies, (64,) or (192,).

        A deviation below one level counts as one: what the files hardly hold is not blown up.
        """
        kept = torch.tensor(self.frequencies.kept)
        if int(kept[-1]) >= len(statistics.mean):
            raise ConfigurationError(
                f"frequency {int(kept[-1])} is kept, and the images have {len(statistics.mean)}"
            )
        self.mean.copy_(statistics.mean[kept])
        self.scale.copy_(statistics.deviation[kept].clamp(min=1).reciprocal())

    def weights(self) -> Tensor:
        """Weights of the kept frequencies, mean one."""
        return torch.softmax(self.logits, 0) * len(self.frequencies)

    def forward(self, batch: CoefficientBatch) -> tuple[Tensor, Tensor | None]:
        """Kept and standardised channels of luma, and of chroma if any is kept."""
        scale = self.scale * self.weights()
        shift = self.mean * scale
        split = len(self.frequencies.luma)
        luma = _scaled(_chosen(batch.luma, self.luma), scale[:split], shift[:split])
        if split == len(self.frequencies):
            return luma, None
        if batch.chroma is None:
            raise ShapeError("this network reads colour images, got grey ones")
        chroma = _scaled(_chosen(batch.chroma, self.chroma), scale[split:], shift[split:])
        return luma, chroma


def _chosen(plane: Tensor, index: Tensor) -> Tensor:
    return plane if len(index) == plane.shape[1] else plane.index_select(1, index)


def _scaled(plane: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return plane * scale.view(-1, 1, 1) - shift.view(-1, 1, 1)
