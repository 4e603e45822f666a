"""The page of training from JPEG says what its statistics say."""

from __future__ import annotations

import numpy as np
import pytest

from bandwise.report import summary, training, training_figures, unfinished
from bandwise.report.table import Table
from bandwise.report.training_study import Study
from bandwise.results import Trained, TrainedSetting
from bandwise.statistics import Spread

from .synthetic import training_results

COEFFICIENTS = TrainedSetting("resnet", "coefficients")
PIXELS = TrainedSetting("resnet", "pixels")


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(training_results())


def test_settings_are_grouped(study: Study) -> None:
    assert study.twins == ["resnet"]
    (selection,) = study.selections
    assert (selection.network, selection.counts) == ("small", (24, 12))
    assert selection.main_rule == "importance"
    assert study.frequencies == 192


def test_tables_hold_the_statistics(study: Study) -> None:
    table = training.networks_table(study)
    values = {row[0]: row for row in table.values}
    runs = study.runs[PIXELS].values()
    assert values["resnet on pixels"][3] == Spread.of([run.test_accuracy for run in runs])
    assert values["resnet on pixels"][4] == Spread.of([run.validation_curve[-1] for run in runs])
    accuracies, sizes = training.selection_tables(study, study.selections[0])
    setting = study.selections[0].setting(12, "energy")
    assert accuracies.values[1][2] == sizes.values[1][2] == setting
    gain, saving = study.cost(setting), study.saving(setting)
    assert gain is not None
    assert saving is not None
    assert f"{100 * gain.mean:+.2f}".replace("-", "−") in accuracies.texts[1][2]
    assert f"({100 * saving:.1f} %)" in sizes.texts[1][2]


def test_speed_is_of_epochs_on_images_of_full_size(study: Study) -> None:
    run = study.runs[COEFFICIENTS][0]
    assert study.small_epochs(run.epochs) == 2
    assert study.epoch_seconds(run) == 2.0
    assert study.elapsed_seconds(run) == [1.0, 2.0, 4.0, 6.0]
    assert study.rate(COEFFICIENTS).mean == pytest.approx(150, rel=0.01)
    assert study.speed_ratios("resnet") == pytest.approx([1.5] * 3, rel=0.02)


def test_savings_are_shares_of_whole_files(study: Study) -> None:
    selection = study.selections[0]
    sizes = [study.file_bytes(each) for each in (selection.setting(24, "zigzag"), selection.whole)]
    assert study.saving(selection.setting(24, "zigzag")) == 1 - sizes[0] / sizes[1]
    assert study.saving(selection.whole) is None


def test_summary_holds_what_the_page_does(study: Study) -> None:
    items = summary(training_results())
    titles = [item.title for item in items if isinstance(item, Table)]
    assert titles[0] == training.networks_table(study).title
    assert len(titles) == 3
    (line,) = (item for item in items if isinstance(item, str))
    gain = study.twin_gain("resnet")
    assert gain is not None
    assert f"{100 * abs(gain.mean):.2f} points" in line


@pytest.mark.parametrize(
    ("left_out", "text"),
    [
        (lambda run: (run.reads, run.seed) == ("pixels", 2), "resnet on pixels, seed 2"),
        (
            lambda run: (run.kept, run.rule) == (12, "zigzag"),
            "small on 12 frequencies by zigzag, seeds 0, 1 and 2",
        ),
        (lambda run: run.network == "small" and run.kept != 24, "small on coefficients"),
    ],
)
def test_what_is_missing_is_named(left_out: object, text: str) -> None:
    results = training_results(leave_out=left_out)  # type: ignore[arg-type]
    if text == "small on coefficients":
        assert Study(results).costs(Study(results).selections[0]) == {}
    else:
        assert text in unfinished(results)


def test_a_network_alone_has_nothing_to_be_compared_with() -> None:
    results = training_results(twins=False, kept=())
    assert "what small on coefficients is compared with" in unfinished(results)
    study = Study(results)
    assert training.curves(study) is training.kept(study) is training.chosen(study) is None


def test_maps_count_the_seeds_that_keep_a_frequency(study: Study) -> None:
    runs: list[Trained] = list(study.runs[study.selections[0].setting(12, "zigzag")].values())
    times = sum(training_figures.times_kept(runs, name).sum() for name in ("luma", "cb", "cr"))
    assert times == 3 * 12
    assert training_figures.times_kept(runs, "luma")[0, 0] == 3


def test_accuracy_against_what_is_kept_is_drawn_in_percent(study: Study) -> None:
    figure = training_figures.kept_accuracy(study, study.selections[0])
    values = np.concatenate([np.asarray(line.get_ydata()) for line in figure.axes[0].get_lines()])
    assert (values > 1).all()
    assert (values < 100).all()
