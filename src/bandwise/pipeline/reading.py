"""The bytes of any image file to upright 8-bit pixels and the ICC profile that fits them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bandwise.errors import UnreadableImageError
from bandwise.images import on_white, open_image, upright

Alpha = Literal["white", "refuse"]

_ICC_COLOUR_SPACE = slice(16, 20)
_ICC_SIGNATURE = slice(36, 40)


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Pixels, uint8 (height, width) grey or (height, width, 3) RGB, and their ICC profile."""

    pixels_u8: NDArray[np.uint8]
    icc: bytes | None = None


def read_picture(data: bytes, *, alpha: Alpha = "white") -> Picture:
    """Decode an image file: one picture, upright, 8 bits a channel.

    Grey files stay grey, all others become RGB: CMYK by Pillow's plain formula, without its ICC
    profile. A profile is kept where its colour space is that of the pixels, else left out; all
    other metadata is left out. Transparent pixels are laid on white, or refused. Raises
    `UnreadableImageError` for what is no image of an accepted format, damaged, truncated, of more
    than 64 Mi pixels, animated or of several pages, or holds 32-bit values.
    """
    if not data:
        raise UnreadableImageError("the file is empty")
    with open_image(io.BytesIO(data), "the file") as file:
        _refuse_frames(file)
        icc = file.info.get("icc_profile")
        image = upright(file, "the file")
        if alpha == "refuse" and image.mode in ("LA", "RGBA"):
            raise UnreadableImageError(
                "the file has transparent pixels, which JPEG cannot hold; lay it on a background"
            )
        image = on_white(image)
    fits = icc and _colour_space(icc) == (b"GRAY" if image.mode == "L" else b"RGB ")
    return Picture(pixels_u8=np.asarray(image), icc=icc if fits else None)


def _refuse_frames(file: Image.Image) -> None:
    """Refuse animations and pages; a camera's MPO file has previews behind its one picture."""
    frames = getattr(file, "n_frames", 1)
    if frames > 1 and file.format != "MPO":
        raise UnreadableImageError(
            f"the file is an animation or a document of {frames} frames; "
            "save the frames as single images"
        )


def _colour_space(icc: bytes) -> bytes | None:
    """Colour space of the values that a profile is for (ICC.1:2022, 7.2.8); None: no profile."""
    return icc[_ICC_COLOUR_SPACE] if icc[_ICC_SIGNATURE] == b"acsp" else None
