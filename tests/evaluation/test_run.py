from pathlib import Path

import pytest

from bandwise.data import Dataset
from bandwise.errors import ConfigurationError, OutputError, ResultsError
from bandwise.evaluation import EvaluationConfig, Step, evaluate
from bandwise.evaluation.run import profile_row
from bandwise.frequencies import Frequencies
from bandwise.profile import Profile
from bandwise.results import read_rows, write_rows
from bandwise.tables import TableSet
from tests.evaluation.conftest import Brightness, Darken

CONFIG = EvaluationConfig(network="brightness")


def run(dataset: Dataset, out: Path, *, codec: Darken | None = None, count: int = 3) -> list[Step]:
    codec = codec or Darken()
    heard: list[Step] = []
    evaluate(
        CONFIG,
        dataset,
        Brightness(),
        [(codec, codec.settings()[:count])],
        out,
        listener=heard.append,
    )
    return heard


def test_every_setting_is_measured_on_both_splits(dataset: Dataset, tmp_path: Path) -> None:
    heard = run(dataset, tmp_path / "out")
    rows = read_rows(tmp_path / "out" / "results.jsonl")
    assert rows[0]["recipe"] == "evaluate"
    assert rows[0]["dataset"]["sha256"] == dataset.sha256
    points = [row for row in rows if row["record"] == "point"]
    assert sorted((row["split"], row["label"]) for row in points) == sorted(
        (split, label)
        for split in ("validation", "test")
        for label in ("original", "by 0", "by 40", "by 255")
    )
    assert [step.images_left for step in heard if step.row] == [160, 140, 120, 80, 40, 0]
    assert heard[0].images_left + heard[0].images_done == 3 * (20 + 40)


def test_finished_settings_are_not_measured_again(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, tmp_path, count=2)
    before = (tmp_path / "results.jsonl").read_text()
    codec = Darken()
    heard = run(dataset, tmp_path, codec=codec)
    assert codec.encoded == 20 + 40
    assert {step.setting.label for step in heard} == {"by 255"}
    after = (tmp_path / "results.jsonl").read_text()
    assert after.startswith(before)


def test_an_interrupted_run_keeps_what_is_finished(dataset: Dataset, tmp_path: Path) -> None:
    codec = Darken()

    def stop(step: Step) -> None:
        if step.row and step.setting.label == "by 40":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(
            CONFIG, dataset, Brightness(), [(codec, codec.settings())], tmp_path, listener=stop
        )
    rows = read_rows(tmp_path / "results.jsonl")
    labels = [row["label"] for row in rows if row.get("split") == "validation"]
    assert labels == ["original", "by 0", "by 40"]


def test_other_data_or_weights_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, tmp_path, count=1)
    codec = Darken()
    network = Brightness()
    network.gain.data.mul_(2)
    with pytest.raises(ConfigurationError, match="other weights"):
        evaluate(CONFIG, dataset, network, [(codec, codec.settings())], tmp_path)
    other = Dataset(**{**vars(dataset), "sha256": "another"})
    with pytest.raises(ConfigurationError, match="data set"):
        evaluate(CONFIG, other, Brightness(), [(codec, codec.settings())], tmp_path)


@pytest.mark.parametrize("change", [{"dataset": []}, {"networks": 1}])
def test_rows_that_no_evaluation_wrote_are_refused(
    dataset: Dataset, tmp_path: Path, change: dict[str, object]
) -> None:
    run(dataset, tmp_path, count=1)
    path = tmp_path / "results.jsonl"
    first, *rest = read_rows(path)
    write_rows(path, [first | change, *rest])
    with pytest.raises(ResultsError, match="other entries"):
        run(dataset, tmp_path)
    write_rows(path, [first, rest[0] | {"label": []}])
    with pytest.raises(ResultsError, match="other entries than an evaluation writes"):
        run(dataset, tmp_path)


def test_another_network_may_join(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, tmp_path, count=1)
    codec = Darken()
    config = EvaluationConfig(network="second")
    evaluate(config, dataset, Brightness(), [(codec, codec.settings()[:1])], tmp_path)
    rows = read_rows(tmp_path / "results.jsonl")
    assert len(rows[0]["networks"]) == 2
    assert sum(row.get("network") == "second" for row in rows) == 4


def test_a_folder_with_something_else_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        run(dataset, tmp_path)
    codec = Darken()
    evaluate(
        CONFIG, dataset, Brightness(), [(codec, codec.settings())], tmp_path, beside=["mine.txt"]
    )
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_profile_is_described() -> None:
    tables = TableSet.ijg(20)
    profile = Profile(name="a", tables=tables, provenance={"family": "gradient"})
    row = profile_row(profile, "brightness")
    assert row["tables"] == tables.to_json()
    assert (row["family"], row["label"], row["importance"]) == ("gradient", "a", None)
    assert row["frequencies"] is None
    some = profile_row(profile.keeping(Frequencies((0, 1, 64))), "brightness")
    assert (some["family"], some["frequencies"]) == ("gradient + 3 frequencies", [0, 1, 64])


@pytest.mark.parametrize("wrong", [{"splits": ("train",)}, {"splits": ()}, {"protocol": "warm"}])
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        EvaluationConfig(network="brightness", **wrong)  # type: ignore[arg-type]
