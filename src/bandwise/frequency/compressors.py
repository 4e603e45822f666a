"""Compressors: coefficients in, weighted coefficients and the band weights out.

A `Compressor` weighs the DCT coefficients of a plane by bands: the paper's static baseline and its
learned method. `QuantisedBands` makes of band weights w and a step Δ a pair of JPEG tables:

    s = Σ_k w_k M_k      importance of each coefficient
    q = Δ ⊘ s            quantisation table
    Z = round(X ⊘ q)     integers of the file
    X̂ = q ⊙ Z            what the decoder gets back
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.bands import Bands, coefficient_bands
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import BLOCK, STEP_MAX, STEP_MIN, QuantTable, TableSet
from bandwise.frequency.transform import (
    blocks_to_pixels,
    pixels_to_blocks,
    round_half_away,
    straight_through,
)

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

    def forward(self, coefficients: Tensor) -> Weighted:
        """Weigh coefficients (..., H, W).

        Raises `ShapeError` if the plane is not the one that the bands partition.
        """
        if coefficients.shape[-2:] != self.bands.shape:
            raise ShapeError(
                f"this compressor has bands on a {self.bands.shape[0]}×{self.bands.shape[1]} "
                f"plane, but got coefficients of shape {tuple(coefficients.shape)}"
            )
        weights = self.weights()
        scale: Tensor = weights.index_select(0, self.index.flatten()).unflatten(0, self.bands.shape)
        return Weighted(coefficients * scale, weights, scale)


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


class Compressed(NamedTuple):
    """What `QuantisedBands` returns.

    Attributes
    ----------
    pixels
        (N, C, H, W) in [0, 1]: what a decoder shows.
    quantised
        (N, blocks_y, blocks_x, 8, 8) a component: the integers of the file as floats.
    """

    pixels: Tensor
    quantised: tuple[Tensor, ...]


class BandSteps(nn.Module):
    """Quantisation steps ``q = Δ ⊘ s`` of one table; starts at the given steps (8, 8).

    Bands of several coefficients start at the geometric mean of their steps.
    """

    index: Tensor

    def __init__(self, bands: Bands, start: QuantTable) -> None:
        super().__init__()
        if bands.shape != (BLOCK, BLOCK):
            raise ShapeError(
                f"a quantisation table needs bands on an 8×8 plane, got {bands.shape[0]}×"
                f"{bands.shape[1]}"
            )
        self.register_buffer("index", bands.index, persistent=False)
        log_steps = torch.tensor(start.values, dtype=torch.float64).log()
        sums = log_steps.new_zeros(bands.count).index_add_(0, bands.index.flatten(), log_steps)
        logits = -sums / bands.sizes
        # q = Δ / s with s = K · softmax(a) = K · exp(a) / Σ exp(a), and q = exp(-a)
        log_step = bands.count * torch.ones((), dtype=torch.float64)
        self.logits = nn.Parameter((logits - logits.mean()).float())
        self.log_step = nn.Parameter((log_step.log() - torch.logsumexp(logits, 0)).float())

    def forward(self) -> Tensor:
        """Steps (8, 8), positive, not yet limited to what a table can hold."""
        return self.log_step.exp() / normalise(self.logits, "mean-one")[self.index]


class QuantisedBands(nn.Module):
    """JPEG with learned tables, differentiable: pixels in, decoded pixels and integers out.

    Steps and values are the integers of a file with `tables()`, with the gradient of the identity
    (straight-through), so that the pixels are those of the decoded file but for rare roundings
    within libjpeg's integer transforms.

    Parameters
    ----------
    start
        Tables to start at, for grey images if they have no chroma; exact where each band is one
        coefficient.
    bands
        Partition of the 8×8 plane, the same for luma and chroma; one band a coefficient if not
        given.
    subsampling
        4:4:4 or 4:2:0.
    """

    def __init__(
        self, start: TableSet, *, bands: Bands | None = None, subsampling: Subsampling = "4:2:0"
    ) -> None:
        super().__init__()
        if subsampling not in ("4:4:4", "4:2:0"):
            raise ConfigurationError(f"subsampling {subsampling!r}; use 4:4:4 or 4:2:0")
        self.subsampling: Subsampling = subsampling
        bands = bands or coefficient_bands(BLOCK, BLOCK)
        self.luma = BandSteps(bands, start.luma)
        self.chroma = None if start.chroma is None else BandSteps(bands, start.chroma)

    def steps(self) -> list[Tensor]:
        """Real steps (8, 8) a component, limited to 1..255; the gradient passes the limits."""
        luma = _limited(self.luma())
        if self.chroma is None:
            return [luma]
        chroma = _limited(self.chroma())
        return [luma, chroma, chroma]

    @torch.no_grad()
    def tables(self) -> TableSet:
        """Quantisation tables of the steps as they are now."""
        luma, *chroma = (QuantTable.from_steps(step.cpu()) for step in self.steps())
        return TableSet(luma=luma, chroma=chroma[0] if chroma else None)

    def forward(self, pixels: Tensor) -> Compressed:
        """Compress and decode pixels (N, C, H, W) in [0, 1]; raises `ShapeError`."""
        steps = self.steps()
        if pixels.ndim != 4 or pixels.shape[1] != len(steps):
            raise ShapeError(
                f"expected pixels of shape (N, {len(steps)}, H, W), got {tuple(pixels.shape)}"
            )
        decoded, quantised = [], []
        for blocks, real_step in zip(
            pixels_to_blocks(pixels, self.subsampling), steps, strict=True
        ):
            step = straight_through(real_step, torch.round(real_step))
            values = blocks / step
            values = straight_through(values, round_half_away(values))
            quantised.append(values)
            decoded.append(values * step)
        shown = blocks_to_pixels(decoded, pixels.shape[-2:], self.subsampling)
        return Compressed(shown, tuple(quantised))


def _limited(steps: Tensor) -> Tensor:
    return straight_through(steps, steps.clamp(STEP_MIN, STEP_MAX))
