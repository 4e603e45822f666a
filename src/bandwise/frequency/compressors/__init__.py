"""Compressors: coefficients in, weighted coefficients and the band weights out.

A compressor weighs DCT coefficients by bands. It knows nothing of tasks.
"""

from bandwise.frequency.compressors.bands import (
    Compressor,
    LearnedBands,
    Normalisation,
    StaticBands,
    Weighted,
)
from bandwise.frequency.compressors.quantised import Compressed, QuantisedBands

__all__ = [
    "Compressed",
    "Compressor",
    "LearnedBands",
    "Normalisation",
    "QuantisedBands",
    "StaticBands",
    "Weighted",
]
