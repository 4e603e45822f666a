"""Runs on few digits: what rows say of them, that they resume, and that files may be cut."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bandwise import jpeg
from bandwise.coefficients import Subsampling
from bandwise.data.augment import GLYPHS
from bandwise.data.files import FileDataset, load_files
from bandwise.errors import BandwiseError, ConfigurationError, OutputError
from bandwise.frequencies import Frequencies
from bandwise.inference import Model
from bandwise.recipes import pool, straight_from_jpeg
from bandwise.recipes.stages import Event
from bandwise.recipes.straight_from_jpeg import Job, StraightConfig, jobs, run, truncated
from bandwise.recipes.training import RULES, choose_frequencies, train_on_files
from bandwise.results import RESULTS_NAME, Row, read_rows
from bandwise.tables import TableSet
from bandwise.training import NetworkConfig
from tests.data.jpeg_tree import write_digits
from tests.inference.models import OWN
from tests.jpeg.images import SCHEMES, picture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

TRAINING = NetworkConfig(
    epochs=2,
    batch_size=16,
    learning_rate=0.05,
    warm_up_epochs=0.5,
    averaging=0.9,
    small_share=0.0,
    augmentation=GLYPHS,
)
CONFIG = StraightConfig(
    twins=("resnet-small",),
    selected="resnet-small",
    kept=(24, 8),
    seeds=(0,),
    training=TRAINING,
)
TWINS = replace(CONFIG, kept=())
NAMES = [
    "resnet-small-coefficients-seed-0",
    "resnet-small-pixels-seed-0",
    *(
        f"resnet-small-coefficients-{kept}-{rule}-seed-0"
        for kept in (24, 8)
        for rule in ("importance", "energy", "zigzag")
    ),
]


def in_this_process(
    task: pool.Task[Any], todo: Sequence[Any], *, workers: int
) -> Iterator[pool.Event[Any]]:
    """As `work_through`, without the seconds that a process takes to start."""
    for job in todo:
        yield pool.Event(job)
        news: list[Any] = []
        result = task(job, news.append)
        yield from (pool.Event(job, body) for body in news)
        yield pool.Event(job, result, done=True)


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight_from_jpeg, "work_through", in_this_process)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = {"train": 16, "validation": 4, "test": 4}
    return write_digits(tmp_path_factory.mktemp("tree") / "digits", splits)


@pytest.fixture(scope="module")
def data(root: Path) -> FileDataset:
    return load_files(root)


@pytest.fixture(scope="module")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed experiment; tests leave it as it is."""
    out = tmp_path_factory.mktemp("finished") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(straight_from_jpeg, "work_through", in_this_process)
        assert run(CONFIG, load_files(root), out) == out / RESULTS_NAME
    return out


def without_clock(out: Path) -> list[Row]:
    """Rows by name, without times."""
    rows = read_rows(out / RESULTS_NAME)
    clock = ("created", "train_seconds")
    kept = [{name: value for name, value in row.items() if name not in clock} for row in rows]
    return [kept[0], *sorted(kept[1:], key=lambda row: json.dumps(row, sort_keys=True))]


def trained(out: Path) -> dict[str, Row]:
    rows = [row for row in read_rows(out / RESULTS_NAME) if row["record"] == "trained"]
    keys = ("network", "reads", "seed", "kept", "rule")
    return {Job(**{key: row[key] for key in keys}).name: row for row in rows}


def test_runs_are_named_and_none_is_there_twice() -> None:
    whole, fewer = jobs(replace(CONFIG, twins=("resnet-small", "vit"), seeds=(0, 1, 1)))
    assert len({job.name for job in whole}) == len(whole) == 2 * 4
    assert len({job.name for job in fewer}) == len(fewer) == 2 * 6
    assert [job.name for group in jobs(CONFIG) for job in group] == NAMES
    assert jobs(TWINS)[1] == []


def test_every_run_leaves_a_row_and_a_model(finished: Path, data: FileDataset) -> None:
    rows = trained(finished)
    assert sorted(rows) == sorted(NAMES)
    test = data.splits["test"]
    for name, row in rows.items():
        model = Model.load(finished / "models" / f"{name}.safetensors")
        correct = model.probabilities(test.files).argmax(1) == test.labels
        assert row["test_correct"] == correct.int().tolist()
        assert row["test_accuracy"] == pytest.approx(float(correct.float().mean()))
        assert row["parameters"] == sum(value.numel() for value in model.module.parameters())
        assert (row["epochs"], row["images"]) == (2, 32)
        assert len(row["validation_curve"]) == len(row["train_seconds"]) == 2
        assert row["validation_curve"][-1] == row["validation_accuracy"]
    experiment = read_rows(finished / RESULTS_NAME)[0]
    assert experiment["recipe"] == "straight-from-jpeg"
    assert experiment["dataset"] == {
        "name": "digits",
        "sha256": data.sha256,
        "classes": ["0", "1"],
        "grid": [2, 2],
        "channels": 1,
        "train": 32,
        "validation": 8,
        "test": 8,
    }


