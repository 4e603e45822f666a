from pathlib import Path

import pytest

from bandwise.data import Dataset
from bandwise.errors import ConfigurationError, OutputError
from bandwise.evaluation import EvaluationConfig, describe_profile, evaluate
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.results import Measurement, Results
from tests.evaluation.conftest import Brightness, Darken

CONFIG = EvaluationConfig(network="brightness")


def run(
    dataset: Dataset,
    out: Path | Results,
    *,
    config: EvaluationConfig = CONFIG,
    codec: Darken | None = None,
    network: Brightness | None = None,
    count: int = 3,
    allowed_entries: tuple[str, ...] = (),
    progress: ProgressCallback = ignore_progress,
) -> Results:
    codec = codec or Darken()
    return evaluate(
        config,
        dataset,
        network or Brightness(),
        [(codec, codec.settings()[:count])],
        out,
        allowed_entries=allowed_entries,
        progress=progress,
    )


def labels(results: Results) -> list[tuple[str, str]]:
    return [(each.split, each.label) for each in results.of(Measurement)]


def test_every_setting_is_measured_on_both_splits(dataset: Dataset, tmp_path: Path) -> None:
    reported: list[Progress] = []
    results = run(dataset, tmp_path / "out", progress=reported.append)
    assert results.experiment.recipe == "evaluate"
    assert results.experiment.dataset.sha256 == dataset.sha256
    assert sorted(labels(results)) == sorted(
        (split, label)
        for split in ("validation", "test")
        for label in ("original", "by 0", "by 40", "by 255")
    )
    finished = [each for each in reported if each.detail is not None]
    assert [each.done for each in finished] == [20, 40, 60, 100, 140, 180]
    assert {each.total for each in reported} == {3 * (20 + 40)}
    assert [each.done for each in reported] == sorted(each.done for each in reported)
    stored = Results.load(tmp_path / "out")
    assert [m.to_row() for m in stored.of(Measurement)] == [
        m.to_row() for m in results.of(Measurement)
    ]


def test_finished_settings_are_not_measured_again(dataset: Dataset, tmp_path: Path) -> None:
    before = run(dataset, tmp_path, count=2).path.read_text()
    codec, reported = Darken(), list[Progress]()
    results = run(dataset, tmp_path, codec=codec, progress=reported.append)
    assert codec.encoded == 20 + 40
    assert {each.total for each in reported} == {20 + 40}
    after = results.path.read_text()
    assert after.startswith(before)
    assert run(dataset, tmp_path).path.read_text() == after


def test_a_setting_with_other_options_is_measured_again(dataset: Dataset, tmp_path: Path) -> None:
    class Other(Darken):
        def settings(self):  # type: ignore[no-untyped-def]
            (first, *_) = super().settings()
            return [type(first)(family="darken", label="by 0", options={"by": 1})]

    run(dataset, tmp_path, count=1)
    codec = Other()
    results = run(dataset, tmp_path, codec=codec)
    assert codec.encoded == 20 + 40
    assert [m.setting for m in results.of(Measurement) if m.codec == "darken"] == [{"by": 1}] * 2


def test_an_interrupted_run_keeps_what_is_finished(dataset: Dataset, tmp_path: Path) -> None:
    def stop(now: Progress) -> None:
        if isinstance(now.detail, Measurement) and now.detail.label == "by 40":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path, progress=stop)
    kept = [label for split, label in labels(Results.load(tmp_path)) if split == "validation"]
    assert kept == ["original", "by 0", "by 40"]
    assert sorted(labels(run(dataset, tmp_path))) == sorted(labels(run(dataset, tmp_path / "a")))


def test_other_data_or_weights_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, tmp_path, count=1)
    network = Brightness()
    network.gain.data.mul_(2)
    with pytest.raises(ConfigurationError, match="other weights"):
        run(dataset, tmp_path, network=network)
    other = Dataset(**{**vars(dataset), "sha256": "another"})
    with pytest.raises(ConfigurationError, match="data set"):
        run(other, tmp_path)


def test_another_network_may_join(dataset: Dataset, tmp_path: Path) -> None:
    first = run(dataset, tmp_path, count=1)
    config = EvaluationConfig(network="second")
    second = run(dataset, first, config=config, count=1)
    assert second is first
    assert len(Results.load(tmp_path).experiment.networks) == 2
    assert sum(each.network == "second" for each in second.of(Measurement)) == 4


def test_a_folder_with_something_else_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        run(dataset, tmp_path)
    run(dataset, tmp_path, allowed_entries=("mine.txt",))
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_profile_is_described() -> None:
    tables = TableSet.ijg(20)
    profile = Profile(name="a", tables=tables, provenance={"family": "joint"})
    found = describe_profile(profile, "brightness")
    assert (found.tables, found.family, found.label) == (tables, "joint", "a")
    assert (found.importance, found.frequencies) == (None, None)
    some = describe_profile(profile.keeping(Frequencies((0, 1, 64))), "brightness").to_row()
    assert (some["family"], some["frequencies"]) == ("joint + 3 frequencies", [0, 1, 64])


@pytest.mark.parametrize("wrong", [{"splits": ("train",)}, {"splits": ()}, {"protocol": "warm"}])
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        EvaluationConfig(network="brightness", **wrong)  # type: ignore[arg-type]
