"""Random changes to training images that leave their class as it is.

Everything is drawn from a generator that is given (`Draws`), so that an epoch is a function of its
seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from bandwise.data.draws import Draws

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
    pixels: Tensor, settings: Augmentation, draws: Draws, *, size: tuple[int, int]
) -> Tensor:
    """Draw one changed version of each image; differentiable.

    Parameters
    ----------
    pixels
        (N, C, H, W) float32 in [0, 1].
    size
        Height and width of what is returned.

    Returns
    -------
    (N, C, *size) float32 in [0, 1]
    """
    grids = _grids(draw_views(settings, draws), pixels, size)
    pixels = F.grid_sample(pixels, grids, "bilinear", "reflection", align_corners=False)
    pixels = _relight(pixels, settings, draws).clamp(0, 1)
    return _erase(pixels, settings.erase, draws)


def mix(pixels: Tensor, targets: Tensor, share: float, draws: Draws) -> tuple[Tensor, Tensor]:
    """Mix a batch (N, C, H, W) and its class probabilities (N, classes) with itself, or not."""
    (pixels,), targets = mix_planes([pixels], targets, share, draws)
    return pixels, targets


def mix_planes(
    planes: Sequence[Tensor], targets: Tensor, share: float, draws: Draws
) -> tuple[Sequence[Tensor], Tensor]:
    """`mix` images of several planes (N, C, H, W), each a multiple of the last one's size."""
    if draws.one() >= share:
        return planes, targets
    shuffled = draws.shuffle()
    if draws.one() < 0.5:
        kept = draws.beta(0.4)
        mixed = [kept * plane + (1 - kept) * shuffled(plane) for plane in planes]
    else:
        height, width = planes[-1].shape[2:]
        half = 0.5 * math.sqrt(1 - draws.beta(1.0))
        top, bottom = _interval(half, height, draws)
        left, right = _interval(half, width, draws)
        mixed = []
        for plane in planes:
            scale = plane.shape[2] // height
            window = (..., slice(scale * top, scale * bottom), slice(scale * left, scale * right))
            plane = plane.clone()
            plane[window] = shuffled(plane[window])
            mixed.append(plane)
        kept = 1 - (bottom - top) * (right - left) / (height * width)
    return mixed, kept * targets + (1 - kept) * shuffled(targets)


class Views(NamedTuple):
    """What is looked at of each image, in the units of ``grid_sample``, (N,) each.

    Attributes
    ----------
    zoom
        Side of the window relative to the image's.
    stretch
        What its width is multiplied with and its height divided by; below 0 it is mirrored.
    angle
        Its rotation in radians.
    centre_x, centre_y
        Its middle; the image spans -1..1.
    """

    zoom: Tensor
    stretch: Tensor
    angle: Tensor
    centre_x: Tensor
    centre_y: Tensor


def draw_views(settings: Augmentation, draws: Draws) -> Views:
    """Draw zoom, stretch, turn, flip and shift of each image."""

    def within(low: float, high: float) -> Tensor:
        return low + (high - low) * draws.each()

    zoom = torch.exp(within(math.log(settings.zoom[0]), math.log(settings.zoom[1])))
    stretch = torch.exp(within(-settings.stretch, settings.stretch) / 2)
    angle = within(-settings.turn, settings.turn)
    if settings.flip:
        stretch = torch.where(draws.each() < 0.5, -stretch, stretch)
    room = 2 * settings.shift + (zoom - 1).abs()
    centre_x, centre_y = room * within(-1, 1), room * within(-1, 1)
    return Views(zoom, stretch, angle, centre_x, centre_y)


def draw_factors(bound: float, draws: Draws) -> Tensor:
    """Draw (n,) factors within ``bound`` of 1."""
    return 1 + bound * (2 * draws.each() - 1)


def draw_rectangles(
    share: float, height: int, width: int, channels: int, draws: Draws
) -> Iterator[tuple[int, slice, slice, Tensor]]:
    """Draw a rectangle in a share of the images: index, rows, columns, colour (channels,)."""
    for index in torch.nonzero(draws.all() < share).flatten().tolist():
        top, bottom = _interval(0.075 + 0.125 * draws.one(), height, draws)
        left, right = _interval(0.075 + 0.125 * draws.one(), width, draws)
        colour = torch.rand(channels, generator=draws.generator)
        if draws.part.start <= index < draws.part.stop:
            yield index - draws.part.start, slice(top, bottom), slice(left, right), colour


def _grids(views: Views, pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Sampling grids (N, *size, 2) in the units of ``grid_sample``."""
    zoom, stretch, angle, centre_x, centre_y = views
    cosine, sine = zoom * torch.cos(angle), zoom * torch.sin(angle)
    affine = torch.stack(
        [
            torch.stack([stretch * cosine, -sine / stretch.abs(), centre_x], 1),
            torch.stack([stretch * sine, cosine / stretch.abs(), centre_y], 1),
        ],
        1,
    )
    return F.affine_grid(affine, [*pixels.shape[:2], *size], align_corners=False)


def _relight(pixels: Tensor, settings: Augmentation, draws: Draws) -> Tensor:
    """Change brightness, contrast and, in colour, saturation."""

    def factor(bound: float) -> Tensor:
        return draw_factors(bound, draws)[:, None, None, None]

    if settings.light:
        pixels = pixels * factor(settings.light)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        pixels = (pixels - mean) * factor(settings.light) + mean
    if settings.saturation and pixels.shape[1] == 3:
        grey = (pixels * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        pixels = (pixels - grey) * factor(settings.saturation) + grey
    return pixels


def _erase(pixels: Tensor, share: float, draws: Draws) -> Tensor:
    channels, height, width = pixels.shape[1:]
    for index, rows, columns, colour in draw_rectangles(share, height, width, channels, draws):
        pixels[index, :, rows, columns] = colour[:, None, None]
    return pixels


def _interval(half: float, size: int, draws: Draws) -> tuple[int, int]:
    """Interval of ``2·half·size`` around a random centre, cut at 0 and ``size``."""
    centre = draws.one() * size
    return max(0, round(centre - half * size)), min(size, round(centre + half * size))
