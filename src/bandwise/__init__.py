"""bandwise learns which image frequencies a network needs and stops paying for the rest."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bandwise.errors import BandwiseError

if TYPE_CHECKING:
    from bandwise.frequency.bands import Bands, coefficient_bands, radial_bands, zigzag_bands
    from bandwise.frequency.compressors import Compressor, LearnedBands, StaticBands
    from bandwise.frequency.dct import block_dct2, block_idct2, dct2, idct2
    from bandwise.models.classification import Classification
    from bandwise.training.config import TrainingConfig
    from bandwise.training.paper import fit, train

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

_MODULES = (
    "frequency.bands",
    "training.config",
    "frequency.dct",
    "frequency.compressors",
    "models.classification",
    "training.paper",
)
"""Where these names live; those that do without PyTorch, which takes seconds to import, first."""


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name in __all__:
        for module in _MODULES:
            value = getattr(import_module(f"bandwise.{module}"), name, None)
            if value is not None:
                globals()[name] = value
                return value
    raise AttributeError(f"module 'bandwise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
