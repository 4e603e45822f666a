"""The page of the paper's experiment says what its statistics say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from bandwise.frequency.bands import make_bands
from bandwise.report import paper, paper_figures, summary, unfinished
from bandwise.report.page import Section
from bandwise.report.paper_figures import VARIANTS, Weighting, curve_of
from bandwise.report.paper_study import PAPER_ACCURACY, Study
from bandwise.report.table import Table
from bandwise.report.wording import percent
from bandwise.results import Sample
from bandwise.statistics import Spread

from .synthetic import paper_results


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(paper_results())


def test_the_table_holds_the_statistics(study: Study) -> None:
    table = paper.variants_table(study)
    values = {
        row[0]: dict(zip([c.title for c in table.columns], row, strict=True))
        for row in table.values
    }
    assert list(values) == ["static", "adaptive", "mean one", "no weighting", "shuffled labels"]
    adaptive = [run.test_accuracy for run in study.runs["adaptive"].values()]
    assert values["adaptive"]["test accuracy"] == Spread.of(adaptive)
    assert values["adaptive"]["gain over static (95 % interval)"] == study.gain(
        "adaptive", "static"
    )
    assert values["static"]["gain over static (95 % interval)"] is None
    assert values["adaptive"]["paper"] == PAPER_ACCURACY["adaptive"]
    assert values["static"]["training time"] == 10.0
    assert values["static"]["an epoch"] == pytest.approx(10 / 3)
    assert "1.10 an epoch, 1.10 a run" in table.note


def test_gains_are_paired_by_common_seeds() -> None:
    study = Study(paper_results(unfinished=[("static", 1)]))
    gain = study.gain("adaptive", "static")
    assert gain is not None
    assert gain.seeds == (0, 2)
    runs = study.runs
    assert gain.differences == tuple(
        runs["adaptive"][seed].test_accuracy - runs["static"][seed].test_accuracy for seed in (0, 2)
    )


def test_what_has_not_finished_is_named_and_does_not_count() -> None:
    results = paper_results(unfinished=[("none", 2)])
    assert "no weighting, seed 2 (epoch 1)" in unfinished(results)
    assert list(Study(results).runs["none"]) == [0, 1]


def test_variants_that_the_page_does_not_know_are_left_out() -> None:
    study = Study(paper_results(variants=["static", "edges"]))
    assert study.started == ["static"]


def test_another_data_set_is_not_set_beside_the_paper() -> None:
    study = Study(paper_results(name="digits"))
    assert paper.beside_paper(study) is None
    assert "paper" not in [column.title for column in paper.variants_table(study).columns]


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        ({}, "3 radial bands (paper: 8 radial)"),
        ({"settings": {"epochs": 2}}, "epochs 2 (paper: 30)"),
        ({"seeds": [0]}, "1 seed (paper: 3)"),
    ],
)
def test_settings_that_differ_from_the_papers_are_named(
    more: dict[str, object], difference: str
) -> None:
    assert difference in Study(paper_results(**more)).paper_differences  # type: ignore[arg-type]


def test_the_command_repeats_the_experiment() -> None:
    settings = {"epochs": 3, "patience": None, "momentum": 0.9}
    study = Study(paper_results(variants=["static", "none"], settings=settings))
    assert study.command == (
        "bandwise reproduce --dataset mnist --seeds 0 1 2 --variants static none --bands 3 "
        "--epochs 3 --patience 0 --out DIR"
    )


@pytest.mark.parametrize("variants", [["static"], ["adaptive"], ["none", "shuffled"]])
def test_sections_without_something_to_show_are_left_out(variants: list[str]) -> None:
    study = Study(paper_results(variants=variants, samples=0, name="digits"))
    built = {build.__name__: build(study) for build in paper.SECTIONS}
    assert built["images"] is None
    assert built["beside_paper"] is None
    assert (built["gains"] is None) == (len(variants) == 1 or "static" not in variants)
    assert (built["controls"] is None) == ("none" not in variants)


def test_summary_begins_with_the_table_and_the_gain(study: Study) -> None:
    table, line = summary(paper_results())
    assert isinstance(table, Table)
    assert isinstance(line, str)
    gain = study.gain("adaptive", "static")
    assert gain is not None
    assert f"{100 * gain.mean:+.2f} points" in line


def test_accuracy_at_chance_is_noticed() -> None:
    assert Study(paper_results()).best_at_chance is None
    guessing = Study(paper_results(variants=["static"], epochs=1, classes=("a",) * 1, samples=0))
    assert guessing.best_at_chance == pytest.approx(guessing.accuracy("static").mean)


def test_curves_hold_the_seeds_that_reached_an_epoch() -> None:
    study = Study(paper_results(unfinished=[("static", 1)]))
    curve = curve_of(study.epochs["static"], lambda epoch: epoch.train_loss)
    assert [(epoch, len(values)) for epoch, values in curve] == [(1, 3), (2, 2), (3, 2)]


def test_weightings_multiply_coefficients_by_their_band() -> None:
    bands = make_bands("radial", 8, 8, count=2)
    weighting = Weighting(bands, [1.0, 3.0])
    assert weighting.relative.weights == [0.5, 1.5]
    assert set(np.unique(weighting.plane)) == {1.0, 3.0}
    assert (weighting.plane == np.array([1.0, 3.0])[bands.plane]).all()


def test_equal_weights_leave_the_image_as_it_is() -> None:
    sample = Sample(class_name="x", pixels_u8=np.arange(64).reshape(1, 8, 8))
    bands = make_bands("radial", 8, 8, count=2)
    figure = paper_figures.weighted_images([sample], {"same": Weighting(bands, [1.0, 1.0])})
    before, after = (axes.get_images()[0].get_array() for axes in figure.axes)
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(np.asarray(before), np.asarray(after), atol=1e-9)


def test_many_classes_are_cut_to_the_worst() -> None:
    names = [f"c{k}" for k in range(40)]
    spreads = {"static": [Spread(k / 40, 0.01, 3) for k in range(40)]}
    figure = paper_figures.class_accuracies(names, spreads)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == names[: paper_figures.MAX_CLASSES]


def test_a_figure_of_gains_has_a_row_a_variant(study: Study) -> None:
    figure = paper_figures.gains(study.gains_over("static"), reference=0.0121)
    assert isinstance(figure, Figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["adaptive", "mean one", "no weighting", "shuffled labels"]
    assert any("+1.21" in text.get_text() for text in figure.axes[0].texts)


def test_the_section_of_controls_finds_the_best_rival(study: Study) -> None:
    section = paper.controls(study)
    assert isinstance(section, Section)
    best = section.content["gains"]["The control that does best beside adaptive"]
    accuracies = {n: study.accuracy(n).mean for n in ("mean-one", "none", "shuffled")}
    assert best.variant == VARIANTS[max(accuracies, key=accuracies.__getitem__)].label
    assert percent(study.accuracy("none")).endswith(" %")
