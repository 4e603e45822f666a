"""Statistics against numbers worked out by hand."""

from __future__ import annotations

import pytest

from bandwise.measures import GUIDED, ONE_TABLE, ORACLE, RATE, SCALE, Headline, part_name
from bandwise.report.adaptive import adaptive_summary
from bandwise.report.adaptive.summary import COMMON_RANGE, EQUAL_DIVERGENCE, AdaptiveSummary, Level

from ..test_summary import T_975_TWO_DEGREES
from .synthetic import FACTORS, PREFIX, adaptive_rows

CODEBOOK = f"{PREFIX}codebook of 2"
BOTH = f"{CODEBOOK} + rate"


def test_ways_of_choosing_come_in_order(summary: AdaptiveSummary) -> None:
    assert summary.families == (ONE_TABLE, SCALE, RATE, CODEBOOK, BOTH)
    assert summary.candidates == (RATE, BOTH)
    assert summary.bounds == (GUIDED, ORACLE)
    assert summary.seeds_of(RATE) == (0, 1, 2)
    assert summary.seeds_of(ORACLE) == (0,)
    names = ("codebook of 16", "codebook of 4", "new idea", "codebook of 4 + rate", "one table")
    more = adaptive_summary(adaptive_rows(seeds=(0,), factors=dict.fromkeys(names, (1.0,))))
    assert [part_name(family) for family in more.families] == [
        *("one table", "codebook of 4", "codebook of 16", "codebook of 4 + rate", "new idea")
    ]
    assert more.compared == (ONE_TABLE,)  # no policy was asked for these


def test_settings_are_chosen_on_validation_for_every_seed(summary: AdaptiveSummary) -> None:
    chosen = {bound: summary.choices(RATE, bound) for bound in (0, 0.5, 1)}
    assert {c.label for b in (0, 0.5) for c in chosen[b].values()} == {"1e-06"}
    assert {c.label for c in chosen[1].values()} == {"1e-05"}
    size, accuracy = summary.size_bytes(RATE, 1), summary.accuracy(RATE, 1)
    assert size is not None
    assert accuracy is not None
    assert (size.mean, size.std) == pytest.approx((0.91 * 6400, 64), abs=0.6)
    assert (accuracy.mean, accuracy.std) == pytest.approx((0.79, 0))
    assert summary.holds(RATE, 1)


def test_files_of_seeds_are_not_mixed(summary: AdaptiveSummary) -> None:
    for seed in (0, 1, 2):
        choice = summary.choice(RATE, 1, seed)
        assert choice is not None
        assert choice.mean_bytes.value == pytest.approx((0.9 + 0.01 * seed) * 6400, abs=0.6)
        assert {point.seeds for point in summary.points(seed)} == {(seed,)}


@pytest.mark.parametrize("level", [0, 1, EQUAL_DIVERGENCE, COMMON_RANGE])
def test_savings_are_paired_by_seed(summary: AdaptiveSummary, level: Level) -> None:
    gain = summary.gain(RATE, level)
    assert gain is not None
    assert gain.interval is not None
    assert gain.differences == pytest.approx((0.10, 0.09, 0.08), abs=1e-4)
    half = T_975_TWO_DEGREES * 0.01 / 3**0.5
    assert gain.interval == pytest.approx((0.09 - half, 0.09 + half), abs=1e-3)
    scale = summary.gain(SCALE, level)
    assert scale is not None
    assert scale.mean == pytest.approx(-0.05, abs=1e-4)


def test_a_seed_has_an_interval_over_images(summary: AdaptiveSummary) -> None:
    found = summary.headline(RATE, 1, 2)
    assert isinstance(found, Headline)
    assert found.saving.low <= found.saving.value <= found.saving.high
    assert found.saving.value == pytest.approx(0.08, abs=1e-4)


def test_what_is_recovered_is_of_the_seed_of_the_bounds(summary: AdaptiveSummary) -> None:
    # Of 0.4 that the network and 0.5 that labels could save, seed 0 of the rate saves 0.1.
    assert summary.recovered(RATE, GUIDED, 1) == pytest.approx(0.25, abs=1e-3)
    assert summary.recovered(RATE, GUIDED, EQUAL_DIVERGENCE) == pytest.approx(0.25, abs=1e-3)
    assert summary.recovered(RATE, ORACLE, 1) == pytest.approx(0.2, abs=1e-3)
    assert summary.recovered(SCALE, ORACLE, 1) == pytest.approx(-0.1, abs=1e-3)


def test_nothing_is_said_of_the_oracle_at_equal_divergence(summary: AdaptiveSummary) -> None:
    assert summary.gain(ORACLE, EQUAL_DIVERGENCE) is None
    assert summary.recovered(RATE, ORACLE, EQUAL_DIVERGENCE) is None


def test_bounds_that_save_nothing_or_are_missing_have_no_fraction() -> None:
    useless = adaptive_summary(adaptive_rows(bounds={"oracle": 1.1}))
    assert useless.recovered(RATE, ORACLE, 1) is None
    without = adaptive_summary(adaptive_rows(seeds=(1,), bounds={}))
    assert (without.bounds, without.bound_seed, without.first_seed) == ((), None, 1)
    assert without.recovered(RATE, ORACLE, 1) is None


def test_what_misses_a_bound_on_test_is_known() -> None:
    summary = adaptive_summary(adaptive_rows(lost_on_test=(0, 0, 4, 4, 4)))
    assert not summary.holds(RATE, 1)
    assert summary.holds(RATE, 0)


def test_prices_codebooks_and_choices_are_found(summary: AdaptiveSummary) -> None:
    assert summary.labels(RATE) == ["1e-07", "1e-06", "1e-05", "0.0001", "0.001"]
    book = summary.codebook(BOTH)
    assert book is not None
    assert (book.seed, book.kinds) == (0, (150, 50))
    decided = summary.decided(RATE, "1e-06", 1)
    assert decided is not None
    assert (decided.split, decided.seed) == ("test", 1)
    assert summary.decided(CODEBOOK, "1e-06", 1) is None


def test_seeds_that_are_missing_are_known() -> None:
    rows = [
        row
        for row in adaptive_rows()
        if (row.get("family"), row.get("seed")) != (BOTH, 2) or row["record"] != "point"
    ]
    assert adaptive_summary(rows).missing == {BOTH: [2]}
    assert adaptive_summary(adaptive_rows()).missing == {}
    assert set(FACTORS) == {part_name(f) for f in adaptive_summary(rows).families}
