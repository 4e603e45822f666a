"""Bands that are quantised: the one learned object that is also a pair of JPEG tables.

With band weights w and a step Δ:

    s = Σ_k w_k M_k      importance of each coefficient
    q = Δ ⊘ s            quantisation table
    Z = round(X ⊘ q)     integers of the file
    X̂ = q ⊙ Z            what the decoder gets back
"""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.bands import Bands, coefficient_bands
from bandwise.frequency.coefficients import COMPONENTS, Subsampling
from bandwise.frequency.compressors.bands import normalise
from bandwise.frequency.dct import BLOCK
from bandwise.frequency.rounding import round_half_away, straight_through
from bandwise.frequency.tables import STEP_MAX, STEP_MIN, QuantTable, TableSet, flat
from bandwise.frequency.transform import blocks_to_pixels, pixels_to_blocks

_START_STEP = 16


class Compressed(NamedTuple):
    """What `QuantisedBands` returns.

    Attributes
    ----------
    pixels
        (N, C, H, W) in [0, 1]: what a decoder shows.
    quantised
        (N, blocks_y, blocks_x, 8, 8) a component: the integers of the file as floats.
    steps
        (8, 8) a component, real, 1..255: the quantisation steps before they are made integers.
    """

    pixels: Tensor
    quantised: tuple[Tensor, ...]
    steps: dict[str, Tensor]


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
    bands
        Partition of the 8×8 plane, the same for luma and chroma.
    channels
        1 for grey pixels, 3 for RGB.
    start
        Tables to start at; exact where each band is one coefficient. A chroma table is ignored for
        grey.
    learned
        False keeps the tables as they are: the static twin.
    """

    def __init__(
        self,
        bands: Bands,
        *,
        channels: int = 3,
        subsampling: Subsampling = "4:2:0",
        start: TableSet | None = None,
        learned: bool = True,
    ) -> None:
        super().__init__()
        if channels not in COMPONENTS:
            raise ConfigurationError(f"channels is 1 (grey) or 3 (RGB), got {channels}")
        if subsampling not in ("4:4:4", "4:2:0"):
            raise ConfigurationError(f"subsampling {subsampling!r}; use 4:4:4 or 4:2:0")
        self.channels = channels
        self.subsampling: Subsampling = subsampling
        start = start or TableSet(luma=flat(_START_STEP), chroma=flat(_START_STEP))
        self.luma = BandSteps(bands, start.luma)
        if channels == 1:
            self.chroma = None
        elif start.chroma is None:
            raise ConfigurationError("colour needs a chroma table to start at, got luma alone")
        else:
            self.chroma = BandSteps(bands, start.chroma)
        self.requires_grad_(learned)

    @classmethod
    def from_tables(
        cls,
        tables: TableSet,
        *,
        bands: Bands | None = None,
        subsampling: Subsampling = "4:2:0",
        learned: bool = True,
    ) -> Self:
        """Start at given tables, grey if they have no chroma; one band a coefficient by default."""
        return cls(
            coefficient_bands(BLOCK, BLOCK) if bands is None else bands,
            channels=1 if tables.chroma is None else 3,
            subsampling=subsampling,
            start=tables,
            learned=learned,
        )

    def steps(self) -> dict[str, Tensor]:
        """Real steps (8, 8) a component, limited to 1..255; the gradient passes the limits."""
        luma = _limited(self.luma())
        if self.chroma is None:
            return {"luma": luma}
        chroma = _limited(self.chroma())
        return {"luma": luma, "cb": chroma, "cr": chroma}

    @torch.no_grad()
    def tables(self) -> TableSet:
        """Quantisation tables of the steps as they are now."""
        tables = {name: QuantTable.from_steps(step.cpu()) for name, step in self.steps().items()}
        return TableSet(luma=tables["luma"], chroma=tables.get("cb"))

    def forward(self, pixels: Tensor) -> Compressed:
        """Compress and decode pixels (N, C, H, W) in [0, 1]; raises `ShapeError`."""
        if pixels.ndim != 4 or pixels.shape[1] != self.channels:
            raise ShapeError(
                f"expected pixels of shape (N, {self.channels}, H, W), got {tuple(pixels.shape)}"
            )
        steps = self.steps()
        decoded, quantised = [], []
        for blocks, real_step in zip(
            pixels_to_blocks(pixels, self.subsampling), steps.values(), strict=True
        ):
            step = straight_through(real_step, torch.round(real_step))
            values = blocks / step
            values = straight_through(values, round_half_away(values))
            quantised.append(values)
            decoded.append(values * step)
        shown = blocks_to_pixels(decoded, pixels.shape[-2:], self.subsampling)
        return Compressed(shown, tuple(quantised), steps)


def _limited(steps: Tensor) -> Tensor:
    return straight_through(steps, steps.clamp(STEP_MIN, STEP_MAX))
