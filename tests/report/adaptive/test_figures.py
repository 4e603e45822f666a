"""What is drawn, read back from the figures' artists."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bandwise.measures import ONE_TABLE, RATE
from bandwise.report.adaptive import adaptive_summary, edges, figures, heatmaps
from bandwise.report.adaptive.sections.choices import chosen_points, shown_labels
from bandwise.report.adaptive.sections.curves import compared_chart
from bandwise.report.adaptive.sections.tables import learned_edges
from bandwise.report.adaptive.summary import AdaptiveSummary
from bandwise.tables import TableSet

from .synthetic import LABELS, PREFIX, SIZES, adaptive_rows, bands_row

BOTH = f"{PREFIX}codebook of 2 + rate"


def heights(axes: Axes) -> list[float]:
    return [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]


def test_savings_have_a_row_each_with_seeds_mean_and_interval(summary: AdaptiveSummary) -> None:
    figure = figures.savings(summary)
    at_bound, _, at_divergence = figure.axes
    names = [label.get_text() for label in at_bound.get_yticklabels()]
    assert names == [
        *("scale", "rate", "codebook of 2", "codebook of 2 + rate", "bandwise guided", "oracle")
    ]
    place = names.index("rate")
    seeds, mean = (
        np.asarray(line.get_xydata())
        for line in at_bound.get_lines()
        if np.asarray(line.get_ydata())[0] == place and line.get_marker() in ("|", "o")
    )
    assert seeds[:, 0] == pytest.approx([10, 9, 8], abs=0.01)
    assert mean[0, 0] == pytest.approx(9, abs=0.01)
    assert len(at_bound.collections) == 3  # equal savings and single seeds have no interval
    drawn = {np.asarray(line.get_ydata())[0] for line in at_divergence.get_lines()[2:]}
    assert drawn == set(range(len(names) - 1))  # no oracle
    assert at_divergence.get_xlim() == pytest.approx((-5 - 0.15 * 45, 40 + 0.15 * 45), abs=0.05)
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["target"] * 3


def test_looks_differ_and_stay_the_same(summary: AdaptiveSummary) -> None:
    looks = figures.looks_of(summary)
    assert len(looks) == 7
    assert len({(look.colour, look.marker) for look in looks.values()}) == 7
    fewer = adaptive_summary(adaptive_rows(seeds=(0,), bounds={}))
    assert figures.looks_of(fewer)[RATE] == looks[RATE]


def test_edges_are_drawn_by_the_price_of_a_bit() -> None:
    rows = [*adaptive_rows(seeds=(0, 1)), bands_row(0), bands_row(1)]
    found = learned_edges(adaptive_summary(rows))
    assert list(found) == [f"{PREFIX}3 bands, edges"]
    luma, chroma = edges.edges_by_price(found).axes
    assert luma.get_title(loc="left") == "luma, p = 1.00 to 5.00"
    assert luma.get_ylabel().startswith("3 bands, edges")
    assert chroma.get_xscale() == "log"
    drawn = [np.asarray(line.get_xydata()) for line in luma.get_lines()]
    low, second = (line for line in drawn if len(line) == len(LABELS))
    assert low[:, 0] == pytest.approx([float(label) for label in LABELS])
    assert low[:, 1] == pytest.approx([0.1] * 5)
    assert second[:, 1] == pytest.approx([0.61, 0.51, 0.41, 0.31, 0.21])


def test_edges_of_a_seed_at_other_prices_are_left_out() -> None:
    other = bands_row(1)
    for name in ("rings", "slopes"):
        other[name] = other[name][1:]
    other["codebook"] = [ladder[1:] for ladder in other["codebook"]]
    found = learned_edges(adaptive_summary([*adaptive_rows(), bands_row(0), other, bands_row(2)]))
    assert [book.seed for book in found[f"{PREFIX}3 bands, edges"]] == [0, 2]
    luma, _ = edges.edges_by_price(found).axes
    assert len(luma.collections) == 2


def test_tables_between_two_rungs_are_counted_with_the_nearer(summary: AdaptiveSummary) -> None:
    rows = adaptive_rows(seeds=(0,))
    for row in rows:
        if row["record"] == "choices":
            row["rungs"] = [max(rung - 0.4, 0) for rung in row["rungs"]]
    assert figures.rung_shares(adaptive_summary(rows), RATE, LABELS[1]) == pytest.approx(
        figures.rung_shares(summary, RATE, LABELS[1])
    )


def test_rungs_are_shares_of_the_test_images(summary: AdaptiveSummary) -> None:
    assert shown_labels(summary) == [LABELS[1], LABELS[2], LABELS[3]]
    figure = figures.rungs(summary, [LABELS[0], LABELS[2]])
    first, second = figure.axes
    assert first.get_title(loc="left") == "Price 1e-07"
    # At the end, the first rung is its own neighbour; two policies have five bars each.
    assert heights(first) == pytest.approx([67, 33, 0, 0, 0] * 2)
    assert heights(second) == pytest.approx([0, 34, 33, 33, 0] * 2)


def test_sizes_are_cumulative_shares_with_the_mean(summary: AdaptiveSummary) -> None:
    points = chosen_points(summary)
    assert list(points) == list(figures.looks_of(summary))
    axes = figures.sizes(points, figures.looks_of(summary)).axes[0]
    line = next(line for line in axes.get_lines() if line.get_label() == "one table")
    xs, ys = np.asarray(line.get_xydata()).T
    assert (xs[0], xs[-1]) == (0.5 * SIZES[2], 1.5 * SIZES[2])
    assert (ys[0], ys[-1]) == (1, 100)
    mean = axes.get_lines()[1]
    assert np.asarray(mean.get_xydata())[0] == pytest.approx([SIZES[2], 50])


def test_curves_are_means_over_seeds(summary: AdaptiveSummary) -> None:
    chart = compared_chart(summary)
    assert [curve.name for curve in chart.curves] == list(figures.looks_of(summary))
    curve = chart.curves[2]
    assert curve.name == RATE
    assert [mark.mean_bytes for mark in curve.marks[::-1]] == pytest.approx(
        [0.91 * size for size in SIZES], abs=0.6
    )
    assert {mark.seeds for mark in curve.marks} == {3}


def test_a_ladder_is_drawn_with_its_steps() -> None:
    tables = {"first": TableSet.ijg(50), "last": TableSet.ijg(10)}
    figure = heatmaps.ladder(tables)
    panels = figure.axes[:4]
    assert [axes.get_title(loc="left") for axes in panels] == [
        *("first, luma", "last, luma", "first, chroma", "last, chroma")
    ]
    steps = [text.get_text() for text in panels[3].texts]
    chroma = tables["last"].chroma
    assert chroma is not None
    assert steps == [str(step) for step in chroma.values]
    grey = heatmaps.ladder({"only": TableSet(luma=TableSet.ijg(50).luma)})
    assert len(grey.axes) == 2  # a table and the colours


def test_kinds_are_drawn_relative_to_one_table(summary: AdaptiveSummary) -> None:
    one, book = summary.codebook(RATE), summary.codebook(BOTH)
    assert one is not None
    assert book is not None
    figure = heatmaps.kinds(book, one, 3)
    first, second = figure.axes[:2]
    assert [axes.get_title(loc="left") for axes in (first, second)] == [
        *("kind 1: 150 images", "kind 2: 50 images")
    ]
    assert np.asarray(first.images[0].get_array()).tolist() == np.zeros((8, 8)).tolist()
    expected = np.log2(TableSet.ijg(25).luma.array / TableSet.ijg(20).luma.array)
    assert np.asarray(second.images[0].get_array()) == pytest.approx(expected)
    assert len(figure.axes) == 3
    assert ONE_TABLE not in summary.policies
