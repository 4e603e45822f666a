"""JPEG bytes ↔ coefficients and pixels: a small native binding of libjpeg-turbo.

    bytes ──read_coefficients──→ Coefficients ──write_coefficients──→ bytes
    bytes ──decode──→ pixels ──encode──→ bytes

In memory, the interpreter lock released while libjpeg works. The extension is loaded at first use;
`available` says whether it is there.
"""

from bandwise.jpeg.batch import decode_batch, read_coefficients_batch, read_into
from bandwise.jpeg.limits import Limits
from bandwise.jpeg.markers import payload_bytes
from bandwise.jpeg.native import available, library_version
from bandwise.jpeg.reading import decode, read_coefficients
from bandwise.jpeg.trellis import ac_code_bits, optimise_blocks, round_blocks
from bandwise.jpeg.writing import Coding, encode, pixels_to_coefficients, write_coefficients

__all__ = [
    "Coding",
    "Limits",
    "ac_code_bits",
    "available",
    "decode",
    "decode_batch",
    "encode",
    "library_version",
    "optimise_blocks",
    "payload_bytes",
    "pixels_to_coefficients",
    "read_coefficients",
    "read_coefficients_batch",
    "read_into",
    "round_blocks",
    "write_coefficients",
]