def test_frequencies_are_what_their_rule_says(finished: Path, data: FileDataset) -> None:
    rows = trained(finished)
    whole = Model.load(finished / "models" / "resnet-small-coefficients-seed-0.safetensors")
    for kept in (24, 8):
        for rule in RULES:
            want = choose_frequencies(rule, kept, data, model=whole)
            name = f"resnet-small-coefficients-{kept}-{rule}-seed-0"
            assert rows[name]["frequencies"] == list(want.kept)
            model = Model.load(finished / "models" / f"{name}.safetensors")
            assert model.frequencies == want
    assert rows["resnet-small-coefficients-seed-0"]["frequencies"] == list(range(64))
    assert rows["resnet-small-pixels-seed-0"]["frequencies"] is None
    zigzag = rows["resnet-small-coefficients-8-zigzag-seed-0"]["frequencies"]
    assert zigzag == [0, 1, 2, 3, 8, 9, 10, 16]


def test_fewer_frequencies_are_smaller_files_with_the_same_output(
    finished: Path, data: FileDataset
) -> None:
    rows, files = trained(finished), data.splits["test"].files
    for rule in RULES:
        names = [f"resnet-small-coefficients-{kept}-{rule}-seed-0" for kept in (24, 8)]
        sizes = [rows[name]["test_bytes"] for name in (NAMES[0], *names)]
        assert sum(sizes[0]) > sum(sizes[1]) > sum(sizes[2])
        for name, row in zip(names, sizes[1:], strict=True):
            model = Model.load(finished / "models" / f"{name}.safetensors")
            cut = [truncated(file, model.frequencies) for file in files]
            assert [len(file) for file in cut] == row
            assert torch.equal(model.probabilities(cut), model.probabilities(files))
    assert rows[NAMES[0]]["test_bytes"] == rows[NAMES[1]]["test_bytes"]


@pytest.mark.parametrize("kept", [(0, 1, 8), (0, 9, 64, 70, 128, 135)])
@pytest.mark.parametrize("subsampling", [*SCHEMES, None])
def test_files_of_any_sampling_are_cut_to_what_is_read(
    subsampling: Subsampling | None, kept: tuple[int, ...]
) -> None:
    pixels_u8 = picture(33, 47, grey=subsampling is None)
    file = jpeg.encode(pixels_u8, TableSet.ijg(90), subsampling=subsampling or "4:2:0")
    frequencies = Frequencies(kept)
    model = Model(
        network="any",
        reads="coefficients",
        classes=("a", "b"),
        channels=3,
        grid=(6, 6),
        frequencies=frequencies,
        module=torch.nn.Identity(),
    )
    whole, cut = truncated(file, None), truncated(file, frequencies)
    assert len(cut) < len(whole)
    planes = zip(model.read([cut]), model.read([file]), strict=True)
    for (found, want), channels in zip(planes, (frequencies.luma, frequencies.chroma), strict=True):
        if channels:
            assert torch.equal(found[:, channels], want[:, channels])
    assert (jpeg.decode(whole) == jpeg.decode(file)).all()


