"""Figures over the frequency plane and the image: bands, weighted images, their spectra."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import fft

from bandwise.bands import Bands
from bandwise.report.drawing import (
    PAPER,
    WIDTH_INCHES,
    house_style,
    new_figure,
    short_name,
    text_on,
)
from bandwise.report.figures import MAX_BAND_LABELS
from bandwise.report.records import Sample

MAX_SAMPLES = 4

_LABEL_ROWS = 13
"""Labels that find room below each other in a plane; those of narrower bands are left out."""


class Weighting(NamedTuple):
    """Bands and their weights, one a band."""

    bands: Bands
    weights: Sequence[float]

    @property
    def plane(self) -> NDArray[np.float64]:
        """Importance of each coefficient ``s = Σ_k w_k M_k``, (H, W)."""
        return np.asarray(self.weights, dtype=np.float64)[self.bands.plane]

    @property
    def relative(self) -> Weighting:
        """The same with weights of mean 1."""
        mean = fmean(self.weights)
        return Weighting(self.bands, [weight / mean for weight in self.weights])


Weightings = Mapping[str, Weighting]
"""By the title of a panel."""

_Array = NDArray[np.float64]


def band_planes(weightings: Weightings) -> Figure:
    """Bands over the DCT plane, coloured by weight divided by the mean weight."""
    relative = {title: weighting.relative for title, weighting in weightings.items()}
    columns = 2 if len(relative) == 4 else min(3, len(relative))
    rows = -(-len(relative) // columns)
    # The square root keeps bands apart that lie far below the largest weight of all variants.
    norm = PowerNorm(0.5, 0, max(max(each.weights) for each in relative.values()))
    colormap = matplotlib.colormaps["cividis"]
    height, width = next(iter(relative.values())).bands.shape
    panel_inches = (WIDTH_INCHES - 0.9) / max(columns, 2)
    with house_style():
        figure = new_figure(1.2 + rows * (0.6 + panel_inches * min(height / width, 2)))
        grid = figure.subplots(rows, columns, squeeze=False)
        panels = list(grid.flat)
        for axes, (title, weighting) in zip(panels, relative.items(), strict=False):
            bands = weighting.bands
            axes.imshow(weighting.plane, cmap=colormap, norm=norm)
            axes.add_collection(LineCollection(_edges(bands), colors=[PAPER], linewidths=1))
            axes.set(
                title=title,
                xlabel="horizontal frequency",
                ylabel="vertical frequency",
            )
            axes.grid(visible=False)
            if bands.count <= MAX_BAND_LABELS:
                fills = [colormap(norm(value)) for value in weighting.weights]
                _label_bands(axes, bands, weighting.weights, fills)
        for axes in panels[len(relative) :]:
            axes.remove()
        figure.colorbar(
            matplotlib.cm.ScalarMappable(norm, colormap),
            ax=panels[: len(relative)],
            orientation="horizontal",
            label="band weight ÷ mean weight (band number: value)",
            aspect=50,
            shrink=0.7,
        )
        return figure


def weighted_images(samples: Sequence[Sample], weightings: Weightings) -> Figure:
    """Draw each sample and what is left of it after weighting, ``idct(X ⊙ s)``.

    Every panel has its own contrast, which is written below it.
    """
    shown = samples[:MAX_SAMPLES]
    with house_style():
        figure, grid = _sample_grid(shown, ["original", *weightings])
        for row, sample in enumerate(shown):
            coefficients = _dct(centred(sample))
            images = [_idct(coefficients)]
            images += [_idct(coefficients * each.plane) for each in weightings.values()]
            for axes, image in zip(grid[row], images, strict=True):
                low, high = float(image.min()), float(image.max())
                axes.imshow(_displayable(image, low, high), cmap="gray", vmin=0, vmax=1)
                axes.set_xlabel(f"{low:.2f} … {high:.2f}".replace("-", "−"), fontsize=8)
        return figure


def weighted_spectra(samples: Sequence[Sample], weightings: Weightings) -> Figure:
    """Magnitude of the coefficients before and after weighting, on one logarithmic scale."""
    shown = samples[: MAX_SAMPLES // 2]
    spectra: list[list[_Array]] = []
    for sample in shown:
        coefficients = _dct(centred(sample))
        planes = [coefficients]
        planes += [coefficients * each.plane for each in weightings.values()]
        spectra.append([np.log10(np.abs(plane).mean(0) + 1e-4) for plane in planes])
    norm = Normalize(-3, max(float(plane.max()) for row in spectra for plane in row))
    with house_style():
        figure, grid = _sample_grid(shown, ["before", *weightings])
        for panels, row in zip(grid, spectra, strict=True):
            for axes, plane in zip(panels, row, strict=True):
                axes.imshow(plane, cmap="cividis", norm=norm)
        figure.colorbar(
            matplotlib.cm.ScalarMappable(norm, "cividis"),
            ax=grid.ravel().tolist(),
            orientation="horizontal",
            label="log₁₀ |coefficient| (zero frequency at the top left)",
            aspect=50,
            shrink=0.7,
        )
        return figure


def centred(sample: Sample) -> _Array:
    """Pixels scaled to [-0.5, 0.5], (C, H, W) float64."""
    return sample.pixels_u8 / 255 - 0.5


# The transforms of `bandwise.dct`, without PyTorch.
def _dct(pixels: _Array) -> _Array:
    return np.asarray(fft.dctn(pixels, axes=(-2, -1), norm="ortho"))


def _idct(coefficients: _Array) -> _Array:
    return np.asarray(fft.idctn(coefficients, axes=(-2, -1), norm="ortho"))


def _edges(bands: Bands) -> list[list[tuple[float, float]]]:
    """Line segments (x, y) between neighbouring coefficients of different bands."""
    index = bands.plane
    right = np.argwhere(index[:, 1:] != index[:, :-1])
    below = np.argwhere(index[1:] != index[:-1])
    segments = [[(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)] for y, x in right.tolist()]
    return segments + [[(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for y, x in below.tolist()]


def _label_bands(
    axes: Axes, bands: Bands, values: Sequence[float], fills: Sequence[tuple[float, ...]]
) -> None:
    free_from = -math.inf
    for band, (row, column) in _label_positions(bands).items():
        if row < free_from:
            continue
        free_from = row + bands.shape[0] / _LABEL_ROWS
        # At the sides, text is aligned to the edge, so that it stays inside the plane.
        side = {0: "left", bands.count - 1: "right"}.get(band, "center")
        edge = {"left": -0.3, "right": bands.shape[1] - 0.7}.get(side, column)
        axes.text(
            edge,
            row,
            f"{band + 1}: {values[band]:.2f}",
            ha=side,
            va="center",
            fontsize=8,
            color=text_on(fills[band]),
        )


def _label_positions(bands: Bands) -> dict[int, tuple[float, float]]:
    """A (row, column) for the label of each band that holds a coefficient.

    It is on the line from the lowest to the highest frequency where the band crosses that.
    """
    height, width = bands.shape
    steps = np.linspace(0, 1, 400)
    rows, columns = steps * (height - 1), steps * (width - 1)
    on_line = bands.plane[rows.round().astype(int), columns.round().astype(int)]
    positions = {}
    for band in np.unique(bands.plane).tolist():
        inside = on_line == band
        if inside.any():
            positions[band] = (float(rows[inside].mean()), float(columns[inside].mean()))
        else:
            members = np.argwhere(bands.plane == band)
            positions[band] = (float(members[0, 0]), float(members[0, 1]))
    return positions


def _sample_grid(
    samples: Sequence[Sample], titles: Sequence[str]
) -> tuple[Figure, NDArray[np.object_]]:
    columns = len(titles)
    _, height, width = samples[0].pixels_u8.shape
    # Few columns would make huge panels: as if there were at least five.
    panel_inches = WIDTH_INCHES / max(columns, 5) * height / width
    figure = new_figure(1.0 + len(samples) * (panel_inches + 0.15))
    grid = figure.subplots(len(samples), columns, squeeze=False)
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title.replace(" ", "\n", 1), fontsize=8.5, loc="center")
    for sample, panels in zip(samples, grid, strict=True):
        panels[0].set_ylabel(short_name(sample.class_name), rotation=0, ha="right", va="center")
        for axes in panels:
            _bare(axes)
    return figure, grid


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _displayable(image: _Array, low: float, high: float) -> _Array:
    """(C, H, W) to what ``imshow`` takes, stretched to 0..1; one channel stays a plane."""
    stretched = (image - low) / max(high - low, 1e-12)
    if len(image) == 3:
        return np.moveaxis(stretched, 0, -1)
    return np.asarray(stretched.mean(0))
