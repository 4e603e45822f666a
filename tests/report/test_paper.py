"""The page of the paper's experiment says what its statistics say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from bandwise.frequency.bands import make_bands
from bandwise.report import paper, paper_figures, summary, unfinished
from bandwise.report.page import Section
from bandwise.report.paper import PAPER_ACCURACY, Study
from bandwise.report.paper_figures import VARIANTS, Weighting, curve_of
from bandwise.report.table import Table
from bandwise.report.wording import percent
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


@pytest.mark.parametrize("variants", [["static"], ["adaptive"], ["none", "shuffled"]])
def test_sections_without_something_to_show_are_left_out(variants: list[str]) -> None:
    study = Study(paper_results(variants=variants, name="digits"))
    built = {build.__name__: build(study) for build in paper.SECTIONS}
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
    guessing = Study(paper_results(variants=["static"], epochs=1, classes=("a",)))
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


def test_settings_that_differ_from_the_paper_are_named() -> None:
    found = Study(paper_results(seeds=(0, 1), bands=8)).paper_differences
    assert len(found) == 2
    assert "batch_size 8" in found[0]  # the paper has 128
    assert found[1].startswith("2 seeds")
