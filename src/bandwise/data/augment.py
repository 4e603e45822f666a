"""Random changes to training images that leave their class as it is.

Everything is drawn from a generator that is given, so that an epoch is a function of its seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far images may be changed; the defaults suit photographs of things.

    Attributes
    ----------
    zoom
        Bounds of the window's side relative to the image's, drawn evenly in its logarithm.
    stretch
        Bound of the logarithm of the window's aspect ratio.
    turn
        Bound of the rotation in radians.
    shift
        Bound of the window's displacement relative to the image's side, beyond what zoom leaves.
    flip
        Whether to mirror left and right half of the time.
    light, saturation
        Relative bounds of the change of brightness and contrast, and of saturation (colour).
    erase
        Share of images in which a rectangle is replaced by one random colour (Zhong et al.,
        "Random erasing", AAAI 2020).
    mix
        Share of batches that are mixed with themselves in another order: half by mixup (Zhang et
        al., ICLR 2018), half by CutMix (Yun et al., ICCV 2019).
    """

    zoom: tuple[float, float] = (0.6, 1.1)
    stretch: float = 0.22
    turn: float = 0.2
    shift: float = 0.05
    flip: bool = True
    light: float = 0.3
    saturation: float = 0.4
    erase: float = 0.25
    mix: float = 0.6


PHOTOGRAPHS = Augmentation()
GLYPHS = Augmentation(
    zoom=(0.9, 1.1), stretch=0.1, turn=0.15, flip=False, light=0.0, erase=0.0, mix=0.0
)
"""For digits and other small grey images whose mirror image means something else."""


def augment(
    pixels: Tensor, settings: Augmentation, generator: torch.Generator, *, side: int
) -> Tensor:
    """Draw one changed version of each image; differentiable.

    Parameters
    ----------
    pixels
        (N, C, H, W) float32 in [0, 1].
    side
        Height and width of what is returned.

    Returns
    -------
    (N, C, side, side) float32 in [0, 1]
    """
    windows = _windows(pixels, settings, generator, side)
    pixels = F.grid_sample(pixels, windows, "bilinear", "reflection", align_corners=False)
    pixels = _relight(pixels, settings, generator).clamp(0, 1)
    return _erase(pixels, settings.erase, generator)


def mix(
    pixels: Tensor, targets: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mix a batch (N, C, H, W) and its class probabilities (N, classes) with itself, or not."""
    if float(_uniform((), generator)) >= share:
        return pixels, targets
    order = torch.randperm(len(pixels), generator=generator)
    if float(_uniform((), generator)) < 0.5:
        kept = _beta(0.4, generator)
        pixels = kept * pixels + (1 - kept) * pixels[order]
    else:
        height, width = pixels.shape[2:]
        half = 0.5 * math.sqrt(1 - _beta(1.0, generator))
        top, bottom = _interval(half, height, generator)
        left, right = _interval(half, width, generator)
        mixed = pixels.clone()
        mixed[:, :, top:bottom, left:right] = pixels[order, :, top:bottom, left:right]
        pixels, kept = mixed, 1 - (bottom - top) * (right - left) / (height * width)
    return pixels, kept * targets + (1 - kept) * targets[order]


def _windows(
    pixels: Tensor, settings: Augmentation, generator: torch.Generator, side: int
) -> Tensor:
    """Sampling grids (N, side, side, 2) in the units of ``grid_sample``."""
    count = len(pixels)

    def within(low: float, high: float) -> Tensor:
        return low + (high - low) * _uniform((count,), generator)

    zoom = torch.exp(within(math.log(settings.zoom[0]), math.log(settings.zoom[1])))
    stretch = torch.exp(within(-settings.stretch, settings.stretch) / 2)
    angle = within(-settings.turn, settings.turn)
    mirror = torch.ones(count)
    if settings.flip:
        mirror[_uniform((count,), generator) < 0.5] = -1
    room = 2 * settings.shift + (zoom - 1).abs()
    centre_x, centre_y = room * within(-1, 1), room * within(-1, 1)
    cosine, sine = zoom * torch.cos(angle), zoom * torch.sin(angle)
    affine = torch.stack(
        [
            torch.stack([mirror * stretch * cosine, -sine / stretch, centre_x], 1),
            torch.stack([mirror * stretch * sine, cosine / stretch, centre_y], 1),
        ],
        1,
    )
    return F.affine_grid(affine, [count, pixels.shape[1], side, side], align_corners=False)


def _relight(pixels: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and, in colour, saturation."""

    def factor(bound: float) -> Tensor:
        return 1 + bound * (2 * _uniform((len(pixels), 1, 1, 1), generator) - 1)

    if settings.light:
        pixels = pixels * factor(settings.light)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        pixels = (pixels - mean) * factor(settings.light) + mean
    if settings.saturation and pixels.shape[1] == 3:
        grey = (pixels * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        pixels = (pixels - grey) * factor(settings.saturation) + grey
    return pixels


def _erase(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    for index in torch.nonzero(_uniform((len(pixels),), generator) < share).flatten().tolist():
        top, bottom = _interval(0.075 + 0.125 * _scalar(generator), pixels.shape[2], generator)
        left, right = _interval(0.075 + 0.125 * _scalar(generator), pixels.shape[3], generator)
        colour = _uniform((pixels.shape[1], 1, 1), generator)
        pixels[index, :, top:bottom, left:right] = colour
    return pixels


def _interval(half: float, size: int, generator: torch.Generator) -> tuple[int, int]:
    """Interval of ``2·half·size`` around a random centre, cut at 0 and ``size``."""
    centre = _scalar(generator) * size
    return max(0, round(centre - half * size)), min(size, round(centre + half * size))


def _beta(concentration: float, generator: torch.Generator) -> float:
    """Draw from Beta(c, c), as a ratio of Gamma variables."""
    gamma = torch._standard_gamma(torch.full((2,), concentration), generator)
    return float(gamma[0] / gamma.sum().clamp(min=1e-12))


def _scalar(generator: torch.Generator) -> float:
    return float(_uniform((), generator))


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator)
