import pytest

from bandwise.errors import ConfigurationError, ResultsError
from bandwise.wording import quantity
from tests.statistics.curves import measurements, original, row, rows_of


def test_a_point_knows_its_bytes_and_accuracy() -> None:
    (point,) = measurements([row("webp", "q5", size=1000, correct=150)])
    assert point.accuracy == 0.75
    assert point.mean_bytes == pytest.approx(1000, rel=0.01)
    assert point.named("webp")
    assert point.named(["avif", "webp all"])
    assert not point.named("avif")


def test_protocols_are_never_mixed() -> None:
    rows = [
        row("webp", "q5", size=1000, correct=150),
        row("webp", "q5", size=1000, correct=170, protocol="retrained"),
    ]
    assert [point.accuracy for point in measurements(rows)] == [0.75]
    assert [point.accuracy for point in measurements(rows, protocol="retrained")] == [0.85]


def test_two_networks_need_a_name() -> None:
    rows = [*original(), *rows_of("webp", [(1000, 150)], network="plain-cnn")]
    with pytest.raises(ConfigurationError, match="plain-cnn, resnet"):
        measurements(rows)
    assert {point.codec for point in measurements(rows, network="plain-cnn")} == {"webp"}


def test_seeds_are_averaged_image_by_image() -> None:
    rows = [
        row("webp", "q5", size=1000, correct=correct, seed=seed)
        for seed, correct in enumerate((150, 160, 170))
    ]
    (point,) = measurements(rows)
    assert point.seeds == (0, 1, 2)
    assert point.accuracy == pytest.approx(0.8)
    assert set((3 * point.image_correct).round(9)) == {0, 1, 2, 3}


def test_a_setting_twice_for_one_seed_is_refused() -> None:
    with pytest.raises(ResultsError, match="twice"):
        measurements([row("webp", "q5", size=1000, correct=150)] * 2)


def test_one_thing_is_no_plural() -> None:
    assert [quantity(count, "image") for count in (0, 1, 2000)] == [
        "0 images",
        "1 image",
        "2,000 images",
    ]
