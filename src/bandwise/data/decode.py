"""One image file to one array of fixed size."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from bandwise.images import on_white, open_image, upright

Colour = Literal["grey", "rgb"]


def short_side(path: Path) -> int:
    """Shorter side of an image in pixels, read from its header alone.

    Raises
    ------
    UnreadableImageError
        As `decode`, as far as the header shows it.
    """
    with open_image(path, str(path)) as image:
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
    with open_image(path, str(path)) as image:
        converted = on_white(upright(image, str(path))).convert("L" if colour == "grey" else "RGB")
        fitted = _cover(converted, height=height, width=width)
    pixels = np.asarray(fitted)
    return pixels[None] if colour == "grey" else np.moveaxis(pixels, -1, 0)


def _cover(image: Image.Image, *, height: int, width: int) -> Image.Image:
    scale = max(height / image.height, width / image.width)
    if scale == 1:
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))
    margin_x = max(0.0, (image.width - width / scale) / 2)
    margin_y = max(0.0, (image.height - height / scale) / 2)
    box = (margin_x, margin_y, image.width - margin_x, image.height - margin_y)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)
