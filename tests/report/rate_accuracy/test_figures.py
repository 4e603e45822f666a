"""What is drawn, read back from the figures' artists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bandwise.report.rate_accuracy import figures
from bandwise.report.rate_accuracy.codecs import look_of
from bandwise.report.rate_accuracy.curves import Chart
from bandwise.report.rate_accuracy.summary import RateSummary


@pytest.fixture(scope="module")
def chart(summary: RateSummary) -> Chart:
    found = summary.chart
    assert found is not None
    return found


def looks_of(chart: Chart) -> figures.Looks:
    return {curve.name: look_of(curve.name) for curve in chart.curves}


@pytest.fixture(scope="module")
def figure(chart: Chart) -> Figure:
    return figures.accuracy_curves(chart, looks_of(chart))


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_lines_are_envelopes_in_percent_on_a_logarithmic_axis(chart: Chart, figure: Figure) -> None:
    axes = figure.axes[0]
    line = next(line for line in axes.get_lines() if line.get_label() == "libjpeg")
    curve = next(curve for curve in chart.curves if curve.name == "libjpeg")
    expected = [(mark.mean_bytes, 100 * mark.accuracy) for mark in curve.envelope]
    assert np.asarray(line.get_xydata()) == pytest.approx(np.array(expected))
    assert axes.get_xscale() == "log"


def test_second_axis_is_in_bits_per_source_pixel(figure: Figure) -> None:
    axes = figure.axes[0]
    figure.draw_without_rendering()
    above = axes.child_axes[0]
    assert above.get_xlabel() == "bits per source pixel"
    assert above.get_xlim() == pytest.approx(np.array(axes.get_xlim()) * 8 / 128**2)


def test_enlarged_panel_marks_the_bounds(chart: Chart, figure: Figure) -> None:
    enlarged = figure.axes[1]
    assert texts(enlarged) == ["originals", "−0.5 points", "−1 point"]
    assert chart.original is not None
    assert enlarged.get_ylim()[0] == pytest.approx(100 * chart.original - figures.ENLARGED_POINTS)
    sizes = [mark.mean_bytes for curve in chart.curves for mark in curve.marks]
    assert enlarged.get_xlim()[0] > min(sizes)


def test_without_originals_nothing_is_enlarged(chart: Chart) -> None:
    figure = figures.accuracy_curves(replace(chart, original=None), looks_of(chart))
    assert len(figure.axes) == 1
    assert texts(figure.axes[0]) == []


def test_shaded_are_few_curves_or_the_two_compared(chart: Chart, figure: Figure) -> None:
    assert figures.banded(chart) == ["bandwise", "libjpeg"]
    assert len(figure.axes[0].collections) == 2
    few = replace(chart, curves=chart.curves[1:4])
    assert figures.banded(few) == ["libjpeg", "mozjpeg", "jpegli"]


def test_divergence_is_drawn_on_two_logarithmic_axes(chart: Chart) -> None:
    axes = figures.divergence_curves(chart, looks_of(chart)).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    curve = chart.curves[0]
    line = next(line for line in axes.get_lines() if line.get_label() == "bandwise")
    assert np.asarray(line.get_ydata()).tolist() == [mark.divergence for mark in curve.divergences]


def test_estimates_are_deviations_in_percent(summary: RateSummary) -> None:
    points = [point for point in summary.points() if point.estimated_payload_bytes is not None][:3]
    points[0] = replace(points[0], estimated_payload_bytes=1100, payload_bytes=1000)
    family = points[0].family
    axes = figures.estimates(points, {family: look_of("bandwise")}).axes[0]
    line = next(line for line in axes.get_lines() if line.get_label() == "bandwise")
    assert np.asarray(line.get_xydata())[0].tolist() == pytest.approx([1000 / 372, 10.0])
    assert axes.get_ylim()[1] > 10
    assert "±5 %" in texts(axes)
