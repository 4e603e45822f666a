"""What is drawn, read back from the figures' artists."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bandwise.report import figures
from bandwise.report.records import parse_records
from bandwise.report.summary import Summary, summarise
from bandwise.report.variants import VARIANTS

from .conftest import synthetic_rows


@pytest.fixture(scope="module")
def summary() -> Summary:
    names = ["static", "adaptive", "none", "shuffled"]
    rows = synthetic_rows(variants=names, epochs=6, unfinished=[("none", 2)])
    return summarise(parse_records(rows))


def line(axes: Axes, label: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    found = next(line for line in axes.get_lines() if line.get_label() == label)
    return np.asarray(found.get_xydata(), dtype=np.float64)


def test_curves_are_means_over_the_seeds_that_reached_the_epoch(summary: Summary) -> None:
    axes = figures.losses(summary).axes[0]
    drawn = line(axes, "no weighting")
    assert drawn[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    histories = summary.records.histories
    first = np.mean([histories["none", seed][0].train_loss for seed in (0, 1, 2)])
    last = np.mean([histories["none", seed][-1].train_loss for seed in (0, 1)])
    assert drawn[[0, -1], 1] == pytest.approx([first, last])


def test_every_variant_has_its_own_colour_and_line() -> None:
    looks = list(VARIANTS.values())
    assert len({look.colour for look in looks}) == len(looks)
    assert len({look.marker for look in looks}) == len(looks)
    dashes = [look.line for look in looks]
    assert dashes.count("solid") == 2  # adaptive and no weighting: blue against black
    assert len(set(dashes)) == len(looks) - 1


def test_losses_use_a_logarithmic_axis_only_where_it_helps(summary: Summary) -> None:
    assert figures.losses(summary).axes[0].get_yscale() == "log"
    short = synthetic_rows(variants=["static"], seeds=[0], epochs=2)
    assert figures.losses(summarise(parse_records(short))).axes[0].get_yscale() == "linear"


def test_enlarged_accuracy_leaves_out_shuffled_labels(summary: Summary) -> None:
    whole, enlarged = figures.accuracies(summary).axes
    assert line(whole, "shuffled labels")[-1, 1] == pytest.approx(10)
    assert "shuffled labels" not in [item.get_label() for item in enlarged.get_lines()]
    assert enlarged.get_ylim()[0] > whole.get_ylim()[0]


def test_gain_figure_shows_paper_only_when_asked(summary: Summary) -> None:
    gains = [gain for gain in summary.gains_over("static") if gain.variant != "shuffled"]

    def texts(figure: Figure) -> str:
        return " ".join(text.get_text() for text in figure.axes[0].texts)

    assert "paper, adaptive: +1.21" in texts(figures.gains(gains, reference=0.0121))
    assert "paper" not in texts(figures.gains(gains, reference=None))


def test_many_classes_are_cut_to_the_hardest() -> None:
    names = [f"class {number}" for number in range(40)]
    rows = synthetic_rows(variants=["static"], seeds=[0], epochs=1, classes=names)
    for row in rows:
        if row["record"] == "run":
            row["test_per_class"] = [0.5 + number / 100 for number in range(40)]
    axes = figures.class_accuracies(summarise(parse_records(rows))).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == names[: figures.MAX_CLASSES]


def test_weight_history_names_every_band_without_overlap(summary: Summary) -> None:
    axes = figures.weight_history(summary, "adaptive").axes[0]
    heights = sorted(text.xyann[1] for text in axes.texts)  # type: ignore[attr-defined]
    low, high = axes.get_ylim()
    assert len(heights) == 8
    assert min(np.diff(heights)) >= 0.05 * (high - low)
    assert any(text.get_text().startswith("band 1 (lowest)") for text in axes.texts)


def test_weight_histories_are_relative_to_the_mean(summary: Summary) -> None:
    figure = figures.weight_histories(summary, ["adaptive", "shuffled"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["adaptive", "shuffled labels"]
    ends = [np.asarray(item.get_ydata())[-1] for item in figure.axes[0].get_lines()[:8]]
    assert sum(map(float, ends)) == pytest.approx(8)
