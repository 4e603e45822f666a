"""Figures of what the extensions learn: edges over the epochs, weights of each class."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from bandwise.report.drawing import (
    MUTED,
    band_colours,
    house_style,
    new_figure,
    short_name,
    text_on,
)
from bandwise.report.figures import (
    MAX_BAND_LABELS,
    MAX_CLASSES,
    Value,
    by_epoch,
    draw_range,
    epoch_axis,
)
from bandwise.report.records import Epoch
from bandwise.report.summary import Summary
from bandwise.report.variants import VARIANTS

START_EXPONENT = 2.0
"""That of the paper's distance, at which learning begins; edges begin at equal distances."""

NARROW = 0.04
"""Width of a band below which its name would run into its neighbour's."""


def edge_history(summary: Summary) -> Figure:
    """Edges of the bands and exponent of the distance by epoch: means and ranges over seeds."""
    count = summary.records.experiment.bands.count
    with house_style():
        figure = new_figure(4.0)
        edges, exponent = figure.subplots(1, 2, width_ratios=(2, 1))
        ends = [0.0]
        for edge, colour in enumerate(band_colours(count)[:-1]):
            curve = by_epoch(summary, "edges", _edge(edge))
            edges.axhline((edge + 1) / count, color=MUTED, lw=0.8, ls=(0, (2, 2)))
            edges.plot([e for e, _ in curve], [fmean(v) for _, v in curve], color=colour)
            draw_range(edges, curve, colour)
            ends.append(fmean(curve[-1][1]))
        if count <= MAX_BAND_LABELS:
            for band, (low, high) in enumerate(pairwise([*ends, 1.0])):
                if high - low < NARROW:
                    continue
                edges.annotate(
                    f"band {band + 1}",
                    (1.01, (low + high) / 2),
                    xycoords=("axes fraction", "data"),
                    va="center",
                    fontsize=8,
                )
        edges.set(title="Edges between bands", ylabel="distance d (0 lowest, 1 highest)")
        edges.set_ylim(0, 1)
        look = VARIANTS["edges"]
        curve = by_epoch(summary, "edges", _exponent)
        exponent.axhline(START_EXPONENT, color=MUTED, lw=0.8, ls=(0, (2, 2)))
        exponent.plot([e for e, _ in curve], [fmean(v) for _, v in curve], color=look.colour)
        draw_range(exponent, curve, look.colour)
        exponent.set(title="Exponent of the distance", ylabel="p (1 diamond, 2 circle)")
        for axes in (edges, exponent):
            epoch_axis(axes)
        return figure


def class_weights(summary: Summary) -> Figure:
    """Weights that depend on the image: spread over images, and how classes differ from all."""
    item = summary.variants["input"]
    assert item.class_weights is not None
    assert item.image_spread is not None
    names = summary.records.experiment.dataset.classes
    means = np.asarray([weight.mean for weight in item.band_weights])
    difference = 100 * (np.asarray(item.class_weights) / means - 1)
    shown = np.sort(np.argsort(-np.abs(difference).max(1), kind="stable")[:MAX_CLASSES])
    difference = difference[shown]
    bands, limit = np.arange(len(means)), max(np.abs(difference).max(), 1e-9)
    with house_style():
        figure = new_figure(3.2 + max(0.26 * len(shown), 1.0))
        grid = GridSpec(2, 1, figure, height_ratios=(2.0, max(0.26 * len(shown), 1.0)))
        spread, classes = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
        look = VARIANTS["input"]
        spread.errorbar(
            bands, means, yerr=item.image_spread, fmt=look.marker, color=look.colour, capsize=3
        )
        spread.axhline(float(means.mean()), color=MUTED, lw=0.9)
        spread.set(title="Weights over images: mean ± standard deviation", ylabel="band weight w")
        image = classes.imshow(difference, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
        classes.set_title("Mean weight of each class, against that of all images (%)")
        classes.set_yticks(range(len(shown)), [short_name(names[index]) for index in shown])
        classes.set(xlabel="band (1 lowest)", ylabel="class")
        classes.grid(visible=False)
        for axes in (spread, classes):
            axes.set_xlim(-0.5, len(means) - 0.5)
        if len(means) <= MAX_BAND_LABELS:
            for axes in (spread, classes):
                axes.set_xticks(bands, [str(band + 1) for band in bands])
            for row, column in np.ndindex(*difference.shape):
                value = difference[row, column]
                classes.text(
                    column,
                    row,
                    f"{value:+.1f}".replace("-", "−"),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=text_on(tuple(image.to_rgba(value))),
                )
        else:
            figure.colorbar(image, ax=classes, label="%")
        return figure


def _edge(number: int) -> Value:
    return lambda epoch: None if epoch.rings is None else epoch.rings.edges[number]


def _exponent(epoch: Epoch) -> float | None:
    return None if epoch.rings is None else epoch.rings.exponent
