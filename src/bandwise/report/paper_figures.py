"""Figures of the paper's experiment: curves by epoch, gains, classes, bands, weighted images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import fft

from bandwise.frequency.bands import Bands
from bandwise.report.charts import (
    DOTTED,
    Colours,
    Curve,
    Dot,
    draw_curve,
    draw_dots,
    enlarge,
    epoch_axis,
    log_where_wide,
    no_frame,
    panels,
)
from bandwise.report.style import (
    INK,
    MUTED,
    PAPER,
    WIDTH_INCHES,
    LineStyle,
    Look,
    band_colours,
    legend_above,
    short_name,
    text_on,
)
from bandwise.results import Epoch, Sample
from bandwise.statistics import Gain, Spread

MAX_BAND_LABELS = 12
"""With more bands than this, lines are told apart by a few labels only."""

MAX_CLASSES = 30
"""With more classes than this, the figure shows those with the lowest accuracy."""

MAX_SAMPLES = 4

_BAND_LINES: tuple[LineStyle, ...] = ("solid", "dashed", (0, (6, 1.5, 1, 1.5)), (0, (1, 1.2)))
_LABEL_ROWS = 13
"""Labels that find room below each other in a plane; those of narrower bands are left out."""

Floats = NDArray[np.float64]
History = Mapping[int, Sequence[Epoch]]
"""Epochs of one variant, by seed."""


@dataclass(frozen=True)
class Variant(Look):
    """A way to weigh bands.

    ``learned`` says whether its weights change in training, ``comparable`` whether its accuracy
    belongs on the same axis as the others'. What it does is in ``templates/paper.html``.
    """

    learned: bool = True
    comparable: bool = True


VARIANTS: dict[str, Variant] = {
    "static": Variant("static", "#d55e00", "dashed", "s", learned=False),
    "adaptive": Variant("adaptive", "#0072b2", "solid", "o"),
    "task-only": Variant("task only", "#009e73", (0, (6, 1.5, 1, 1.5)), "^"),
    "reconstruction-only": Variant("reconstruction only", "#cc79a7", (0, (1, 1.2)), "v"),
    "mean-one": Variant("mean one", "#56b4e9", (0, (8, 2)), "D"),
    "none": Variant("no weighting", INK, "solid", "X", learned=False),
    "shuffled": Variant("shuffled labels", "#e69f00", (0, (2, 3)), "P", comparable=False),
}
"""By the name that results carry: the paper's two, then the controls."""


class Weighting(NamedTuple):
    """Bands and their weights, one a band."""

    bands: Bands
    weights: Sequence[float]

    @property
    def plane(self) -> Floats:
        """Importance of each coefficient ``s = Σ_k w_k M_k``, (H, W)."""
        return np.asarray(self.weights, dtype=np.float64)[self.bands.plane]

    @property
    def relative(self) -> Weighting:
        """The same with weights of mean 1."""
        mean = fmean(self.weights)
        return Weighting(self.bands, [weight / mean for weight in self.weights])


def curve_of(history: History, value: Callable[[Epoch], float | None]) -> Curve:
    """Values of all seeds that reached an epoch, for every epoch."""
    found: dict[int, list[float]] = {}
    for epochs in history.values():
        for epoch in epochs:
            if (number := value(epoch)) is not None:
                found.setdefault(epoch.epoch, []).append(number)
    return sorted(found.items())


def losses(histories: Mapping[str, History]) -> Figure:
    """Joint and task loss by epoch, in training and validation."""
    drawn: dict[str, Callable[[Epoch], float]] = {
        "Joint loss, training": lambda epoch: epoch.train_loss,
        "Joint loss, validation": lambda epoch: epoch.validation_loss,
        "Cross-entropy, training": lambda epoch: epoch.train_task_loss,
        "Cross-entropy, validation": lambda epoch: epoch.validation_task_loss,
    }
    with panels(6.2, 2, 2, sharex=True) as (figure, grid):
        for axes, (title, value) in zip(grid.flat, drawn.items(), strict=True):
            for variant, history in histories.items():
                draw_curve(axes, curve_of(history, value), VARIANTS[variant])
            axes.set(title=title, ylabel="nats an image")
            log_where_wide(axes)
        for axes in grid[1]:
            epoch_axis(axes)
        legend_above(figure, grid[0, 0])
        return figure


