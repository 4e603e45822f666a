"""Image files, opened safely through Pillow and brought to upright 8-bit pixels.

A list of formats and a limit on pixels stand before the decoder, because files are not trusted.
ICC profiles are not applied: values are taken as sRGB, as training code customarily does.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bandwise.errors import UnreadableImageError

Colour = Literal["grey", "rgb"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF")
MAX_PIXELS = 64 * 1024 * 1024

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def check_memory() -> None:
    """Raise `MemoryError` where there is no room for the largest picture.

    Decoders that find no memory often say that the file is damaged.
    """
    np.empty(4 * MAX_PIXELS, np.uint8)  # address space alone: nothing is written


@contextmanager
def open_image(source: Path | BinaryIO, name: str) -> Iterator[Image.Image]:
    """Open an image; whatever Pillow raises until the end becomes an `UnreadableImageError`.

    `name` begins the message: "NAME is not an image of an accepted format ...". An image of more
    than 64 Mi pixels is refused before it is decoded.
    """
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImageError(
                    f"{name} has {image.width}×{image.height} pixels, more than the limit of "
                    f"{MAX_PIXELS}; scale it down or remove it"
                )
            yield image
    except (UnreadableImageError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"{name} is not an image of an accepted format ({', '.join(FORMATS)}), or its header "
            "is damaged; replace it or remove it"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(
            f"{name} has too many pixels (limit {MAX_PIXELS}); scale it down or remove it"
        ) from error
    # Damaged files make Pillow's decoders raise nearly any exception type.
    except Exception as error:
        raise UnreadableImageError(
            f"{name} cannot be decoded ({error}); replace it or remove it"
        ) from error


@functools.cache
def image_suffixes() -> frozenset[str]:
    """Suffixes, in lower case with their dot, that files of the accepted formats have."""
    extensions = Image.registered_extensions()
    return frozenset(suffix for suffix, kind in extensions.items() if kind in FORMATS)


def turn(image: Image.Image) -> Image.Transpose | None:
    """What makes an opened image upright by its EXIF orientation; None: it is, or does not say."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata is no reason to refuse the pixels
        return None


def upright(image: Image.Image, name: str) -> Image.Image:
    """Decode an opened image and turn it as its EXIF orientation says.

    Returns mode L or RGB, or LA or RGBA where some pixel is not opaque. 16-bit values are scaled to
    8 bits, CMYK is converted without its ICC profile. Raises `UnreadableImageError` for 32-bit
    values of no fixed range.
    """
    # Pillow scales every PGM of more than 8 bits to 0..65535.
    is_16_bit = image.mode.startswith("I;16") or (image.mode, image.format) == ("I", "PPM")
    image.load()
    if (needed := turn(image)) is not None:
        image = image.transpose(needed)
    if is_16_bit:
        image = _scaled_to_8_bits(image)
    elif image.mode in ("I", "F"):
        raise UnreadableImageError(
            f"{name} holds 32-bit values (Pillow mode {image.mode}) of no fixed range; "
            "save it with 8 or 16 bits a channel"
        )
    opaque = "L" if image.mode in ("1", "L", "LA") else "RGB"
    if image.has_transparency_data:
        image = image.convert(opaque + "A")
        if np.asarray(image.getchannel("A")).min() < 255:
            return image
    return image.convert(opaque)


def on_white(image: Image.Image) -> Image.Image:
    """Lay what `upright` gives on white: mode L or RGB, as the image is grey or not."""
    if image.mode not in ("LA", "RGBA"):
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert(image.mode[:-1])


def short_side(path: Path) -> int:
    """Shorter side of an image in pixels, read from its header alone.

    Raises `UnreadableImageError` as `decode_file`, as far as the header shows it.
    """
    with open_image(path, str(path)) as image:
        return min(image.size)


def decode_file(path: Path, *, height: int, width: int, colour: Colour) -> NDArray[np.uint8]:
    """Decode, turn upright, convert, scale to cover (height, width) and crop about the centre.

    Of an animation or a multi-page file the first frame is taken. Transparent pixels are laid on
    white, 16-bit grey is scaled to 8 bits, grey is ITU-R BT.601 luma. Scaling is Lanczos and keeps
    the aspect ratio; an image whose short side already fits is cropped without resampling. Raises
    `UnreadableImageError` when the file is no image of an accepted format, is damaged or truncated,
    has more than 64 Mi pixels, or holds 32-bit values of no fixed range. Returns (C, height, width)
    uint8, C = 1 for grey and 3 for RGB.
    """
    with open_image(path, str(path)) as image:
        converted = on_white(upright(image, str(path))).convert("L" if colour == "grey" else "RGB")
        return to_planes(np.asarray(_cover(converted, height=height, width=width)))


def to_planes(pixels_u8: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """View pixels as files decode to, (H, W) grey or (H, W, 3) RGB, as planes (C, H, W)."""
    return pixels_u8[None] if pixels_u8.ndim == 2 else pixels_u8.transpose(2, 0, 1)


def from_planes(planes_u8: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contiguous pixels, (H, W) grey or (H, W, 3) RGB, of planes (C, H, W)."""
    grey = len(planes_u8) == 1
    return np.ascontiguousarray(planes_u8[0] if grey else planes_u8.transpose(1, 2, 0))


def _cover(image: Image.Image, *, height: int, width: int) -> Image.Image:
    scale = max(height / image.height, width / image.width)
    if scale == 1:
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))
    margin_x = max(0.0, (image.width - width / scale) / 2)
    margin_y = max(0.0, (image.height - height / scale) / 2)
    box = (margin_x, margin_y, image.width - margin_x, image.height - margin_y)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Mode L, or LA where one of the 16-bit values means transparency."""
    values = np.asarray(image).astype(np.uint32)
    grey = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    transparent = image.info.get("transparency")
    if transparent is None:
        return grey
    alpha = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))
