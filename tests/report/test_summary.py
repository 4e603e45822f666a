"""Statistics against numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from bandwise.report.records import parse_records
from bandwise.report.summary import Spread, Summary, summarise

from .conftest import synthetic_rows

T_975_TWO_DEGREES = 4.302653
"""97.5 % quantile of Student's t with 2 degrees of freedom, from printed tables."""


def summary_of(accuracies: Mapping[str, Sequence[float]]) -> Summary:
    """Runs with these test accuracies, one a seed."""
    seeds = range(max(map(len, accuracies.values())))
    rows = []
    for row in synthetic_rows(variants=list(accuracies), seeds=seeds, epochs=2):
        if row["record"] == "run":
            if row["seed"] >= len(accuracies[row["variant"]]):
                continue
            row["test_accuracy"] = accuracies[row["variant"]][row["seed"]]
        rows.append(row)
    return summarise(parse_records(rows))


def test_spread_is_the_sample_standard_deviation() -> None:
    spread = Spread.of([1.0, 2.0, 4.0])
    assert spread.mean == pytest.approx(7 / 3)
    assert spread.std == pytest.approx(math.sqrt(7 / 3))
    assert Spread.of([3.0]) == Spread(3.0, None, 1)


def test_gain_is_paired_with_a_t_interval() -> None:
    summary = summary_of({"static": [0.950, 0.960, 0.955], "adaptive": [0.962, 0.970, 0.969]})
    gain = summary.gain("adaptive", "static")
    assert gain is not None
    assert gain.interval is not None
    # Differences 0.012, 0.010, 0.014: mean 0.012, standard deviation 0.002.
    half = T_975_TWO_DEGREES * 0.002 / math.sqrt(3)
    assert gain.mean == pytest.approx(0.012)
    assert gain.interval == pytest.approx((0.012 - half, 0.012 + half), rel=1e-5)
    # With 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(t² + 2).
    t = 0.012 / (0.002 / math.sqrt(3))
    assert gain.p_value == pytest.approx(1 - t / math.sqrt(t * t + 2), rel=1e-6)
    assert gain.direction == 1


def test_interval_that_includes_zero_has_no_direction() -> None:
    gain = summary_of({"static": [0.95, 0.96, 0.95], "adaptive": [0.96, 0.95, 0.952]}).gain(
        "adaptive", "static"
    )
    assert gain is not None
    assert gain.interval is not None
    assert gain.interval[0] < 0 < gain.interval[1]
    assert gain.direction == 0


def test_only_common_seeds_are_paired() -> None:
    gain = summary_of({"static": [0.95, 0.96, 0.97], "adaptive": [0.96, 0.98]}).gain(
        "adaptive", "static"
    )
    assert gain is not None
    assert gain.seeds == (0, 1)
    assert gain.mean == pytest.approx(0.015)


@pytest.mark.parametrize("accuracies", [[0.96], [0.96, 0.97], [0.96, 0.97, 0.98]])
def test_no_interval_without_spread(accuracies: list[float]) -> None:
    summary = summary_of({"static": [x - 0.01 for x in accuracies], "adaptive": accuracies})
    gain = summary.gain("adaptive", "static")
    assert gain is not None
    assert gain.mean == pytest.approx(0.01)
    assert gain.interval is None
    assert gain.p_value is None
    assert gain.direction == 0


def test_no_gain_over_what_was_not_run() -> None:
    assert summary_of({"adaptive": [0.9, 0.9]}).gain("adaptive", "none") is None


def test_time_ratio_compares_runs_and_epochs() -> None:
    rows = synthetic_rows(variants=["static", "adaptive"], seeds=[0, 1], epochs=4)
    for row in rows:
        if row["record"] == "run":
            adaptive = row["variant"] == "adaptive"
            row["epochs"] = 8 if adaptive else 4
            row["train_seconds"] = 84.0 if adaptive else 40.0
    ratio = summarise(parse_records(rows)).time_ratio()
    assert ratio is not None
    assert ratio.run == pytest.approx(2.1)
    assert ratio.epoch == pytest.approx(1.05)


def test_no_time_ratio_with_one_of_the_two() -> None:
    assert summary_of({"static": [0.9]}).time_ratio() is None


def test_unfinished_runs_do_not_count() -> None:
    rows = synthetic_rows(variants=["static"], seeds=[0, 1], epochs=4, unfinished=[("static", 1)])
    summary = summarise(parse_records(rows))
    assert summary.unfinished == (("static", 1),)
    assert summary.variants["static"].seeds == (0,)
    assert summary.variants["static"].accuracy.std is None


def test_lowest_band_is_relative_to_the_mean() -> None:
    rows = synthetic_rows(variants=["adaptive"], seeds=[0], epochs=2, band_count=4)
    for row in rows:
        if row["record"] == "run":
            row["band_weights"] = [0.7, 0.1, 0.1, 0.1]
    summary = summarise(parse_records(rows))
    assert summary.variants["adaptive"].lowest_band == pytest.approx(2.8)