def accuracies(histories: Mapping[str, History]) -> Figure:
    """Test accuracy by epoch: all of it, and the range of the later epochs enlarged."""
    with panels(4.1, 1, 2) as (figure, grid):
        whole, enlarged = grid[0]
        curves = {
            variant: curve_of(history, lambda epoch: epoch.test_accuracy)
            for variant, history in histories.items()
        }
        last = max(epoch for curve in curves.values() for epoch, _ in curve)
        late: list[float] = []
        for variant, curve in curves.items():
            draw_curve(whole, curve, VARIANTS[variant], scale=100)
            if VARIANTS[variant].comparable:
                draw_curve(enlarged, curve, VARIANTS[variant], scale=100)
                late += [100 * x for epoch, values in curve if epoch > last / 3 for x in values]
        enlarge(enlarged, late)
        whole.set(title="Test accuracy", ylabel="test accuracy (%)")
        enlarged.set(title="The same, later epochs enlarged", ylabel="test accuracy (%)")
        for axes in grid[0]:
            epoch_axis(axes)
        legend_above(figure, whole)
        return figure


def gains(entries: Mapping[str, Gain], *, reference: float | None) -> Figure:
    """Gain of each variant over one baseline: every seed, the mean and its interval.

    ``reference`` is the paper's gain of adaptive, a share, drawn as a line.
    """
    with panels(1.2 + 0.5 * len(entries)) as (figure, grid):
        axes = grid[0, 0]
        dots = [
            Dot(
                row=row,
                value=100 * gain.mean,
                look=VARIANTS[variant],
                interval=gain.interval and (100 * gain.interval[0], 100 * gain.interval[1]),
                seeds=[100 * difference for difference in gain.differences],
                label=f"{100 * gain.mean:+.2f}".replace("-", "−"),
            )
            for row, (variant, gain) in enumerate(entries.items())
        ]
        draw_dots(axes, [gain.variant for gain in entries.values()], dots)
        axes.axvline(0, color=INK, lw=1)
        if reference is not None:
            axes.axvline(100 * reference, color=MUTED, lw=1.2, ls=DOTTED)
            axes.annotate(
                f" paper, adaptive: {100 * reference:+.2f}",
                (100 * reference, 1),
                xycoords=("data", "axes fraction"),
                va="bottom",
                ha="center",
                fontsize=8,
            )
        baseline = next(iter(entries.values())).baseline
        axes.set_xlabel(f"test accuracy minus that of {baseline} (percentage points)")
        return figure


def class_accuracies(names: Sequence[str], by_variant: Mapping[str, Sequence[Spread]]) -> Figure:
    """Test accuracy of each class: mean over seeds with the deviation, one row a class."""
    shown = sorted(
        sorted(
            range(len(names)), key=lambda k: fmean(each[k].mean for each in by_variant.values())
        )[:MAX_CLASSES]
    )
    height = max(0.3, 0.085 * len(by_variant)) * len(shown)
    with panels(1.1 + height) as (figure, grid):
        axes = grid[0, 0]
        dots = []
        for order, (variant, spreads) in enumerate(by_variant.items()):
            offset = 0.7 * ((order + 0.5) / len(by_variant) - 0.5)
            look = VARIANTS[variant]
            axes.plot([], [], look.marker, color=look.colour, label=look.label)
            for row, k in enumerate(shown):
                mean, std = 100 * spreads[k].mean, 100 * (spreads[k].std or 0)
                interval = mean - std, mean + std
                dots.append(Dot(row=row + offset, value=mean, look=look, interval=interval))
        draw_dots(axes, [names[k] for k in shown], dots)
        axes.set(xlabel="test accuracy (%)", ylabel="class")
        legend_above(figure, axes)
        return figure


