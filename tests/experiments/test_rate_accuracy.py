"""The whole comparison, on digits."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bandwise.data import Dataset
from bandwise.experiments import rate_accuracy
from bandwise.experiments.rate_accuracy import RateAccuracyConfig, run
from bandwise.learning.profiles import LearnConfig
from bandwise.progress import Progress
from bandwise.results import Example, LearnedTables, Learning, Measurement, Results, read_rows
from bandwise.statistics import Headline, headline, merge_seeds
from bandwise.training.networks import NetworkConfig

TOLERANCES = (0.01, 1.0)
OTHER = "tests.learning.own_network:pooled"

CONFIG = RateAccuracyConfig(
    learn=LearnConfig(network="small-cnn", epochs=1, lagrangians=(1e-5, 1e-3), images=40),
    codecs=("libjpeg",),
    libjpeg_every=24,
    tolerances=TOLERANCES,
    transfer=OTHER,
    retrained_seeds=(0,),
    retrained_qualities=(18,),
    retrained_families=("libjpeg smallest",),
    joint_lagrangians=(1e-4,),
    retraining=NetworkConfig(epochs=1, learning_rate=0.01, warm_up_epochs=0.2, small_share=0.0),
)


@pytest.fixture(scope="module")
def results(few_digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(CONFIG, few_digits, tmp_path_factory.mktemp("rate") / "out")


def measured(results: Results, **names: object) -> list[Measurement]:
    return [
        each
        for each in results.of(Measurement)
        if all(getattr(each, name) == value for name, value in names.items())
    ]


def test_records_of_every_kind_are_there(results: Results) -> None:
    for network in ("small-cnn", OTHER):
        for split, images in (("validation", 49), ("test", 60)):
            found = measured(results, protocol="frozen", network=network, split=split)
            assert Counter(each.codec for each in found) == {
                "original": 1,
                "libjpeg": len({each.label for each in found if each.codec == "libjpeg"}) * 4,
                "bandwise": 2,
                "bandwise guided": len(TOLERANCES),
                "libjpeg guided": len(TOLERANCES),
            }
            assert {each.images for each in found} == {images}
    families = {each.family for each in measured(results, codec="bandwise")}
    assert families == {"sensitivity", "joint"}
    assert [each.family for each in results.of(Learning)] == ["sensitivity"]
    assert Counter(each.family for each in results.of(LearnedTables)) == {
        "sensitivity": 2,
        "joint": 1,
    }
    assert "original" in {each.codec for each in results.of(Example)}
    assert set(results.experiment.networks) == {
        "small-cnn, frozen, seed 0",
        f"{OTHER}, frozen, seed 0",
    }


def test_protocols_are_apart(results: Results) -> None:
    retrained = measured(results, protocol="retrained")
    assert {each.network for each in retrained} == {"small-cnn"}
    assert Counter((each.codec, each.split) for each in retrained) == {
        (codec, split): 1
        for codec in ("original", "libjpeg", "bandwise")
        for split in ("validation", "test")
    }
    assert {each.family for each in retrained if each.codec == "bandwise"} == {"joint"}
    assert not measured(results, protocol="frozen", family="joint")
    assert {each.label for each in retrained if each.codec == "libjpeg"} == {"q18"}
    for protocol in ("frozen", "retrained"):
        found = merge_seeds(results.of(Measurement), protocol=protocol, network="small-cnn")
        assert isinstance(
            headline(found, 100.0, candidate="bandwise", baseline="libjpeg"), Headline
        )


def test_files_are_the_same_whichever_network_reads_them(results: Results) -> None:
    other = {
        (*each.setting_key, each.split): each.image_bytes
        for each in measured(results, protocol="frozen", network=OTHER)
    }
    for each in measured(results, protocol="frozen", network="small-cnn"):
        np.testing.assert_array_equal(other[(*each.setting_key, each.split)], each.image_bytes)


def test_a_guided_file_is_no_larger_where_more_may_be_lost(results: Results) -> None:
    for codec in ("bandwise guided", "libjpeg guided"):
        found = measured(results, codec=codec, network="small-cnn", split="validation")
        found.sort(key=lambda each: each.setting["tolerance"])
        for before, after in pairwise(each.image_bytes for each in found):
            assert before is not None
            assert after is not None
            assert bool((before >= after).all())
        assert found[0].divergence <= found[-1].divergence


def test_a_second_call_does_nothing_again(
    results: Results, few_digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not(*_: object, **__: object) -> None:
        raise AssertionError("this was done before")

    monkeypatch.setattr(rate_accuracy, "retrain", must_not)
    monkeypatch.setattr(rate_accuracy, "measure", must_not)
    monkeypatch.setattr(rate_accuracy, "joint_candidate", must_not)
    before = results.path.read_bytes()
    reported: list[Progress] = []
    run(CONFIG, few_digits, results.path.parent, progress=reported.append)
    assert results.path.read_bytes() == before
    assert reported == []


def test_what_is_missing_is_measured_again(
    results: Results, few_digits: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    results.path.parent.rename(folder)
    lines = (folder / results.path.name).read_text().splitlines(keepends=True)
    rows = read_rows(folder / results.path.name)
    gone = {
        number
        for number, row in enumerate(rows)
        if (row.get("codec"), row.get("split")) == ("libjpeg guided", "test")
    }
    kept = [line for number, line in enumerate(lines) if number not in gone]
    (folder / results.path.name).write_text("".join(kept) + lines[-1][:50])
    again = run(replace(CONFIG, retrained_seeds=()), few_digits, folder)
    folder.rename(results.path.parent)

    def rows_of(each: Results) -> list[str]:
        return sorted(map(repr, (record.to_row() for record in each.of(Measurement))))

    assert rows_of(again) == rows_of(results)
    assert rows_of(Results.load(results.path)) == rows_of(results)
