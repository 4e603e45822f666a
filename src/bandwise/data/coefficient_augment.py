"""Random changes to training images as coefficients: the twins of `bandwise.data.augment`.

The same settings and the same draws from the generator, so that a picture is changed alike whether
it is read as pixels or as coefficients. What differs: windows are not turned, because a rotation
is no change of rows and columns apart; contrast is about the mean of luma alone; rectangles have
their edges at blocks; and nothing is clamped to what pixels can hold.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bandwise.color import rgb_to_ycbcr
from bandwise.data.augment import (
    Augmentation,
    draw_factors,
    draw_rectangles,
    draw_views,
    mix_planes,
)
from bandwise.data.draws import Draws
from bandwise.dct import BLOCK
from bandwise.dct_domain import (
    CENTRE,
    FREQUENCIES,
    CoefficientBatch,
    adjust_contrast,
    adjust_saturation,
    keep_frequencies,
    show_windows,
)


def augment_coefficients(
    batch: CoefficientBatch,
    settings: Augmentation,
    draws: Draws,
    *,
    rows: int,
    columns: int,
    band_dropout: float = 0.0,
) -> CoefficientBatch:
    """Draw one changed version of each image.

    Parameters
    ----------
    settings
        As for pixels; ``turn`` is not applied, ``mix`` is for :func:`mix_coefficients`.
    rows, columns
        Grid of luma blocks of what is returned; even where there is colour.
    band_dropout
        Share of the frequencies that are zeroed, drawn for each image and each component; the
        means of blocks are kept.
    """
    views = draw_views(settings, draws)
    heights, widths = views.zoom / views.stretch.abs(), views.zoom * views.stretch
    batch = show_windows(
        batch,
        torch.stack([heights, widths], 1),
        torch.stack([views.centre_y, views.centre_x], 1),
        rows=rows,
        columns=columns,
    )
    batch = _relight(batch, settings, draws)
    _erase(batch, settings.erase, draws)
    return _drop_bands(batch, band_dropout, draws) if band_dropout else batch


def mix_coefficients(
    batch: CoefficientBatch, targets: Tensor, share: float, draws: Draws
) -> tuple[CoefficientBatch, Tensor]:
    """Mix a batch and its class probabilities (N, classes) with itself, or not.

    As `bandwise.data.augment.mix`; the rectangles of CutMix are whole blocks of chroma.
    """
    planes = [plane for plane in batch if plane is not None]
    mixed, targets = mix_planes(planes, targets, share, draws)
    return CoefficientBatch(*mixed), targets


def _relight(batch: CoefficientBatch, settings: Augmentation, draws: Draws) -> CoefficientBatch:
    """Change brightness, contrast and, in colour, saturation."""
    if settings.light:
        factors = draw_factors(settings.light, draws)
        batch = adjust_contrast(batch, factors, about=0.0)
        factors = draw_factors(settings.light, draws)
        batch = adjust_contrast(batch, factors)
    if settings.saturation and batch.chroma is not None:
        factors = draw_factors(settings.saturation, draws)
        batch = adjust_saturation(batch, factors)
    return batch


def _erase(batch: CoefficientBatch, share: float, draws: Draws) -> None:
    """Replace a rectangle of whole blocks by one colour in a share of the images, in place."""
    planes = [plane for plane in batch if plane is not None]
    height, width = planes[-1].shape[2:]
    colours = 1 if batch.chroma is None else 3
    for index, rows, columns, colour in draw_rectangles(share, height, width, colours, draws):
        levels = 255 * colour
        if batch.chroma is not None:
            levels = rgb_to_ycbcr(levels[:, None, None]).flatten()
        means = BLOCK * (levels - CENTRE)
        for plane, mean in zip(planes, (means[:1], means[1:]), strict=False):
            scale = plane.shape[2] // height
            window = plane[index, :, _scaled(rows, scale), _scaled(columns, scale)]
            window.zero_()
            window[::FREQUENCIES] = mean[:, None, None]


def _scaled(interval: slice, scale: int) -> slice:
    return slice(scale * interval.start, scale * interval.stop)


def _drop_bands(batch: CoefficientBatch, share: float, draws: Draws) -> CoefficientBatch:
    masks = []
    for plane in batch:
        if plane is not None:
            mask = draws.each(plane.shape[1]) >= share
            mask[:, ::FREQUENCIES] = True
            masks.append(mask)
    return keep_frequencies(batch, *masks)
