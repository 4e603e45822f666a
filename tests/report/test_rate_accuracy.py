"""The page of rates and accuracy says what `bandwise.statistics` says."""

from __future__ import annotations

import numpy as np
import pytest

from bandwise import statistics
from bandwise.report import rate_accuracy, rate_figures, summary, unfinished
from bandwise.report.rate_figures import Curve, in_order, look_of, setting_words
from bandwise.report.rate_study import Study
from bandwise.report.table import Table
from bandwise.results import GUIDED, LEARNED, LIBJPEG, Measurement
from bandwise.statistics import Headline, Undefined

from .synthetic import CURVES, experiment, measurements, rate_results, results_of


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(rate_results())


def test_numbers_are_those_of_the_statistics(study: Study) -> None:
    merged = statistics.merge_seeds(study.results.of(Measurement), network="resnet")
    expected = statistics.headline(merged, 1.0, candidate=LEARNED, baseline=LIBJPEG)
    assert study.main_saving() == expected
    assert isinstance(expected, Headline)
    table = rate_accuracy.savings_tables(study)[0]
    (row,) = (row for row in table.values if row[0] == "libjpeg")
    assert row[3] == expected
    equal = statistics.saving_at_equal_divergence(merged, 1.0, candidate=LEARNED, baseline=LIBJPEG)
    assert row[4] == pytest.approx(getattr(equal, "saving", None))
    sentence = next(study.sentences())
    assert f"{100 * abs(expected.saving.value):.1f} %" in sentence
    table = rate_accuracy.bytes_table(study)
    assert table.values[0][3] == statistics.operating_point(merged, LEARNED, 1.0)
    assert f"{expected.candidate.mean_bytes.value:,.0f} B" in table.texts[0][3]


def test_another_bound_is_a_column_and_what_sentences_speak_of() -> None:
    results = rate_results(transfer=False, retrained=False)
    study = Study(results, bound=2.0)
    titles = [column.title for column in rate_accuracy.bytes_table(study).columns]
    assert titles[1:] == [
        f"≤ {bound} lost" for bound in ("0 points", "0.5 points", "1 point", "2 points")
    ]
    assert all("≤ 2 points" in sentence for sentence in study.sentences())
    assert "≤ 2 points" in str(summary(results, bound=2.0)[1])


def test_tiny_images_state_the_payload(study: Study) -> None:
    assert "payload" in rate_accuracy.bytes_table(study).texts[0][3]
    larger = results_of(
        experiment("evaluate", image_shape=(3, 64, 64)), *measurements(20, "resnet", CURVES)
    )
    assert "payload" not in rate_accuracy.bytes_table(Study(larger)).texts[0][3]


def test_networks_and_protocols_are_not_mixed(study: Study) -> None:
    assert study.network == "resnet"
    assert [other.network for other in study.others] == ["plain-cnn"]
    assert study.retrained.seeds == 2
    assert study.retrained.codecs == [LEARNED, LIBJPEG]
    assert {each.protocol for each in study.retrained.measured} == {"retrained"}
    assert not any("equal divergence" in text for text in study.retrained.sentences())


def test_tables_alone_are_compared_with_what_treats_images_alike(study: Study) -> None:
    assert study.comparisons == {
        LEARNED: [LIBJPEG, "webp"],
        GUIDED: [LEARNED, LIBJPEG, "libjpeg guided", "webp"],
    }
    assert study.yardstick == LIBJPEG


def test_a_bound_that_fails_on_test_is_marked() -> None:
    results = rate_results(transfer=False, retrained=False)
    worse = [
        Measurement(**{**vars(each), "image_correct": np.zeros(each.images), "accuracy": 0.0})
        for each in results.of(Measurement)
        if (each.codec, each.split) == ("webp", "test")
    ]
    study = Study(
        results_of(*results.of(type(results.experiment)), *results.of(Measurement), *worse)
    )
    (row,) = (row for row in rate_accuracy.bytes_table(study).texts if row[0] == "WebP")
    assert all(cell.endswith("†") for cell in row[1:])
    (sentence,) = (
        text for text in study.sentences() if "bandwise needs" in text and "WebP" in text
    )
    assert "† (points lost on test:" in sentence


