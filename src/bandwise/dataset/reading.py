"""The bytes of any image file to upright 8-bit pixels and the ICC profile that fits them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bandwise import jpeg
from bandwise.errors import JpegError, JpegUnavailableError, UnreadableImageError
from bandwise.images import on_white, open_image, upright
from bandwise.jpeg.limits import DEFAULT_LIMITS
from bandwise.jpeg.markers import EXIF_PREFIX, ICC_PREFIX, metadata, segments

Alpha = Literal["white", "refuse"]

_JPEG_START = b"\xff\xd8\xff"
_SCAN = b"\xff\xda"
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
    than 64 Mi pixels or 100 scans, animated or of several pages, or holds 32-bit values.
    """
    if not data:
        raise UnreadableImageError("the file is empty")
    _refuse_scans(data)
    return _plain_jpeg(data) or _any_image(data, alpha)


def _plain_jpeg(data: bytes) -> Picture | None:
    """A JPEG file by libjpeg alone, twice as fast; None for what is better left to Pillow.

    That is what libjpeg complains of, and a file with EXIF, which may have it turned.
    """
    if not data.startswith(_JPEG_START) or EXIF_PREFIX in data:
        return None
    try:
        icc = metadata(data)[0] if ICC_PREFIX in data else None
        pixels_u8 = jpeg.decode(data)
    except (JpegError, JpegUnavailableError):
        return None
    return Picture(pixels_u8=pixels_u8, icc=_fitting(icc, grey=pixels_u8.ndim == 2))


def _any_image(data: bytes, alpha: Alpha) -> Picture:
    with open_image(io.BytesIO(data), "the file") as file:
        _refuse_frames(file)
        icc = file.info.get("icc_profile")
        image = upright(file, "the file")
        if alpha == "refuse" and image.mode in ("LA", "RGBA"):
            raise UnreadableImageError(
                "the file has transparent pixels, which JPEG cannot hold; lay it on a background"
            )
        image = on_white(image)
    return Picture(pixels_u8=np.asarray(image), icc=_fitting(icc, grey=image.mode == "L"))


def _refuse_scans(data: bytes) -> None:
    """Refuse a progressive JPEG of so many scans that decoding it takes minutes."""
    limit = DEFAULT_LIMITS.max_scans
    if not data.startswith(_JPEG_START) or data.count(_SCAN) <= limit:
        return
    try:
        scans = sum(segment.marker == _SCAN[1] for segment in segments(data))
    except JpegError:
        scans = data.count(_SCAN)
    if scans > limit:
        raise UnreadableImageError(
            f"the file is a JPEG of {scans} scans, more than the limit of {limit}; "
            "write it as a baseline file"
        )


def _refuse_frames(file: Image.Image) -> None:
    """Refuse animations and pages; a camera's MPO file has previews behind its one picture."""
    # Not how many: counting the pages of a hostile TIFF takes quadratic time.
    if getattr(file, "is_animated", False) and file.format != "MPO":
        raise UnreadableImageError(
            "the file is an animation or a document of several pages; save them as single images"
        )


def _fitting(icc: bytes | None, *, grey: bool) -> bytes | None:
    """The ICC profile where it is one for values of this kind (ICC.1:2022, 7.2.8), else None."""
    if icc is None or icc[_ICC_SIGNATURE] != b"acsp":
        return None
    return icc if icc[_ICC_COLOUR_SPACE] == (b"GRAY" if grey else b"RGB ") else None
