"""bandwise learns which image frequencies a network needs and stops paying for the rest."""

from typing import TYPE_CHECKING

from bandwise.errors import BandwiseError
from bandwise.lazy import lazy_exports

if TYPE_CHECKING:
    from bandwise.frequency.bands import Bands, coefficient_bands, radial_bands, zigzag_bands
    from bandwise.frequency.compressors import (
        Compressor,
        LearnedBands,
        StaticBands,
    )
    from bandwise.frequency.dct import block_dct2, block_idct2, dct2, idct2
    from bandwise.models import Classification
    from bandwise.training import TrainingConfig, fit, train

__all__ = [
    "Bands",
    "BandwiseError",
    "Classification",
    "Compressor",
    "LearnedBands",
    "StaticBands",
    "TrainingConfig",
    "block_dct2",
    "block_idct2",
    "coefficient_bands",
    "dct2",
    "fit",
    "idct2",
    "radial_bands",
    "train",
    "zigzag_bands",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "bandwise.frequency.bands": (
            "Bands",
            "coefficient_bands",
            "radial_bands",
            "zigzag_bands",
        ),
        "bandwise.frequency.compressors": (
            "Compressor",
            "LearnedBands",
            "StaticBands",
        ),
        "bandwise.frequency.dct": ("block_dct2", "block_idct2", "dct2", "idct2"),
        "bandwise.models": ("Classification",),
        "bandwise.training": ("TrainingConfig", "fit", "train"),
    },
)
