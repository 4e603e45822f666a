"""The whole comparison, on digits."""

import functools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from bandwise.recipes.stages import Event

from bandwise import jpeg
from bandwise.data import Dataset
from bandwise.errors import ConfigurationError, OutputError
from bandwise.evaluation import GuidedCodec
from bandwise.learning import GradientConfig
from bandwise.measures import Headline, headline, points_of
from bandwise.recipes import rate_accuracy
from bandwise.recipes.learning import LearnConfig
from bandwise.recipes.rate_accuracy import RateAccuracyConfig, run
from bandwise.results import Row, read_rows
from bandwise.training import NetworkConfig

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

TOLERANCES = (0.01, 1.0)
OTHER = "tests.recipes.networks:pooled"

CONFIG = RateAccuracyConfig(
    learn=LearnConfig(
        network="small-cnn",
        epochs=1,
        slopes=(1e-5, 1e-3),
        images=40,
        gradient=GradientConfig(steps=2, batch_size=8),
    ),
    gradient_slopes=(1e-4,),
    codecs=("libjpeg",),
    libjpeg_every=24,
    transfer=OTHER,
    retrained_seeds=(0,),
    joint_slopes=(1e-4,),
    retraining=NetworkConfig(epochs=1, learning_rate=0.01, warm_up_epochs=0.2, small_share=0.0),
)


@pytest.fixture(scope="module", autouse=True)
def fewer_settings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_accuracy, "RETRAINED_QUALITIES", (18,))
        patch.setattr(rate_accuracy, "RETRAINED_FAMILIES", ("libjpeg smallest",))
        guided = functools.partial(GuidedCodec, tolerances=TOLERANCES)
        patch.setattr(rate_accuracy, "GuidedCodec", guided)
        yield


