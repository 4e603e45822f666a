"""Compressors: coefficients in, weighted coefficients and the band weights out.

A compressor weighs DCT coefficients by bands. It knows nothing of tasks.
"""

from bandwise.compressors.adaptive import AdaptiveBands
from bandwise.compressors.base import Compressor, FixedBands, Normalisation, Weighted
from bandwise.compressors.edges import LearnedEdges
from bandwise.compressors.learned import LearnedBands
from bandwise.compressors.quantised import Compressed, QuantisedBands
from bandwise.compressors.static import StaticBands

__all__ = [
    "AdaptiveBands",
    "Compressed",
    "Compressor",
    "FixedBands",
    "LearnedBands",
    "LearnedEdges",
    "Normalisation",
    "QuantisedBands",
    "StaticBands",
    "Weighted",
]