def weight_histories(histories: Mapping[str, History]) -> Figure:
    """Band weights of variants by epoch, one panel each, divided by the variant's mean weight."""
    columns = min(3, len(histories))
    rows = -(-len(histories) // columns)
    height = 0.7 + (2.5 if columns > 1 else 3.7) * rows
    with panels(height, rows, columns, sharex=True, sharey=True) as (figure, grid):
        for axes, (variant, history) in zip(grid.flat, histories.items(), strict=False):
            mean = fmean(next(iter(history.values()))[-1].band_weights)
            _draw_weights(axes, history, 1 / mean)
            axes.axhline(1, color=MUTED, lw=0.9)
            axes.set_title(VARIANTS[variant].label)
            epoch_axis(axes)
            axes.xaxis.set_tick_params(labelbottom=True)
        for axes in list(grid.flat)[len(histories) :]:
            axes.remove()
        for axes in grid[:, 0]:
            axes.set_ylabel("weight ÷ mean weight")
        if len(grid[0, 0].get_lines()) <= MAX_BAND_LABELS + 1:
            legend_above(figure, grid[0, 0])
        return figure


def _draw_weights(axes: Axes, history: History, scale: float) -> None:
    count = len(next(iter(history.values()))[0].band_weights)
    for band, colour in enumerate(band_colours(count)):
        extreme = {0: " (lowest)", count - 1: " (highest)"}.get(band, "")
        line = _BAND_LINES[band % len(_BAND_LINES)]
        curve = curve_of(history, partial(_weight, band))
        draw_curve(axes, curve, Look(f"band {band + 1}{extreme}", colour, line, "o"), scale=scale)


def _weight(band: int, epoch: Epoch) -> float:
    return epoch.band_weights[band]


def band_planes(weightings: Mapping[str, Weighting]) -> Figure:
    """Bands over the DCT plane, coloured by weight divided by the mean weight."""
    relative = {title: weighting.relative for title, weighting in weightings.items()}
    columns = 2 if len(relative) == 4 else min(3, len(relative))
    rows = -(-len(relative) // columns)
    # The square root keeps bands apart that lie far below the largest weight of all variants.
    colours = Colours(
        colormap=matplotlib.colormaps["cividis"],
        norm=PowerNorm(0.5, 0, max(max(each.weights) for each in relative.values())),
        label="band weight ÷ mean weight (band number: value)",
    )
    height, width = next(iter(relative.values())).bands.shape
    panel_inches = (WIDTH_INCHES - 0.9) / max(columns, 2) * min(height / width, 2)
    with panels(1.2 + rows * (0.6 + panel_inches), rows, columns) as (figure, grid):
        used, unused = list(grid.flat)[: len(relative)], list(grid.flat)[len(relative) :]
        for axes, (title, weighting) in zip(used, relative.items(), strict=True):
            axes.imshow(weighting.plane, cmap=colours.colormap, norm=colours.norm)
            edges = LineCollection(_edges(weighting.bands), colors=[PAPER], linewidths=1)
            axes.add_collection(edges)
            axes.set(title=title, xlabel="horizontal frequency", ylabel="vertical frequency")
            axes.grid(visible=False)
            if weighting.bands.count <= MAX_BAND_LABELS:
                _label_bands(axes, weighting, colours)
        for axes in unused:
            axes.remove()
        colours.draw_scale(figure, used)
        return figure


def weighted_images(samples: Sequence[Sample], weightings: Mapping[str, Weighting]) -> Figure:
    """Draw each sample and what is left of it after weighting, ``idct(X ⊙ s)``.

    Every panel has its own contrast, which is written below it.
    """
    rows = [
        [_idct(plane) for plane in _weighted(sample, weightings)]
        for sample in samples[:MAX_SAMPLES]
    ]
    figure, grid = _sample_grid(samples[:MAX_SAMPLES], ["original", *weightings])
    for panels_of_sample, images in zip(grid, rows, strict=True):
        for axes, image in zip(panels_of_sample, images, strict=True):
            low, high = float(image.min()), float(image.max())
            stretched = (image - low) / max(high - low, 1e-12)
            shown = np.moveaxis(stretched, 0, -1) if len(image) == 3 else stretched.mean(0)
            axes.imshow(shown, cmap="gray", vmin=0, vmax=1)
            axes.set_xlabel(f"{low:.2f} … {high:.2f}".replace("-", "−"), fontsize=8)
    return figure


def weighted_spectra(samples: Sequence[Sample], weightings: Mapping[str, Weighting]) -> Figure:
    """Magnitude of the coefficients before and after weighting, on one logarithmic scale."""
    shown = samples[: MAX_SAMPLES // 2]
    spectra = [
        [np.log10(np.abs(plane).mean(0) + 1e-4) for plane in _weighted(sample, weightings)]
        for sample in shown
    ]
    colours = Colours(
        colormap=matplotlib.colormaps["cividis"],
        norm=Normalize(-3, max(float(plane.max()) for row in spectra for plane in row)),
        label="log₁₀ |coefficient| (zero frequency at the top left)",
    )
    figure, grid = _sample_grid(shown, ["before", *weightings])
    for panels_of_sample, row in zip(grid, spectra, strict=True):
        for axes, plane in zip(panels_of_sample, row, strict=True):
            axes.imshow(plane, cmap=colours.colormap, norm=colours.norm)
    colours.draw_scale(figure, grid.flat)
    return figure


def _weighted(sample: Sample, weightings: Mapping[str, Weighting]) -> list[Floats]:
    """Coefficients of a sample by SciPy's DCT, as they are and weighted."""
    centred = sample.pixels_u8 / 255 - 0.5
    coefficients = np.asarray(fft.dctn(centred, axes=(-2, -1), norm="ortho"))
    return [coefficients, *(coefficients * each.plane for each in weightings.values())]


def _idct(coefficients: Floats) -> Floats:
    return np.asarray(fft.idctn(coefficients, axes=(-2, -1), norm="ortho"))


def _edges(bands: Bands) -> list[list[tuple[float, float]]]:
    """Line segments (x, y) between neighbouring coefficients of different bands."""
    index = bands.plane
    right = np.argwhere(index[:, 1:] != index[:, :-1])
    below = np.argwhere(index[1:] != index[:-1])
    segments = [[(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)] for y, x in right.tolist()]
    return segments + [[(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for y, x in below.tolist()]


def _label_bands(axes: Axes, weighting: Weighting, colours: Colours) -> None:
    """Write each band's number and weight where it crosses the diagonal."""
    bands = weighting.bands
    height, width = bands.shape
    steps = np.linspace(0, 1, 400)
    rows, columns = steps * (height - 1), steps * (width - 1)
    on_diagonal = bands.plane[rows.round().astype(int), columns.round().astype(int)]
    free_from = -math.inf
    for band in np.unique(bands.plane).tolist():
        inside = on_diagonal == band
        row, column = np.argwhere(bands.plane == band)[0].astype(float)
        if inside.any():
            row, column = rows[inside].mean(), columns[inside].mean()
        if row < free_from:
            continue
        free_from = row + height / _LABEL_ROWS
        # At the sides, text is aligned to the edge, so that it stays inside the plane.
        side = {0: "left", bands.count - 1: "right"}.get(band, "center")
        axes.text(
            {"left": -0.3, "right": width - 0.7}.get(side, column),
            row,
            f"{band + 1}: {weighting.weights[band]:.2f}",
            ha=side,
            va="center",
            fontsize=8,
            color=text_on(colours.of(weighting.weights[band])),
        )


def _sample_grid(samples: Sequence[Sample], titles: Sequence[str]) -> tuple[Figure, NDArray[Any]]:
    _, height, width = samples[0].pixels_u8.shape
    # Few columns would make huge panels: as if there were at least five.
    panel_inches = WIDTH_INCHES / max(len(titles), 5) * height / width
    inches = 1.0 + len(samples) * (panel_inches + 0.15)
    with panels(inches, len(samples), len(titles)) as (figure, grid):
        for axes, title in zip(grid[0], titles, strict=True):
            axes.set_title(title.replace(" ", "\n", 1), fontsize=8.5, loc="center")
        for sample, row in zip(samples, grid, strict=True):
            row[0].set_ylabel(short_name(sample.class_name), rotation=0, ha="right", va="center")
        for axes in grid.flat:
            axes.set(xticks=[], yticks=[])
            no_frame(axes)
        return figure, grid
