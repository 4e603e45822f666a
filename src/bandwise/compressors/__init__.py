"""Compressors: coefficients in, weighted coefficients and the band weights out.

A compressor weighs DCT coefficients by bands. It knows nothing of tasks.
"""

from bandwise.compressors.base import Compressor, Normalisation, Weighted
from bandwise.compressors.learned import LearnedBands
from bandwise.compressors.quantised import Compressed, QuantisedBands
from bandwise.compressors.static import StaticBands

__all__ = [
    "Compressed",
    "Compressor",
    "LearnedBands",
    "Normalisation",
    "QuantisedBands",
    "StaticBands",
    "Weighted",
]
