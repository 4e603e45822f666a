"""Bands whose edges are learned."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bandwise.bands import Bands, Rings, normalised_frequencies, power_mean
from bandwise.compressors.base import Compressor, Normalisation, normalise
from bandwise.errors import ConfigurationError

_SHARPENING = 32
"""The first temperature divided by the last."""


class LearnedEdges(Compressor):
    """K rings (`Rings`) whose edges and exponent are learned, with their weights or without.

    Edges are the cumulative sum of gaps by softmax, ``e = cumsum(softmax(b))``, so that they ascend
    within 0 to 1 whatever is learned; the exponent is ``p = 2 · 4^tanh(c)``, between 1/2 and 8. At
    the start all gaps are equal and p = 2: on a square plane, the paper's bands.

    In training a coefficient at distance d belongs to its bands softly,

        m_k = σ((d - e_{k-1}) / τ) - σ((d - e_k) / τ)

    with the first term 1 in the first band and the last 0 in the last, which sum to 1. `anneal`
    lowers τ geometrically from 1/(4K) to 1/32 of that. Evaluation has no softness: its masks are
    those of `bands`, the limit τ → 0.

    Edges matter only as far as weights differ (``s`` has the gradient ``w_{k+1} - w_k`` with
    respect to the membership beyond an edge): they begin to move once the weights have parted.

    Parameters
    ----------
    height, width, count
        The plane, H, W ≥ 2, and the number of bands K ≥ 2.
    weights
        K weights that stay as they are, not all equal; if not given, weights are learned as those
        of `LearnedBands` are.
    normalisation
        Of weights that are learned.
    """

    larger: Tensor
    ratio: Tensor
    fixed: Tensor | None

    def __init__(
        self,
        height: int,
        width: int,
        count: int,
        *,
        weights: Sequence[float] | None = None,
        normalisation: Normalisation = "mean-one",
    ) -> None:
        super().__init__((height, width))
        if count < 2:
            raise ConfigurationError(f"edges lie between bands: at least 2 are needed, got {count}")
        larger, ratio = map(torch.from_numpy, normalised_frequencies(height, width))
        self.register_buffer("larger", larger.float(), persistent=False)
        self.register_buffer("ratio", ratio.float(), persistent=False)
        self.register_buffer("fixed", _checked(weights, count), persistent=False)
        self.normalisation: Normalisation = normalisation
        self.gaps = nn.Parameter(torch.zeros(count))
        self.bend = nn.Parameter(torch.zeros(()))
        self.logits = nn.Parameter(torch.zeros(count)) if weights is None else None
        self.anneal(0)

    def weights(self) -> Tensor:
        """Band weights, shape (K,)."""
        if self.logits is None:
            assert self.fixed is not None
            return self.fixed
        return normalise(self.logits, self.normalisation)

    def edges(self) -> Tensor:
        """Distances between neighbouring bands, shape (K-1,), ascending."""
        return _edges(self.gaps)

    def exponent(self) -> Tensor:
        """Exponent p of the distance."""
        return _exponent(self.bend)

    @torch.no_grad()
    def rings(self) -> Rings:
        """Edges and exponent as they are now, in double precision."""
        edges, exponent = _edges(self.gaps.double()), _exponent(self.bend.double())
        return Rings(edges=tuple(edges.tolist()), exponent=float(exponent))

    @property
    def bands(self) -> Bands:
        """The partition without softness; a band may hold no coefficient."""
        return self.rings().bands(*self.plane)

    def anneal(self, progress: float) -> None:
        """Set the temperature for training that is so far: 0 at its start, 1 at its end."""
        self.temperature = 1 / (4 * len(self.gaps)) / _SHARPENING**progress

    def membership(self) -> Tensor:
        """Share of each coefficient in each band at the temperature as it is, (K, H, W)."""
        distance = power_mean(self.larger, self.ratio, self.exponent())
        beyond = torch.sigmoid((distance - self.edges()[:, None, None]) / self.temperature)
        everything = torch.ones_like(distance)[None]
        return torch.cat([everything, beyond]) - torch.cat([beyond, 0 * everything])

    def importance(self, weights: Tensor) -> Tensor:
        """``s = Σ_k w_k m_k``: weights (..., K) to (..., H, W)."""
        if self.training:
            return torch.einsum("...k,khw->...hw", weights, self.membership())
        return weights[..., self.bands.index.to(weights.device)]


def _edges(gaps: Tensor) -> Tensor:
    return torch.softmax(gaps, 0).cumsum(0)[:-1].clamp(max=1)


def _exponent(bend: Tensor) -> Tensor:
    return 2 * 4 ** torch.tanh(bend)


def _checked(weights: Sequence[float] | None, count: int) -> Tensor | None:
    if weights is None:
        return None
    if len(weights) != count:
        raise ConfigurationError(f"{count} bands need {count} weights, got {len(weights)}")
    if len(set(weights)) == 1:
        raise ConfigurationError(
            f"between bands of equal weights, here {weights[0]}, edges change nothing and cannot "
            "be learned; give weights that differ, or none, to learn them too"
        )
    return torch.tensor(weights, dtype=torch.float32)
