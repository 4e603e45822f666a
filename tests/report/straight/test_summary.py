"""Statistics against numbers worked out by hand."""

from __future__ import annotations

import pytest

from bandwise.report.straight import straight_summary
from bandwise.report.straight.records import Setting
from bandwise.report.straight.summary import StraightSummary

from ..test_summary import T_975_TWO_DEGREES
from .synthetic import Row, experiment_row, straight_rows, trained_row

COEFFICIENTS, PIXELS = Setting("resnet", "coefficients"), Setting("resnet", "pixels")


def twins(ours: list[float], theirs: list[float]) -> list[Row]:
    """Runs of a network and its twin with these test accuracies, one a seed."""
    return [
        experiment_row(),
        *(
            trained_row("resnet", reads, seed, accuracy, test=1000)
            for reads, accuracies in (("coefficients", ours), ("pixels", theirs))
            for seed, accuracy in enumerate(accuracies)
        ),
    ]


def test_twins_are_compared_seed_by_seed() -> None:
    summary = straight_summary(twins([0.762, 0.770, 0.769], [0.750, 0.760, 0.755]))
    assert summary.twins == ("resnet",)
    gain = summary.twin_gain("resnet")
    assert gain is not None
    assert gain.interval is not None
    # Differences 0.012, 0.010, 0.014: mean 0.012, standard deviation 0.002.
    half = T_975_TWO_DEGREES * 0.002 / 3**0.5
    assert gain.mean == pytest.approx(0.012)
    assert gain.interval == pytest.approx((0.012 - half, 0.012 + half), rel=1e-5)
    assert (gain.variant, gain.baseline) == (COEFFICIENTS.name, PIXELS.name)
    accuracy = summary.accuracy(PIXELS)
    assert accuracy.interval is not None
    # Standard deviation 0.005 around 0.755.
    assert accuracy.interval[1] == pytest.approx(0.755 + T_975_TWO_DEGREES * 0.005 / 3**0.5)


def test_only_common_seeds_are_compared() -> None:
    summary = straight_summary(twins([0.7, 0.8, 0.9], [0.6]))
    gain = summary.twin_gain("resnet")
    assert gain is not None
    assert (gain.seeds, gain.interval) == ((0,), None)
    assert gain.mean == pytest.approx(0.1)
    assert len(summary.speed_ratios("resnet")) == 1


def test_speed_is_that_of_the_median_epoch_at_full_size() -> None:
    rows = twins([0.7], [0.7])
    rows[1]["train_seconds"] = [1.0] * 12 + [10.0, 20.0, 21.0, 500.0]
    rows[2]["train_seconds"] = [1.0] * 12 + [41.0] * 4
    summary = straight_summary(rows)
    assert summary.rate(COEFFICIENTS).mean == pytest.approx(3068 / 20.5)
    assert list(summary.speed_ratios("resnet")) == pytest.approx([2.0])
    rows[0]["settings"]["training"]["small_share"] = 1.0  # the last epoch stands for those
    assert straight_summary(rows).rate(COEFFICIENTS).mean == pytest.approx(3068 / 500)
    rows[0]["settings"]["training"]["small_share"] = 0.0
    assert straight_summary(rows).rate(COEFFICIENTS).mean == pytest.approx(3068)


def test_a_pause_does_not_shift_the_time_of_later_epochs() -> None:
    rows = straight_rows(seeds=(0,))
    paused = next(row for row in rows if row.get("reads") == "pixels")
    before = straight_summary(rows)
    paused["train_seconds"][13] += 400.0
    run, calm = (
        summary.runs[Setting(paused["network"], "pixels")][0]
        for summary in (straight_summary(rows), before)
    )
    assert before.elapsed_seconds(run) == before.elapsed_seconds(calm)
    assert before.elapsed_seconds(calm)[-1] == pytest.approx(sum(calm.train_seconds))


def test_savings_are_against_whole_files(summary: StraightSummary) -> None:
    (selection,) = summary.selections
    assert (selection.counts, selection.rules) == ((64, 24, 12), ("importance", "energy", "zigzag"))
    some = selection.setting(12, "importance")
    files = [7 * (image % 5) for image in range(372)]
    extra = sum(files) / len(files)
    assert summary.file_bytes(some) == pytest.approx(1250 + extra)
    assert summary.saving(some) == pytest.approx(1 - (1250 + extra) / (3100 + extra))
    assert summary.frequencies == 192


def test_what_is_missing_is_known_by_what_is_there() -> None:
    rows = straight_rows()
    assert straight_summary(rows).missing == {}
    assert straight_summary(rows).alone == []
    cut = straight_summary(rows[:-2])
    assert cut.missing == {
        Setting("resnet-small", "coefficients", 12, "energy"): [2],
        Setting("resnet-small", "coefficients", 12, "zigzag"): [2],
    }
    begun = straight_summary(rows[:3])
    assert begun.alone == [Setting("resnet-small", "coefficients"), COEFFICIENTS]
