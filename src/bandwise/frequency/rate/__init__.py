"""Differentiable bits: what quantised coefficients cost in a file.

    quantised integers ──estimate_bits──→ bits of each image: its own symbols and Huffman codes
    unquantised blocks ──RateCurves.measure──→ bits and squared error by frequency and step

An estimate is for learning; a reported rate is counted in real files.
"""

from bandwise.frequency.rate.curves import RateCurves
from bandwise.frequency.rate.symbols import estimate_bits

__all__ = ["RateCurves", "estimate_bits"]
