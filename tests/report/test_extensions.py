"""Edges and weights of classes, read back from the figures' artists."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from bandwise.report import extensions
from bandwise.report.figures import MAX_CLASSES
from bandwise.report.records import parse_records
from bandwise.report.summary import Summary, summarise

from .conftest import synthetic_rows


def summary_of(*variants: str, classes: int = 10, bands: int = 8) -> Summary:
    names = [f"class {number}" for number in range(classes)]
    rows = synthetic_rows(variants=variants, epochs=4, classes=names, band_count=bands)
    return summarise(parse_records(rows))


def curves(axes: Axes) -> list[list[float]]:
    """Values of the lines over epochs; lines across the whole axes have two."""
    values = [np.asarray(line.get_ydata(), dtype=np.float64).tolist() for line in axes.get_lines()]
    return [each for each in values if len(each) == 4]


def test_edges_are_means_over_seeds_between_named_bands() -> None:
    summary = summary_of("edges")
    edges, exponent = extensions.edge_history(summary).axes
    rings = [summary.records.histories["edges", seed][-1].rings for seed in (0, 1, 2)]
    means = np.mean([each.edges for each in rings if each is not None], axis=0)
    assert [curve[-1] for curve in curves(edges)] == pytest.approx(means.tolist())
    assert [text.get_text() for text in edges.texts] == [f"band {k}" for k in range(1, 9)]
    (curve,) = curves(exponent)
    assert curve[-1] == pytest.approx(np.mean([each.exponent for each in rings if each]))


def test_many_bands_are_not_named() -> None:
    edges, _ = extensions.edge_history(summary_of("edges", bands=14)).axes
    assert len(curves(edges)) == 13
    assert not edges.texts


def test_classes_are_set_against_all_images() -> None:
    summary = summary_of("input")
    spread, classes = extensions.class_weights(summary).axes
    item = summary.variants["input"]
    assert item.class_weights is not None
    drawn = np.asarray(classes.images[0].get_array())
    first = 100 * (item.class_weights[0][0] / item.band_weights[0].mean - 1)
    assert drawn[0, 0] == pytest.approx(first)
    assert classes.texts[0].get_text() == f"{first:+.1f}"
    low, high = classes.images[0].get_clim()
    assert -low == high == pytest.approx(np.abs(drawn).max())
    marks = np.asarray(spread.get_lines()[0].get_ydata())
    assert marks.tolist() == pytest.approx([weight.mean for weight in item.band_weights])


def test_of_many_classes_those_that_differ_most_are_drawn() -> None:
    classes = extensions.class_weights(summary_of("input", classes=40)).axes[1]
    labels = [label.get_text() for label in classes.get_yticklabels()]
    assert len(labels) == MAX_CLASSES
    assert {"class 0", "class 39"} <= set(labels)
    assert "class 20" not in labels
