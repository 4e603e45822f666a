"""Random changes to training images that leave their class as it is.

    settings, random numbers → Changes → pixels or coefficients

Everything is drawn from a generator that is given (`BatchRandom`), so that an epoch is a function
of its seed, and a picture is changed alike whether it is read as pixels or as coefficients. What
differs for coefficients: windows are not turned, because a rotation is no change of rows and
columns apart; contrast is about the mean of luma alone; rectangles have their edges at blocks; and
nothing is clamped to what pixels can hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from bandwise.data.batches import BatchRandom
from bandwise.frequency.color import rgb_to_ycbcr
from bandwise.frequency.dct_domain import (
    CENTRE,
    CoefficientBatch,
    adjust_contrast,
    adjust_saturation,
    keep_frequencies,
    show_windows,
)
from bandwise.frequency.tables import BLOCK, FREQUENCIES

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601

Inputs = TypeVar("Inputs", Tensor, CoefficientBatch)


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
    pixels: Tensor, settings: Augmentation, random: BatchRandom, *, size: tuple[int, int]
) -> Tensor:
    """Draw one changed version of each image; differentiable.

    Returns (N, C, *size) float32 in [0, 1].

    Parameters
    ----------
    pixels
        (N, C, H, W) float32 in [0, 1].
    size
        Height and width of what is returned.
    """
    changes = _draw_changes(settings, random, colours=pixels.shape[1])
    grids = _sampling_grids(changes, pixels, size)
    pixels = F.grid_sample(pixels, grids, "bilinear", "reflection", align_corners=False)
    if changes.light is not None and changes.contrast is not None:
        pixels = pixels * _each(changes.light)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        pixels = (pixels - mean) * _each(changes.contrast) + mean
    if changes.saturation is not None:
        grey = (pixels * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        pixels = (pixels - grey) * _each(changes.saturation) + grey
    pixels = pixels.clamp(0, 1)
    for image, rows, columns, colour in changes.rectangles:
        window = (image, slice(None), rows.within(size[0]), columns.within(size[1]))
        pixels[window] = colour[:, None, None]
    return pixels


def augment_coefficients(
    batch: CoefficientBatch,
    settings: Augmentation,
    random: BatchRandom,
    *,
    rows: int,
    columns: int,
    band_dropout: float = 0.0,
) -> CoefficientBatch:
    """Draw one changed version of each image.

    Parameters
    ----------
    settings
        As for pixels; ``turn`` is not applied.
    rows, columns
        Grid of luma blocks of what is returned; even where there is colour.
    band_dropout
        Share of the frequencies that are zeroed, drawn for each image and each component; the
        means of blocks are kept.
    """
    changes = _draw_changes(settings, random, colours=1 if batch.chroma is None else 3)
    heights, widths = changes.zoom / changes.stretch.abs(), changes.zoom * changes.stretch
    batch = show_windows(
        batch,
        torch.stack([heights, widths], 1),
        torch.stack([changes.centre_y, changes.centre_x], 1),
        rows=rows,
        columns=columns,
    )
    if changes.light is not None and changes.contrast is not None:
        batch = adjust_contrast(batch, changes.light, about=0.0)
        batch = adjust_contrast(batch, changes.contrast)
    if changes.saturation is not None:
        batch = adjust_saturation(batch, changes.saturation)
    for rectangle in changes.rectangles:
        _erase_blocks(batch, rectangle)
    if not band_dropout:
        return batch
    masks = []
    for plane in _planes(batch):
        mask = random.each(plane.shape[1]) >= band_dropout
        mask[:, ::FREQUENCIES] = True
        masks.append(mask)
    return keep_frequencies(batch, *masks)


def mix(
    inputs: Inputs, targets: Tensor, share: float, random: BatchRandom
) -> tuple[Inputs, Tensor]:
    """Mix a batch and its class probabilities (N, classes) with itself, or not.

    Inputs are pixels (N, C, H, W), or coefficients, of which CutMix exchanges whole blocks of
    chroma.
    """
    if random.one() >= share:
        return inputs, targets
    planes = _planes(inputs)
    shuffled = random.shuffle()
    if random.one() < 0.5:
        kept = random.beta(0.4)
        mixed = [kept * plane + (1 - kept) * shuffled(plane) for plane in planes]
    else:
        height, width = planes[-1].shape[2:]
        half = 0.5 * math.sqrt(1 - random.beta(1.0))
        rows = Interval(half, random.one()).within(height)
        columns = Interval(half, random.one()).within(width)
        mixed = []
        for plane in planes:
            scale = plane.shape[2] // height
            window = (..., _scaled(rows, scale), _scaled(columns, scale))
            plane = plane.clone()
            plane[window] = shuffled(plane[window])
            mixed.append(plane)
        exchanged = (rows.stop - rows.start) * (columns.stop - columns.start)
        kept = 1 - exchanged / (height * width)
    targets = kept * targets + (1 - kept) * shuffled(targets)
    return CoefficientBatch(*mixed) if isinstance(inputs, CoefficientBatch) else mixed[0], targets


class Interval(NamedTuple):
    """Half of its length and its centre, relative to an image's side."""

    half: float
    centre: float

    def within(self, size: int) -> slice:
        """Samples of a side of ``size``, cut at its ends."""
        centre = self.centre * size
        reach = self.half * size
        return slice(max(0, round(centre - reach)), min(size, round(centre + reach)))


