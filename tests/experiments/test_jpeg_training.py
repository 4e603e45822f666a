"""Runs on few digits: what rows say of them, that they resume, and that files may be cut."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bandwise import jpeg
from bandwise.data.files import FileDataset, load_files
from bandwise.errors import BandwiseError, ConfigurationError
from bandwise.executors import InProcess
from bandwise.experiments.jpeg_training import Job, JpegTrainingConfig, jobs, run, truncated
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet
from bandwise.learning.jpeg_network import RULES, choose_frequencies
from bandwise.models.model import Model
from bandwise.progress import Progress
from bandwise.results import RESULTS_NAME, Results, Row, Trained
from tests.data.jpeg_tree import write_digits
from tests.jpeg.images import SCHEMES, picture
from tests.learning import digits
from tests.models.trained import OWN

TRAINING = replace(digits.TRAINING, epochs=2)
CONFIG = JpegTrainingConfig(
    twins=("resnet-small",), selected="resnet-small", kept=(24, 8), seeds=(0,), training=TRAINING
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


HERE = InProcess()


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
    assert run(CONFIG, load_files(root), out, executor=HERE).path == out / RESULTS_NAME
    return out


def rows(out: Path) -> list[Row]:
    """Rows without times, sorted."""
    results = Results.load(out)
    clock = ("created", "train_seconds")
    kept = [
        {name: value for name, value in record.to_row().items() if name not in clock}
        for record in (results.experiment, *results.of(Trained))
    ]
    return sorted(kept, key=lambda row: json.dumps(row, sort_keys=True))


def trained(out: Path) -> dict[str, Trained]:
    names = Trained.identity
    records = Results.load(out).of(Trained)
    return {Job(**{name: getattr(each, name) for name in names}).name: each for each in records}


def test_runs_are_named_and_none_is_there_twice() -> None:
    whole, fewer = jobs(replace(CONFIG, twins=("resnet-small", "vit"), seeds=(0, 1, 1)))
    assert len({job.name for job in whole}) == len(whole) == 2 * 4
    assert len({job.name for job in fewer}) == len(fewer) == 2 * 6
    assert [job.name for group in jobs(CONFIG) for job in group] == NAMES
    assert jobs(TWINS)[1] == []


def test_every_run_leaves_a_row_and_a_model(finished: Path, data: FileDataset) -> None:
    found = trained(finished)
    assert sorted(found) == sorted(NAMES)
    test = data.splits["test"]
    for name, row in found.items():
        model = Model.load(finished / "models" / f"{name}.safetensors")
        correct = model.probabilities(test.files).argmax(1) == test.labels
        assert row.test_correct is not None
        assert row.test_correct.tolist() == correct.int().tolist()
        assert row.test_accuracy == pytest.approx(float(correct.float().mean()))
        assert row.parameters == sum(value.numel() for value in model.module.parameters())
        assert (row.epochs, row.images) == (2, 32)
        assert row.validation_curve[-1] == row.validation_accuracy
    experiment = Results.load(finished).experiment
    assert experiment.recipe == "straight-from-jpeg"
    dataset = experiment.dataset
    assert (dataset.name, dataset.sha256) == ("digits", data.sha256)
    assert (dataset.classes, dataset.grid, dataset.channels) == (("0", "1"), (2, 2), 1)
    assert (dataset.train, dataset.validation, dataset.test) == (32, 8, 8)


def test_frequencies_are_what_their_rule_says(finished: Path, data: FileDataset) -> None:
    found = trained(finished)
    whole = Model.load(finished / "models" / f"{NAMES[0]}.safetensors")
    for kept in (24, 8):
        for rule in RULES:
            want = choose_frequencies(rule, kept, data, model=whole)
            name = f"resnet-small-coefficients-{kept}-{rule}-seed-0"
            assert found[name].frequencies == want
            model = Model.load(finished / "models" / f"{name}.safetensors")
            assert model.frequencies == want
    assert found[NAMES[0]].frequencies == Frequencies.whole(1)
    assert found[NAMES[1]].frequencies is None
    zigzag = found["resnet-small-coefficients-8-zigzag-seed-0"].frequencies
    assert zigzag == Frequencies((0, 1, 2, 3, 8, 9, 10, 16))


def test_fewer_frequencies_are_smaller_files_with_the_same_output(
    finished: Path, data: FileDataset
) -> None:
    found, files = trained(finished), data.splits["test"].files
    for rule in RULES:
        names = [f"resnet-small-coefficients-{kept}-{rule}-seed-0" for kept in (24, 8)]
        sizes = [found[name].test_bytes.tolist() for name in (NAMES[0], *names)]
        assert sum(sizes[0]) > sum(sizes[1]) > sum(sizes[2])
        for name, row in zip(names, sizes[1:], strict=True):
            model = Model.load(finished / "models" / f"{name}.safetensors")
            cut = [truncated(file, model.frequencies) for file in files]
            assert [len(file) for file in cut] == row
            assert torch.equal(model.probabilities(cut), model.probabilities(files))
    assert (found[NAMES[0]].test_bytes == found[NAMES[1]].test_bytes).all()


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


def test_an_interrupted_experiment_goes_on_to_the_same_rows(
    root: Path, finished: Path, tmp_path: Path
) -> None:
    """Stopped in the middle of a run, after an epoch."""
    out = tmp_path / "out"
    reports: list[Progress] = []

    def interrupt(now: Progress) -> None:
        reports.append(now)
        if now.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(CONFIG, load_files(root), out, executor=HERE, progress=interrupt)
    assert [now.done for now in reports] == list(range(1, 8))
    assert {(now.unit, now.total) for now in reports} == {("epochs", 2 * len(NAMES))}
    assert list(trained(out)) == NAMES[:3]
    reports.clear()
    run(CONFIG, load_files(root), out, executor=HERE, progress=reports.append)
    assert [now.done for now in reports] == [2, *range(3, 11)]
    assert {now.total for now in reports} == {10}
    assert rows(out) == rows(finished)
    for name in NAMES:
        file = Path("models") / f"{name}.safetensors"
        assert (out / file).read_bytes() == (finished / file).read_bytes()

    before = (out / RESULTS_NAME).read_bytes()
    reports.clear()
    run(CONFIG, load_files(root), out, executor=HERE, progress=reports.append)
    assert reports == []
    assert (out / RESULTS_NAME).read_bytes() == before
    more = replace(CONFIG, kept=(24, 8, 4), rules=("zigzag",))
    run(more, load_files(root), out, executor=HERE, progress=reports.append)
    assert len(reports) == 2
    assert len(trained(out)) == len(NAMES) + 1


def test_workers_give_the_same_rows(root: Path, finished: Path, tmp_path: Path) -> None:
    reports: list[Progress] = []
    run(TWINS, load_files(root), tmp_path / "out", workers=2, progress=reports.append)
    assert sorted(trained(tmp_path / "out")) == sorted(NAMES[:2])
    for row in rows(tmp_path / "out"):
        assert row in rows(finished)
    assert [now.done for now in reports] == [1, 2, 3, 4]


@pytest.mark.parametrize("change", ["data", "grid", "training", "recipe"])
def test_another_experiment_is_refused(
    change: str, root: Path, finished: Path, tmp_path: Path
) -> None:
    out, config, size = finished, CONFIG, None
    if change == "data":
        root = write_digits(tmp_path / "digits", {"train": 4, "test": 2})
    elif change == "grid":
        size = (32, 32)
    elif change == "training":
        config = replace(CONFIG, training=replace(TRAINING, learning_rate=0.01))
    else:
        out = tmp_path / "out"
        out.mkdir()
        head = (finished / RESULTS_NAME).read_text().splitlines()[0]
        (out / RESULTS_NAME).write_text(head.replace("straight-from-jpeg", "evaluate") + "\n")
    before = (out / RESULTS_NAME).read_bytes()
    with pytest.raises(ConfigurationError, match="another experiment"):
        run(config, load_files(root, image_size=size), out, executor=HERE)
    assert (out / RESULTS_NAME).read_bytes() == before


def test_a_network_of_ones_own_and_colour_of_any_sampling(tmp_path: Path) -> None:
    splits = {"train": 4, "validation": 2, "test": 2}
    root = write_digits(tmp_path / "digits", splits, colour=True, subsampling="4:4:4")
    grey = root / "test" / "0" / "00.jpg"
    grey.write_bytes(jpeg.encode(picture(16, 16, grey=True), TableSet.ijg(80)))
    config = replace(CONFIG, twins=(), selected=OWN, kept=(24,), rules=("zigzag", "importance"))
    out = tmp_path / "out"
    run(config, load_files(root), out, executor=HERE)
    assert len(trained(out)) == 3
    chosen = Job(network=OWN, reads="coefficients", seed=0, kept=24, rule="zigzag")
    assert trained(out)[chosen.name].frequencies == Frequencies.zigzag(24, channels=3)


def test_an_error_of_a_run_is_one_message(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "models").mkdir(parents=True)
    (out / "models" / f"{NAMES[0]}.checkpoint.safetensors").write_bytes(b"damaged")
    with pytest.raises(BandwiseError, match="not a readable checkpoint") as caught:
        run(CONFIG, load_files(root), out, executor=HERE)
    assert "\n" not in str(caught.value)
    assert trained(out) == {}