@pytest.fixture(scope="module")
def results(few_digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(CONFIG, few_digits, tmp_path_factory.mktemp("rate") / "out")


def points(rows: list[Row], **names: object) -> list[Row]:
    return [
        row
        for row in rows
        if row["record"] == "point" and all(row[name] == value for name, value in names.items())
    ]


def test_rows_of_every_kind_are_there(results: Path) -> None:
    rows = read_rows(results)
    for network in ("small-cnn", OTHER):
        for split, images in (("validation", 49), ("test", 60)):
            found = points(rows, protocol="frozen", network=network, split=split)
            assert Counter(row["codec"] for row in found) == {
                "original": 1,
                "libjpeg": len({row["label"] for row in found if row["codec"] == "libjpeg"}) * 4,
                "bandwise": 3,
                "bandwise guided": len(TOLERANCES),
                "libjpeg guided": len(TOLERANCES),
            }
            assert {row["images"] for row in found} == {images}
    assert {row["family"] for row in points(rows, codec="bandwise")} == {
        "sensitivity",
        "gradient",
        "joint",
    }
    assert {row["family"] for row in rows if row["record"] == "learning"} == {
        "sensitivity",
        "gradient",
    }
    assert Counter(row["family"] for row in rows if row["record"] == "profile") == {
        "sensitivity": 2,
        "gradient": 1,
        "joint": 1,
    }
    assert set(rows[0]["networks"]) == {
        "small-cnn, frozen, seed 0",
        f"{OTHER}, frozen, seed 0",
    }


def test_protocols_are_apart(results: Path) -> None:
    rows = read_rows(results)
    retrained = points(rows, protocol="retrained")
    assert {row["network"] for row in retrained} == {"small-cnn"}
    assert Counter((row["codec"], row["split"]) for row in retrained) == {
        (codec, split): 1
        for codec in ("original", "libjpeg", "bandwise")
        for split in ("validation", "test")
    }
    assert {row["family"] for row in retrained if row["codec"] == "bandwise"} == {"joint"}
    assert not points(rows, protocol="frozen", family="joint")
    assert {row["label"] for row in retrained if row["codec"] == "libjpeg"} == {"q18"}
    for protocol in ("frozen", "retrained"):
        found = points_of(rows, protocol=protocol, network="small-cnn")
        assert isinstance(
            headline(found, 100.0, candidate="bandwise", baseline="libjpeg"), Headline
        )


def test_files_are_the_same_whichever_network_reads_them(results: Path) -> None:
    rows = read_rows(results)
    own = points(rows, protocol="frozen", network="small-cnn")
    other = {
        (row["codec"], row["family"], row["label"], row["split"]): row["image_bytes"]
        for row in points(rows, protocol="frozen", network=OTHER)
    }
    for row in own:
        key = (row["codec"], row["family"], row["label"], row["split"])
        assert other[key] == row["image_bytes"]


def test_a_guided_file_is_no_larger_where_more_may_be_lost(results: Path) -> None:
    rows = read_rows(results)
    for codec in ("bandwise guided", "libjpeg guided"):
        found = points(rows, codec=codec, network="small-cnn", split="validation")
        found.sort(key=lambda row: row["setting"]["tolerance"])
        sizes = [row["image_bytes"] for row in found]
        for before, after in pairwise(sizes):
            assert all(b >= a for b, a in zip(before, after, strict=True))
        assert found[0]["divergence"] <= found[-1]["divergence"]


def test_a_second_call_does_nothing_again(
    results: Path, few_digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not(*_: object, **__: object) -> None:
        raise AssertionError("this was done before")

    monkeypatch.setattr(rate_accuracy, "retrain", must_not)
    monkeypatch.setattr(rate_accuracy, "measure", must_not)
    monkeypatch.setattr(rate_accuracy, "joint_candidate", must_not)
    monkeypatch.setattr(rate_accuracy, "sensitivity_candidates", must_not)
    monkeypatch.setattr("bandwise.recipes.learning.sensitivity_candidates", must_not)
    before = read_rows(results)
    heard: list[Event] = []
    assert run(CONFIG, few_digits, results.parent, listener=heard.append) == results
    assert read_rows(results) == before
    assert heard == []


def test_what_is_missing_is_measured_again(results: Path, few_digits: Dataset) -> None:
    whole = read_rows(results)
    gone = [
        row
        for row in whole
        if row["record"] == "point" and (row["codec"], row["split"]) == ("libjpeg guided", "test")
    ]
    kept = [json.dumps(row) for row in whole if row not in gone]
    results.write_text("\n".join(kept) + "\n")
    config = replace(CONFIG, retrained_seeds=())
    run(config, few_digits, results.parent)
    clock = ("created", "seconds")

    def timeless(rows: list[Row]) -> list[str]:
        return sorted(
            json.dumps({name: value for name, value in row.items() if name not in clock})
            for row in rows
        )

    assert timeless(read_rows(results)) == timeless(whole)


def test_settings_that_cannot_be_are_refused_before_any_work(
    few_digits: Dataset, tmp_path: Path
) -> None:
    for methods in ((), ("magic",)):
        with pytest.raises(ConfigurationError, match="methods are sensitivity or gradient"):
            replace(CONFIG, methods=methods)
    with pytest.raises(ConfigurationError, match="at least 1"):
        replace(CONFIG, every=0)
    with pytest.raises(ConfigurationError, match="name another network"):
        replace(CONFIG, transfer="small-cnn")
    out = tmp_path / "out"
    for wrong, message in (
        (replace(CONFIG, codecs=("magic",)), "no codec or family 'magic'"),
        (replace(CONFIG, transfer="magic"), "unknown network 'magic'"),
        (replace(CONFIG, transfer="plain-cnn"), "plain-cnn cannot read images of 8×8"),
        (replace(CONFIG, learn=replace(CONFIG.learn, network="magic")), "unknown network"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            run(wrong, few_digits, out)
    assert not out.exists()
    (tmp_path / "precious.txt").touch()
    with pytest.raises(OutputError, match="not empty"):
        run(CONFIG, few_digits, tmp_path)
