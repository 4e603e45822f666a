"""Pixels of any size to the array that a network reads.

    pixels ──resize──→ ──centre crop──→ ──× scale, − mean, ÷ std──→ (C, H, W)

The order and the rounding are those of torchvision's and timm's evaluation transforms on Pillow
images, so that a network sees what it was trained to see.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bandwise.errors import ConfigurationError

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Layout = Literal["NCHW", "NHWC"]
Pixels = NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) RGB."""

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a network's input is made from pixels.

    Attributes
    ----------
    resize
        Pixels: the short side, or (height, width) exactly; None leaves the size.
    crop
        (height, width) of a crop around the centre; None for all of the image.
    scale
        Factor of the 8-bit values, before mean and deviation: 1/255 for values in [0, 1].
    mean, std
        Of each channel, in scaled values.
    channels
        3 for RGB, 1 for grey; images are converted.

    Raises
    ------
    ConfigurationError
        For a setting out of its range.
    """

    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    interpolation: Interpolation = "bilinear"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channels: Literal[1, 3] = 3
    layout: Layout = "NCHW"

    def __post_init__(self) -> None:
        if self.interpolation not in get_args(Interpolation):
            raise ConfigurationError(
                f"interpolation {self.interpolation!r}; use one of "
                f"{', '.join(get_args(Interpolation))}"
            )
        sides = [self.resize] if isinstance(self.resize, int) else [*(self.resize or ())]
        if any(side < 1 for side in (*sides, *(self.crop or ()))):
            raise ConfigurationError(
                f"sides are at least 1 pixel, got resize {self.resize} and crop {self.crop}"
            )
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ConfigurationError(
                    f"{name} has one value, or one a channel ({self.channels}), got {values}"
                )
        if not all(value > 0 for value in self.std):
            raise ConfigurationError(f"std is above 0 in every channel, got {self.std}")

    def __call__(self, pixels_u8: Pixels) -> NDArray[np.float32]:
        """Array of an image: (C, H, W) float32, or (H, W, C) where the layout is ``NHWC``."""
        image = Image.fromarray(pixels_u8).convert("RGB" if self.channels == 3 else "L")
        values = np.asarray(self._cropped(self._resized(image)), np.float32)
        values = values.reshape(*values.shape[:2], self.channels)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        scaled: NDArray[np.float32] = (values * np.float32(self.scale) - mean) / std
        if self.layout == "NHWC":
            return scaled
        return np.ascontiguousarray(scaled.transpose(2, 0, 1))

    @property
    def reading_side(self) -> int | None:
        """Pixels of the short side after resizing; None where the size is left."""
        return min(self.resize) if isinstance(self.resize, tuple) else self.resize

    def to_json(self) -> dict[str, Any]:
        """JSON values that tell this preprocessing from others."""
        return asdict(self)

    def _resized(self, image: Image.Image) -> Image.Image:
        if self.resize is None:
            return image
        if isinstance(self.resize, int):
            short = min(image.size)
            size = tuple(
                self.resize if side == short else int(self.resize * side / short)
                for side in image.size
            )
        else:
            size = (self.resize[1], self.resize[0])
        if size == image.size:
            return image
        return image.resize((size[0], size[1]), _FILTERS[self.interpolation])

    def _cropped(self, image: Image.Image) -> Image.Image:
        if self.crop is None or (image.height, image.width) == self.crop:
            return image
        height, width = self.crop
        top, left = round((image.height - height) / 2), round((image.width - width) / 2)
        return image.crop((left, top, left + width, top + height))
