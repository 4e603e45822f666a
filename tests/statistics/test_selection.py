import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandwise.errors import ResultsError
from bandwise.statistics import Headline, OperatingPoint, Undefined, best_point, headline
from bandwise.statistics import operating_point as operate
from tests.statistics.curves import CURVE, measurements, original, row, rows_of, scaled


def test_the_smallest_setting_within_the_bound_is_chosen_on_validation() -> None:
    found = measurements(original(), rows_of("webp", CURVE))
    labels = {}
    for bound in (0.0, 0.5, 1.0, 2.0, 50.0):
        best = best_point(found, "webp", bound)
        assert best is not None
        assert best.split == "validation"
        labels[bound] = best.label
    assert labels == {0.0: "s5", 0.5: "s4", 1.0: "s4", 2.0: "s3", 50.0: "s0"}


def test_a_setting_above_the_original_counts_though_larger_ones_fail() -> None:
    found = measurements(original(), rows_of("webp", [(500, 181), (900, 150)]))
    best = best_point(found, "webp", 0)
    assert best is not None
    assert best.label == "s0"


def test_where_nothing_meets_the_bound_the_reason_is_said() -> None:
    found = measurements(original(), rows_of("webp", CURVE[:2]), rows_of("avif", CURVE))
    assert best_point(found, "webp", 1) is None
    undefined = headline(found, 1, candidate="avif", baseline="webp")
    assert isinstance(undefined, Undefined)
    assert "webp is within 1 point on" in undefined.reason


def test_without_the_original_nothing_is_claimed() -> None:
    found = measurements(rows_of("webp", CURVE))
    assert best_point(found, "webp", 1) is None
    assert isinstance(operate(found, "webp", 1), Undefined)


def test_a_setting_that_was_not_measured_on_test_is_not_replaced() -> None:
    rows = [r for r in rows_of("webp", CURVE) if (r["label"], r["split"]) != ("s4", "test")]
    undefined = operate(measurements(original(), rows), "webp", 1)
    assert isinstance(undefined, Undefined)
    assert "s4" in undefined.reason


@settings(max_examples=5)
@given(factor=st.floats(0.1, 3.0))
def test_scaling_all_bytes_gives_the_factor_as_saving(factor: float) -> None:
    theirs = rows_of("libjpeg", CURVE)
    ours = [
        {
            **row,
            "codec": "bandwise",
            "family": "x",
            "image_bytes": [round(10**6 * factor * size) for size in row["image_bytes"]],
        }
        for row in theirs
    ]
    whole = [{**row, "image_bytes": [10**6 * b for b in row["image_bytes"]]} for row in theirs]
    found = measurements(original(), whole, ours)
    result = headline(found, 1, candidate="bandwise", baseline="libjpeg")
    assert isinstance(result, Headline)
    assert result.saving.value == pytest.approx(1 - factor, abs=1e-6)
    assert result.saving.low == pytest.approx(1 - factor, abs=1e-6)
    assert result.saving.high == pytest.approx(1 - factor, abs=1e-6)


def test_the_headline_reports_both_sides_on_test() -> None:
    ours = [
        {**row, "image_bytes": row["image_bytes"][::-1]}
        for row in rows_of("bandwise", [(1200, 179)])
    ]
    found = measurements(original(), rows_of("libjpeg", CURVE), ours)
    result = headline(found, 1, candidate="bandwise", baseline="libjpeg")
    assert isinstance(result, Headline)
    assert result.baseline.label == "s4"
    assert result.baseline.drop.value == pytest.approx(0.5)
    assert result.baseline.mean_bytes.value == pytest.approx(2400, rel=0.01)
    assert result.saving.value == pytest.approx(0.5, abs=0.01)
    assert result.saving.low < result.saving.value < result.saving.high
    assert result.holds


def test_a_bound_that_fails_on_test_shows() -> None:
    rows = [
        *rows_of("libjpeg", CURVE),
        row("bandwise", "p", size=500, correct=179, split="validation"),
        row("bandwise", "p", size=500, correct=170, split="test"),
    ]
    result = headline(measurements(original(), rows), 1, candidate="bandwise", baseline="libjpeg")
    assert isinstance(result, Headline)
    assert result.candidate.validation_drop == pytest.approx(0.5)
    assert result.candidate.drop.value == pytest.approx(5)
    assert not result.candidate.holds
    assert not result.holds


def test_several_names_stand_for_the_best_of_them() -> None:
    found = measurements(original(), rows_of("libjpeg", CURVE), rows_of("webp", scaled(0.4)))
    best = operate(found, ["libjpeg", "webp all"], 1)
    assert isinstance(best, OperatingPoint)
    assert best.codec == "webp"


def test_different_images_are_refused() -> None:
    found = measurements(original(), rows_of("webp", [(500, 90)], images=100))
    with pytest.raises(ResultsError, match="100, 200"):
        operate(found, "webp", 50)