class Rectangle(NamedTuple):
    """A part of one image of this process that is replaced by a colour (channels,) in [0, 1)."""

    image: int
    rows: Interval
    columns: Interval
    colour: Tensor


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is drawn for each image, in the units of ``grid_sample``, (n,) each.

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
    light, contrast, saturation
        Factors; None where they do not change.
    rectangles
        Parts to be erased.
    """

    zoom: Tensor
    stretch: Tensor
    angle: Tensor
    centre_x: Tensor
    centre_y: Tensor
    light: Tensor | None
    contrast: Tensor | None
    saturation: Tensor | None
    rectangles: tuple[Rectangle, ...]


def _draw_changes(settings: Augmentation, random: BatchRandom, *, colours: int) -> Changes:
    """Draw in this order always: results that were measured depend on it."""

    def within(low: float, high: float) -> Tensor:
        return low + (high - low) * random.each()

    def factor(bound: float) -> Tensor:
        return 1 + bound * (2 * random.each() - 1)

    zoom = torch.exp(within(math.log(settings.zoom[0]), math.log(settings.zoom[1])))
    stretch = torch.exp(within(-settings.stretch, settings.stretch) / 2)
    angle = within(-settings.turn, settings.turn)
    if settings.flip:
        stretch = torch.where(random.each() < 0.5, -stretch, stretch)
    room = 2 * settings.shift + (zoom - 1).abs()
    return Changes(
        zoom=zoom,
        stretch=stretch,
        angle=angle,
        centre_x=room * within(-1, 1),
        centre_y=room * within(-1, 1),
        light=factor(settings.light) if settings.light else None,
        contrast=factor(settings.light) if settings.light else None,
        saturation=factor(settings.saturation) if settings.saturation and colours == 3 else None,
        rectangles=_draw_rectangles(settings.erase, random, colours),
    )


def _draw_rectangles(share: float, random: BatchRandom, colours: int) -> tuple[Rectangle, ...]:
    """Draw rectangles for a share of the images."""
    rectangles = []
    for index in torch.nonzero(random.each() < share).flatten().tolist():
        rows = Interval(0.075 + 0.125 * random.one(), random.one())
        columns = Interval(0.075 + 0.125 * random.one(), random.one())
        colour = torch.rand(colours, generator=random.generator)
        rectangles.append(Rectangle(index, rows, columns, colour))
    return tuple(rectangles)


def _sampling_grids(changes: Changes, pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Sampling grids (N, *size, 2) in the units of ``grid_sample``."""
    cosine = changes.zoom * torch.cos(changes.angle)
    sine = changes.zoom * torch.sin(changes.angle)
    stretch = changes.stretch
    affine = torch.stack(
        [
            torch.stack([stretch * cosine, -sine / stretch.abs(), changes.centre_x], 1),
            torch.stack([stretch * sine, cosine / stretch.abs(), changes.centre_y], 1),
        ],
        1,
    )
    return F.affine_grid(affine, [*pixels.shape[:2], *size], align_corners=False)


def _erase_blocks(batch: CoefficientBatch, rectangle: Rectangle) -> None:
    """Replace a rectangle of whole blocks by one colour, in place."""
    planes = _planes(batch)
    height, width = planes[-1].shape[2:]
    levels = 255 * rectangle.colour
    if batch.chroma is not None:
        levels = rgb_to_ycbcr(levels[:, None, None]).flatten()
    means = BLOCK * (levels - CENTRE)
    rows, columns = rectangle.rows.within(height), rectangle.columns.within(width)
    for plane, mean in zip(planes, (means[:1], means[1:]), strict=False):
        scale = plane.shape[2] // height
        window = plane[rectangle.image, :, _scaled(rows, scale), _scaled(columns, scale)]
        window.zero_()
        window[::FREQUENCIES] = mean[:, None, None]


def _planes(inputs: Tensor | CoefficientBatch) -> list[Tensor]:
    if isinstance(inputs, CoefficientBatch):
        return [plane for plane in inputs if plane is not None]
    return [inputs]


def _scaled(interval: slice, scale: int) -> slice:
    return slice(scale * interval.start, scale * interval.stop)


def _each(factors: Tensor) -> Tensor:
    return factors[:, None, None, None]
