"""What is drawn, read back from the figures' artists."""

from __future__ import annotations

import numpy as np
import pytest

from bandwise.report.straight import figures, heatmaps, straight_summary
from bandwise.report.straight.records import Setting
from bandwise.report.straight.summary import StraightSummary

from .synthetic import straight_rows


def test_curves_are_means_over_seeds_by_epoch_and_by_minutes(summary: StraightSummary) -> None:
    figure = figures.training_curves(summary, "resnet")
    by_epoch, by_time = figure.axes[:2]
    runs = summary.runs[Setting("resnet", "pixels")].values()
    for axes in (by_epoch, by_time):
        line = axes.get_lines()[1]
        assert line.get_label() == "pixels"
        last = np.asarray(line.get_ydata())[-1]
        assert last == pytest.approx(100 * np.mean([run.validation_curve[-1] for run in runs]))
    assert np.asarray(by_epoch.get_lines()[1].get_xdata()).tolist() == list(range(1, 17))
    minutes = np.mean([summary.elapsed_seconds(run)[-1] for run in runs]) / 60
    assert np.asarray(by_time.get_lines()[1].get_xdata())[-1] == pytest.approx(minutes)
    assert [text.get_text() for text in by_epoch.texts] == ["full size"]
    assert np.asarray(by_epoch.get_lines()[2].get_xdata())[0] == 12.5


def test_every_rule_has_a_line_and_all_frequencies_a_mark(summary: StraightSummary) -> None:
    (selection,) = summary.selections
    by_count, by_bytes = figures.kept_accuracy(summary, selection).axes
    lines = {
        str(line.get_label()): line
        for line in by_bytes.get_lines()
        if not str(line.get_label()).startswith("_")
    }
    assert list(lines) == ["importance", "energy", "zigzag", "all 192"]
    energy = [summary.accuracy(selection.setting(kept, "energy")) for kept in (64, 24, 12)]
    drawn = np.asarray(lines["energy"].get_ydata())
    assert drawn.tolist() == pytest.approx([100 * spread.mean for spread in energy])
    sizes = [summary.file_bytes(selection.setting(kept, "energy")) for kept in (64, 24, 12)]
    assert np.asarray(lines["energy"].get_xdata()).tolist() == pytest.approx(sizes)
    assert len(by_bytes.collections) == 10  # an interval a setting, all frequencies included
    assert by_count.get_xticks().tolist() == [64, 24, 12, 192]


def test_one_seed_has_no_interval() -> None:
    summary = straight_summary(straight_rows(seeds=(0,)))
    axes = figures.kept_accuracy(summary, summary.selections[0]).axes[0]
    assert not axes.collections


def test_maps_count_the_seeds_that_keep_a_frequency(summary: StraightSummary) -> None:
    (selection,) = summary.selections
    runs = summary.runs[selection.setting(12, "zigzag")]
    luma, cb = (heatmaps.times_kept(runs, name) for name in ("luma", "cb"))
    assert luma[0].tolist() == [3, 3, 3, 3, 0, 0, 0, 0]  # zigzag: 8 of luma, 2 of each chroma
    assert (luma.sum(), cb.sum()) == (24, 6)
    chosen = summary.runs[selection.setting(12, "importance")]
    total = sum(heatmaps.times_kept(chosen, name).sum() for name in ("luma", "cb", "cr"))
    assert total == 3 * 12
    figure = heatmaps.kept_frequencies(summary, selection)
    titles = [axes.get_title(loc="left") for axes in figure.axes[:9]]
    assert titles[:3] == ["64 by importance", "64 by energy", "64 by zigzag"]
    assert all(len(axes.collections) == 3 for axes in figure.axes[:9])


def test_maps_of_grey_and_unfinished_runs() -> None:
    rows = straight_rows(channels=1, kept=(24,), seeds=(0, 1))[:-2]
    summary = straight_summary(rows)
    figure = heatmaps.kept_frequencies(summary, summary.selections[0])
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["24 by importance", "24 by energy, 1 seed", "24 by zigzag, 1 seed"]
    assert all(len(axes.collections) == 1 for axes in figure.axes[:3])
    first = straight_summary([row for row in straight_rows() if row.get("rule") != "energy"][:-1])
    (selection,) = first.selections
    assert "12 by zigzag, 2 seeds" in [
        axes.get_title(loc="left") for axes in heatmaps.kept_frequencies(first, selection).axes
    ]
