"""What learning would say of a payload: the estimate from its own forward pass, not from a file."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bandwise.compressors.quantised import QuantisedBands
from bandwise.evaluation.codecs import Quantisation
from bandwise.rate import estimate_bits
from bandwise.tables import TableSet
from bandwise.tasks import to_unit_range

_BITS = 8


@torch.no_grad()
def estimated_payload_bytes(
    quantisation: Quantisation,
    *,
    pixels_u8: Tensor,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
) -> float:
    """Bytes of entropy-coded data of all images (N, C, H, W) uint8 together, not calibrated."""
    tables, subsampling = quantisation
    if pixels_u8.shape[1] == 1:
        tables = TableSet(luma=tables.luma)
    compressor = QuantisedBands.from_tables(tables, subsampling=subsampling, learned=False)
    compressor.to(device).eval()
    bits = [
        estimate_bits(
            compressor(to_unit_range(batch.to(device))).quantised, subsampling=subsampling
        )
        for batch in pixels_u8.split(batch_size)
    ]
    return math.fsum(float(part.double().sum()) for part in bits) / _BITS