@pytest.mark.usefixtures("_here")
def test_an_interrupted_experiment_goes_on_to_the_same_rows(
    root: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle of a run, after an epoch."""
    out, heard = tmp_path / "out", []
    train = train_on_files

    def interrupted(*arguments: Any, on_epoch: Callable[[Any], None], **settings: Any) -> Any:
        def hear(epoch: Any) -> None:
            heard.append(epoch)
            if len(heard) == 7:
                raise KeyboardInterrupt
            on_epoch(epoch)

        return train(*arguments, on_epoch=hear, **settings)

    monkeypatch.setattr(straight_from_jpeg, "train_on_files", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(CONFIG, load_files(root), out)
    assert list(trained(out)) == NAMES[:3]
    events: list[Event] = []
    run(CONFIG, load_files(root), out, listener=events.append)
    assert len(heard) == 2 * len(NAMES)
    assert [event.done for event in events] == [2, *range(3, 11)]
    assert {event.total for event in events} == {10}
    assert without_clock(out) == without_clock(finished)
    for name in NAMES:
        file = Path("models") / f"{name}.safetensors"
        assert (out / file).read_bytes() == (finished / file).read_bytes()

    before = (out / RESULTS_NAME).read_bytes()
    run(CONFIG, load_files(root), out, listener=events.append)
    assert len(heard) == 2 * len(NAMES)
    assert (out / RESULTS_NAME).read_bytes() == before
    run(replace(CONFIG, kept=(24, 8, 4), rules=("zigzag",)), load_files(root), out)
    assert len(heard) == 2 * len(NAMES) + 2
    assert without_clock(out)[0] == without_clock(finished)[0]
    assert len(trained(out)) == len(NAMES) + 1


def test_workers_give_the_same_rows(root: Path, finished: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run(TWINS, load_files(root), tmp_path / "out", workers=2, listener=events.append)
    rows = trained(tmp_path / "out")
    assert sorted(rows) == sorted(NAMES[:2])
    for row in without_clock(tmp_path / "out"):
        assert row in without_clock(finished)
    assert [event.done for event in events] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "word"), [("data", "data set"), ("grid", "data set"), ("training", "training")]
)
def test_another_experiment_is_refused(
    change: str, word: str, root: Path, finished: Path, tmp_path: Path
) -> None:
    before = (finished / RESULTS_NAME).read_bytes()
    config, size = CONFIG, None
    if change == "data":
        root = write_digits(tmp_path / "digits", {"train": 4, "test": 2})
    elif change == "grid":
        size = (32, 32)
    else:
        config = replace(CONFIG, training=replace(TRAINING, learning_rate=0.01))
    with pytest.raises(ConfigurationError, match=f"another experiment: its {word} is another"):
        run(config, load_files(root, image_size=size), finished)
    assert (finished / RESULTS_NAME).read_bytes() == before


def test_another_recipe_is_refused(root: Path, tmp_path: Path) -> None:
    row = {"record": "experiment", "schema": 1, "recipe": "reproduce", "settings": {}}
    (tmp_path / RESULTS_NAME).write_text(json.dumps(row) + "\n")
    with pytest.raises(ConfigurationError, match="its recipe is another"):
        run(CONFIG, load_files(root), tmp_path)


def test_a_folder_with_something_else_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(OutputError, match="not empty"):
        run(CONFIG, load_files(root), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"twins": ("magic",)}, "unknown network 'magic'"),
        ({"twins": ("small-cnn",)}, "unknown network 'small-cnn'"),
        ({"selected": "magic"}, "unknown network 'magic'"),
        ({"kept": (24, 65)}, "1 to 64 can be kept, not 65"),
        ({"kept": (0,)}, "1 to 64 can be kept, not 0"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_trained(
    changes: dict[str, Any], message: str, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run(replace(CONFIG, **changes), load_files(root), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": ()}, "nothing to train"),
        ({"twins": (), "kept": ()}, "nothing to train"),
        ({"rules": ("energy", "magic")}, "not magic"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        replace(CONFIG, **changes)


@pytest.mark.usefixtures("_here")
def test_a_network_of_ones_own_and_colour_of_any_sampling(tmp_path: Path) -> None:
    splits = {"train": 4, "validation": 2, "test": 2}
    root = write_digits(tmp_path / "digits", splits, colour=True, subsampling="4:4:4")
    grey = root / "test" / "0" / "00.jpg"
    grey.write_bytes(jpeg.encode(picture(16, 16, grey=True), TableSet.ijg(80)))
    config = replace(CONFIG, twins=(), selected=OWN, kept=(24,), rules=("zigzag", "importance"))
    out = tmp_path / "out"
    run(config, load_files(root), out)
    assert len(trained(out)) == 3
    chosen = Job(network=OWN, reads="coefficients", seed=0, kept=24, rule="zigzag")
    kept = trained(out)[chosen.name]["frequencies"]
    assert kept == list(Frequencies.zigzag(24, channels=3).kept)


@pytest.mark.usefixtures("_here")
def test_an_error_of_a_run_is_one_message(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "models").mkdir(parents=True)
    (out / "models" / f"{NAMES[0]}.checkpoint.safetensors").write_bytes(b"damaged")
    with pytest.raises(BandwiseError, match="not a readable checkpoint") as caught:
        run(CONFIG, load_files(root), out)
    assert "\n" not in str(caught.value)
    assert trained(out) == {}
