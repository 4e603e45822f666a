"""How large an untrusted JPEG may be."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bandwise.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on one JPEG file; beyond them reading raises `JpegLimitError`.

    max_pixels: width × height. max_bytes: the file. max_scans: scans of a progressive or
    sequential file. max_memory_bytes: decoder memory, and an estimate made before anything is
    allocated (two int16 copies of all coefficients).
    """

    max_pixels: int = 64 * 2**20
    max_bytes: int = 256 * 2**20
    max_scans: int = 100
    max_memory_bytes: int = 2**30

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 1 <= value < 2**31:
                raise ConfigurationError(f"{field.name} is an integer 1..2**31 - 1, got {value!r}")


DEFAULT_LIMITS = Limits()
