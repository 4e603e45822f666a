"""One image file to one array of fixed size, through Pillow.

A list of formats and a limit on pixels stand before the decoder, because files are not trusted.
ICC profiles are not applied: values are taken as sRGB, as training code customarily does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from bandwise.errors import UnreadableImageError

Colour = Literal["grey", "rgb"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF")
MAX_PIXELS = 64 * 1024 * 1024


def short_side(path: Path) -> int:
    """Shorter side of an image in pixels, read from its header alone.

    Raises
    ------
    UnreadableImageError
        As `decode`, as far as the header shows it.
    """
    with _opened(path) as image:
        return min(image.size)


def decode(path: Path, *, height: int, width: int, colour: Colour) -> npt.NDArray[np.uint8]:
    """Decode, turn upright, convert, scale to cover (height, width) and crop about the centre.

    Of an animation or a multi-page file the first frame is taken. Transparent pixels are laid on
    white, 16-bit grey is scaled to 8 bits, grey is ITU-R BT.601 luma. Scaling is Lanczos and
    keeps the aspect ratio; an image whose short side already fits is cropped without resampling.

    Returns
    -------
    (C, height, width) uint8, C = 1 for grey and 3 for RGB.

    Raises
    ------
    UnreadableImageError
        When the file is no image of an accepted format, is damaged or truncated, has more than
        64 Mi pixels, or holds 32-bit values of no fixed range.
    """
    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        fitted = _cover(_convert(upright, path, colour), height=height, width=width)
    pixels = np.asarray(fitted)
    return pixels[None] if colour == "grey" else np.moveaxis(pixels, -1, 0)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image, turning whatever Pillow raises meanwhile into an UnreadableImageError."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_pixel_count(path, *image.size)
            yield image
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"{path} is not an image of an accepted format ({', '.join(FORMATS)}), or its header "
            "is damaged; replace it or move it out of the class folder"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(
            f"{path} has too many pixels (limit {MAX_PIXELS}); scale it down or remove it"
        ) from error
    # Damaged files make Pillow's decoders raise nearly any exception type.
    except Exception as error:
        raise UnreadableImageError(
            f"{path} cannot be decoded ({error}); replace it or remove it"
        ) from error


def _check_pixel_count(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(
            f"{path} has {width}×{height} pixels, more than the limit of {MAX_PIXELS}; "
            "scale it down or remove it"
        )


def _convert(image: Image.Image, path: Path, colour: Colour) -> Image.Image:
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise UnreadableImageError(
            f"{path} holds 32-bit values (Pillow mode {image.mode}) of no fixed range; "
            "save it with 8 or 16 bits a channel"
        )
    elif image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return image.convert("L" if colour == "grey" else "RGB")


def _cover(image: Image.Image, *, height: int, width: int) -> Image.Image:
    scale = max(height / image.height, width / image.width)
    if scale == 1:
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))
    margin_x = max(0.0, (image.width - width / scale) / 2)
    margin_y = max(0.0, (image.height - height / scale) / 2)
    box = (margin_x, margin_y, image.width - margin_x, image.height - margin_y)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)