def test_without_a_profile_nothing_is_compared() -> None:
    curves = {key: factor for key, factor in CURVES.items() if key[0] in ("libjpeg", "webp")}
    items = summary(rate_results(curves=curves, transfer=False, retrained=False))
    assert len(items) == 2
    assert isinstance(items[0], Table)
    assert isinstance(Study(rate_results(curves=curves)).main_saving(), Undefined)


def test_settings_that_are_not_tested_are_counted() -> None:
    results = rate_results(transfer=False, retrained=False)
    kept = [
        each
        for each in results.of(Measurement)
        if (each.split, each.codec, each.label) != ("test", "webp", "s1")
    ]
    assert "1 setting with resnet, frozen" in unfinished(results_of(results.experiment, *kept))


def test_only_what_no_smaller_file_beats_is_on_the_line(study: Study) -> None:
    for curve in study.curves():
        kept = curve.envelope
        assert [each.accuracy for each in kept] == sorted({each.accuracy for each in kept})
        assert [each.mean_bytes for each in kept] == sorted(each.mean_bytes for each in kept)
        assert all(
            any(k.mean_bytes <= s.mean_bytes and k.accuracy >= s.accuracy for k in kept)
            for s in curve.settings
        )


def test_shaded_ends_surround_the_accuracy(study: Study) -> None:
    shaded = {c.look.label: c for c in study.curves() if c.ends is not None}
    assert set(shaded) == {"bandwise", "libjpeg"}
    for curve in shaded.values():
        accuracies = [each.accuracy for each in curve.envelope]
        assert curve.ends is not None
        assert (curve.ends[0] <= accuracies).all()
        assert (curve.ends[1] >= accuracies).all()
    for curve in study.retrained.curves():
        assert curve.ends is not None
        assert (curve.ends[1] > curve.ends[0]).any()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (("original", "original", "original"), "original"),
        (("libjpeg", "libjpeg 4:2:0 baseline", "q30"), "libjpeg 4:2:0 baseline, q30"),
        (("bandwise", "sensitivity", "sensitivity 4e-06"), "bandwise sensitivity 4e-06"),
        (("webp", "webp", "q5"), "webp, q5"),
    ],
)
def test_settings_are_named_with_their_codec_once(
    setting: tuple[str, str, str], words: str
) -> None:
    assert setting_words(*setting) == words


def test_known_codecs_come_in_their_order_and_unknown_ones_last() -> None:
    assert in_order(["zip", "webp", "original", LIBJPEG, "webp"]) == [LIBJPEG, "webp", "zip"]
    assert look_of("zip").label == "zip"


def test_errors_of_estimates_are_in_percent(study: Study) -> None:
    section = rate_accuracy.estimates(study)
    assert section is not None
    assert section.content["errors"] == pytest.approx([2.5] * 10, abs=0.1)
    assert section.content["inside"] == 10


def test_libjpegs_tables_beside_are_those_of_the_nearest_size(study: Study) -> None:
    section = rate_accuracy.tables(study)
    assert section is not None
    ours, theirs = section.content["ours"], section.content["theirs"]
    distances = [abs(s.mean_bytes - ours.mean_bytes) for s in study.tested if s.codec == LIBJPEG]
    assert abs(theirs.mean_bytes - ours.mean_bytes) == min(distances)


def test_importance_is_written_relative_to_the_largest() -> None:
    plane = np.full((8, 8), 1e-3)
    plane[0, 0] = 1.0
    plane[7, 7] = 0.0
    figure = rate_figures.importance({"luma": plane})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert (texts[0], texts[1], texts[63]) == ("0.0", "−3.0", "0")


def test_curves_without_an_original_have_one_panel(study: Study) -> None:
    curve = Curve(look=look_of(LIBJPEG), settings=study.curves()[1].settings)
    panels = {n: rate_figures.accuracy_curves([curve], n, (1.0,)) for n in (None, 0.9)}
    assert [len(figure.get_axes()) for figure in panels.values()] == [1, 2]
