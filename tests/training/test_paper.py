"""The paper's training: its loss, early stopping, and the same numbers again, also when resumed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from bandwise.data.batches import TensorBatches
from bandwise.errors import CheckpointError, ConfigurationError, DivergenceError
from bandwise.frequency.bands import Bands, radial_bands
from bandwise.frequency.compressors import Compressor, LearnedBands, StaticBands
from bandwise.frequency.dct import idct2
from bandwise.models.classification import Classification, Reads
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.training.config import TrainingConfig
from bandwise.training.paper import BandEpoch, fit, joint_loss, train
from bandwise.training.state import TrainingResult

BANDS = radial_bands(6, 6, 3)
CONFIG = TrainingConfig(epochs=4, batch_size=16, network_lr=0.05, band_lr=0.05, patience=None)

Build = Callable[[Bands], Compressor]


def stripes(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes that differ in one frequency only."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (count,), generator=generator)
    coefficients = torch.randn(count, 1, 6, 6, generator=generator)
    coefficients[:, 0, 0, 2] += 3.0 * (2 * labels - 1)
    return coefficients, labels


def batches(count: int, seed: int, *, shuffle: bool = False) -> TensorBatches:
    return TensorBatches(*stripes(count, seed), batch_size=16, shuffle_seed=9 if shuffle else None)


def modules(build: Build = LearnedBands) -> tuple[Classification, Compressor]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 2), nn.Dropout(0.2))
    return Classification(network), build(BANDS)


def run(
    config: TrainingConfig = CONFIG,
    *,
    build: Build = LearnedBands,
    validation: TensorBatches | None = None,
    checkpoint: Path | None = None,
    fingerprint: str = "here",
    progress: ProgressCallback = ignore_progress,
) -> tuple[TrainingResult[BandEpoch], Classification, Compressor]:
    task, compressor = modules(build)
    result = train(
        task,
        compressor,
        batches(200, 1, shuffle=True),
        validation=validation or batches(60, 2),
        test=batches(60, 3),
        config=config,
        checkpoint=checkpoint,
        fingerprint=fingerprint,
        progress=progress,
    )
    return result, task, compressor


def numbers(result: TrainingResult[BandEpoch]) -> list[BandEpoch]:
    """The history without what depends on the clock."""
    return [replace(epoch, train_seconds=0.0) for epoch in result.history]


def test_learns_the_task_and_raises_the_band_that_carries_it() -> None:
    result, _, compressor = run(replace(CONFIG, epochs=15, reconstruction_weight=0.0))
    assert result.best.test_accuracy is not None
    assert result.best.test_accuracy > 0.95
    assert int(compressor.weights().argmax()) == int(BANDS.index[0, 2])
    assert result.history[-1].train_loss < result.history[0].train_loss


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path: Path, after: int) -> None:
    whole, task, compressor = run()
    checkpoint = tmp_path / "checkpoint.safetensors"

    def interrupt(now: Progress) -> None:
        if now.unit == "epochs" and now.done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=checkpoint, progress=interrupt)
    resumed, resumed_task, resumed_compressor = run(checkpoint=checkpoint)
    assert numbers(resumed) == numbers(whole)
    assert resumed.best_epoch == whole.best_epoch
    for ours, theirs in ((resumed_task, task), (resumed_compressor, compressor)):
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)


def test_a_finished_checkpoint_is_read_back_without_training(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    reports: list[Progress] = []
    whole, _, compressor = run(checkpoint=checkpoint, progress=reports.append)
    epochs = [now for now in reports if now.unit == "epochs"]
    assert [(now.done, now.total) for now in epochs] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert tuple(now.detail for now in epochs) == whole.history
    before = checkpoint.read_bytes()
    again, _, same = run(checkpoint=checkpoint, progress=lambda now: pytest.fail(str(now)))
    assert again == whole
    assert torch.equal(same.weights(), compressor.weights())
    assert checkpoint.read_bytes() == before


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    run(checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="another network, data set or settings"):
        run(replace(CONFIG, network_lr=0.1), checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="another network, data set or settings"):
        run(checkpoint=checkpoint, fingerprint="elsewhere")
    with pytest.raises(CheckpointError, match="does not fit"):
        run(checkpoint=checkpoint, build=StaticBands)
    data = checkpoint.read_bytes()
    for damaged in (data[: len(data) // 2], b"", b"not a checkpoint"):
        checkpoint.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="not a readable checkpoint"):
            run(checkpoint=checkpoint)


def test_a_diverging_run_says_so_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(DivergenceError, match="learning rate"):
        run(replace(CONFIG, network_lr=1e38), checkpoint=checkpoint)
    assert not checkpoint.exists()


class Scripted(TensorBatches):
    """Validation data whose labels turn wrong after some epochs, so that its loss rises."""

    def __init__(self, good_epochs: int) -> None:
        super().__init__(*stripes(60, 2), batch_size=60)
        self.calls, self.good_epochs = 0, good_epochs

    def epoch(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        self.calls += 1
        for coefficients, labels in super().epoch(epoch):
            yield coefficients, labels if self.calls <= self.good_epochs else 1 - labels


def test_early_stopping_keeps_the_best_epoch() -> None:
    result, _, compressor = run(
        replace(CONFIG, epochs=20, patience=2), validation=Scripted(good_epochs=3)
    )
    assert result.stopped_early
    assert (result.best_epoch, len(result.history)) == (3, 5)
    assert tuple(compressor.weights().tolist()) == result.best.band_weights


def test_a_compressor_without_parameters_trains_the_network_alone() -> None:
    result, _, _ = run(build=StaticBands)
    assert all(epoch.band_weights == (1.0, 1.0, 1.0) for epoch in result.history)
    assert result.best.validation_accuracy > 0.9


def test_joint_loss_is_the_papers() -> None:
    task, compressor = modules()
    task.eval()
    coefficients, labels = stripes(5, 4)
    compressor.logits.data = torch.tensor([0.3, -0.2, 0.1])
    found = joint_loss(task, compressor, coefficients, labels, CONFIG)
    weighted = coefficients * compressor(coefficients).scale
    expected_task = nn.functional.cross_entropy(task.network(weighted), labels)
    expected_error = (weighted - coefficients).square().mean()
    torch.testing.assert_close(found.task, expected_task)
    torch.testing.assert_close(found.reconstruction, expected_error)
    torch.testing.assert_close(found.loss, expected_task + 0.1 * expected_error)


def test_without_task_gradient_the_bands_see_the_reconstruction_alone() -> None:
    task, compressor = modules()
    coefficients, labels = stripes(5, 4)
    config = replace(CONFIG, task_gradient=False)
    compressor.logits.data = torch.tensor([0.3, -0.2, 0.1])
    found = joint_loss(task, compressor, coefficients, labels, config)
    loss, reconstruction = found.loss, found.reconstruction
    parameters = list(compressor.parameters())
    (ours,) = torch.autograd.grad(loss, parameters, retain_graph=True)
    (expected,) = torch.autograd.grad(0.1 * reconstruction, parameters, retain_graph=True)
    torch.testing.assert_close(ours, expected)
    network_gradient = torch.autograd.grad(loss, list(task.parameters()))
    assert all(bool(gradient.abs().sum() > 0) for gradient in network_gradient)


@pytest.mark.parametrize("reads", ["pixels", "coefficients"])
def test_fit_takes_any_module_and_loader(reads: Reads) -> None:
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(0, 2, (120,), generator=generator)
    pixels = idct2(torch.randn(120, 1, 6, 6, generator=generator))
    pixels[:, :, :, ::2] += (2 * labels - 1.0)[:, None, None, None]
    pairs = TensorDataset(pixels, labels)
    torch.manual_seed(0)
    compressor = LearnedBands(BANDS)
    result = fit(
        nn.Sequential(nn.Flatten(), nn.Linear(36, 2)),
        compressor,
        DataLoader(pairs, batch_size=16, shuffle=True, generator=generator),
        validation=DataLoader(pairs, batch_size=60),
        config=CONFIG,
        reads=reads,
    )
    assert result.best.validation_accuracy > 0.9
    assert float(compressor.weights().detach().sum()) == pytest.approx(3)


def test_cosine_decay_in_steps_of_epochs() -> None:
    config = TrainingConfig()
    rates = [config.learning_rate_at(done) for done in (0, 0.9, 15, 15.5, 29)]
    assert rates[:4] == pytest.approx([0.01, 0.01, 0.005, 0.005])
    assert rates[4] < 1e-4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("network_lr", 0.0),
        ("momentum", 1.0),
        ("band_lr", -1.0),
        ("reconstruction_weight", -0.1),
        ("validation_fraction", 1.0),
        ("patience", 0),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name):
        replace(CONFIG, **{name: value})  # type: ignore[arg-type]
