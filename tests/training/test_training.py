from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from bandwise.bands import Bands, radial_bands
from bandwise.compressors import (
    AdaptiveBands,
    Compressor,
    LearnedBands,
    LearnedEdges,
    StaticBands,
)
from bandwise.data.batches import TensorBatches
from bandwise.dct import dct2, idct2
from bandwise.errors import CheckpointError, ConfigurationError, DivergenceError
from bandwise.tasks import Classification, Reads
from bandwise.training import (
    EpochResult,
    Observer,
    TrainingConfig,
    TrainingResult,
    evaluate,
    fit,
    joint_loss,
    train,
)

BANDS = radial_bands(6, 6, 3)
CONFIG = TrainingConfig(epochs=4, batch_size=16, network_lr=0.05, band_lr=0.05, patience=None)


def stripes(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes that differ in one frequency only."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (count,), generator=generator)
    coefficients = torch.randn(count, 1, 6, 6, generator=generator)
    coefficients[:, 0, 0, 2] += 3.0 * (2 * labels - 1)
    return coefficients, labels


def batches(count: int, seed: int, *, shuffle: bool = False) -> TensorBatches:
    return TensorBatches(*stripes(count, seed), batch_size=16, shuffle_seed=9 if shuffle else None)


def edges(bands: Bands) -> LearnedEdges:
    return LearnedEdges(*bands.shape, bands.count)


Build = Callable[[Bands], Compressor]


def modules(compressor: Build = LearnedBands) -> tuple[Classification, Compressor]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    return Classification(network), compressor(BANDS)


class Interrupt(Observer):
    """Raises after an epoch, as a kill would end the process."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_epoch(self, result: EpochResult) -> None:
        if result.epoch == self.after:
            raise KeyboardInterrupt


def run(
    config: TrainingConfig = CONFIG,
    *,
    checkpoint: Path | None = None,
    observer: Observer | None = None,
    fingerprint: str = "here",
    build: Build = LearnedBands,
) -> tuple[TrainingResult, Classification, Compressor]:
    task, compressor = modules(build)
    result = train(
        task,
        compressor,
        batches(200, 1, shuffle=True),
        validation=batches(60, 2),
        test=batches(60, 3),
        config=config,
        checkpoint=checkpoint,
        fingerprint=fingerprint,
        observer=observer,
    )
    return result, task, compressor


def numbers(result: TrainingResult) -> list[EpochResult]:
    """The history without what depends on the clock."""
    return [replace(epoch, train_seconds=0.0) for epoch in result.history]


def test_learns_the_task_and_raises_the_band_that_carries_it() -> None:
    result, _, compressor = run(replace(CONFIG, epochs=15, reconstruction_weight=0.0))
    assert result.best.test_accuracy is not None
    assert result.best.test_accuracy > 0.95
    weights = compressor.weights()
    assert int(weights.argmax()) == int(BANDS.index[0, 2])
    assert result.history[-1].train_loss < result.history[0].train_loss


@pytest.mark.parametrize("build", [LearnedBands, edges, AdaptiveBands])
def test_same_seed_same_numbers(build: Build) -> None:
    assert numbers(run(build=build)[0]) == numbers(run(build=build)[0])


@pytest.mark.parametrize("build", [LearnedBands, edges, AdaptiveBands])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_resumed_run_ends_with_the_same_numbers(tmp_path: Path, after: int, build: Build) -> None:
    whole, task, compressor = run(build=build)
    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=checkpoint, observer=Interrupt(after), build=build)
    resumed, resumed_task, resumed_compressor = run(checkpoint=checkpoint, build=build)
    assert numbers(resumed) == numbers(whole)
    assert resumed.best_epoch == whole.best_epoch
    for ours, theirs in ((resumed_task, task), (resumed_compressor, compressor)):
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)


def test_a_finished_checkpoint_is_read_back_without_training(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    whole, _, compressor = run(checkpoint=checkpoint)
    before = checkpoint.read_bytes()
    again, _, same = run(checkpoint=checkpoint)
    assert again == whole
    assert torch.equal(same.weights(), compressor.weights())
    assert checkpoint.read_bytes() == before


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    run(checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="other settings or data"):
        run(replace(CONFIG, network_lr=0.1), checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="other settings or data"):
        run(checkpoint=checkpoint, fingerprint="elsewhere")
    data = checkpoint.read_bytes()
    for damaged in (data[: len(data) // 2], b"", b"not a checkpoint"):
        checkpoint.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="not a readable checkpoint"):
            run(checkpoint=checkpoint)


class Scripted(TensorBatches):
    """Validation data whose labels turn wrong after some epochs, so that its loss rises."""

    def __init__(self, good_epochs: int) -> None:
        coefficients, labels = stripes(60, 2)
        super().__init__(coefficients, labels, batch_size=60)
        self.calls, self.good_epochs = 0, good_epochs

    def epoch(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        self.calls += 1
        for coefficients, labels in super().epoch(epoch):
            yield coefficients, labels if self.calls <= self.good_epochs else 1 - labels


def test_early_stopping_keeps_the_best_epoch() -> None:
    task, compressor = modules()
    result = train(
        task,
        compressor,
        batches(200, 1, shuffle=True),
        validation=Scripted(good_epochs=3),
        config=replace(CONFIG, epochs=20, patience=2),
    )
    assert result.stopped_early
    assert result.best_epoch == 3
    assert len(result.history) == 5
    kept = torch.tensor(result.best.band_weights)
    torch.testing.assert_close(compressor.weights().detach(), kept)


def test_joint_loss_is_the_papers() -> None:
    task, compressor = modules()
    coefficients, labels = stripes(5, 4)
    scale = torch.rand(3) + 0.5
    compressor.logits.data = scale.log()
    loss, task_loss, reconstruction = joint_loss(task, compressor, coefficients, labels, CONFIG)
    weighted = coefficients * compressor.scale()
    expected_task = nn.functional.cross_entropy(task.network(weighted), labels)
    expected_error = (weighted - coefficients).square().mean()
    torch.testing.assert_close(task_loss, expected_task)
    torch.testing.assert_close(reconstruction, expected_error)
    torch.testing.assert_close(loss, expected_task + 0.1 * expected_error)


def test_reconstruction_is_measured_by_the_weights_of_each_image() -> None:
    task = Classification(nn.Sequential(nn.Flatten(), nn.Linear(72, 2)))
    compressor = AdaptiveBands(BANDS)
    for parameter in compressor.parameters():
        parameter.data = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(7))
    coefficients, labels = stripes(5, 4)
    coefficients = torch.cat([coefficients, coefficients.flip(-1)], 1)
    _, _, reconstruction = joint_loss(task, compressor, coefficients, labels, CONFIG)
    weighted = compressor(coefficients).coefficients
    torch.testing.assert_close(reconstruction, (weighted - coefficients).square().mean())


def test_edges_move_towards_the_frequency_that_carries_the_task() -> None:
    config = replace(CONFIG, epochs=15, reconstruction_weight=0.0)
    result, _, compressor = run(config, build=edges)
    assert result.best.test_accuracy is not None
    assert result.best.test_accuracy > 0.95
    first, last = result.history[0], result.history[-1]
    assert first.band_edges is not None
    assert last.band_edges is not None
    assert last.band_edges != first.band_edges
    assert last.band_exponent != first.band_exponent
    assert int(compressor.weights().argmax()) == int(compressor.bands.index[0, 2])
    rings = compressor.rings()
    assert rings is not None
    assert (rings.edges, rings.exponent) == (result.best.band_edges, result.best.band_exponent)


def test_validation_knows_no_softness() -> None:
    task, compressor = modules(edges)
    assert isinstance(compressor, LearnedEdges)
    assert compressor.logits is not None
    compressor.logits.data = torch.tensor([2.0, 0.0, -1.0])
    fixed = LearnedBands(compressor.bands)
    fixed.logits.data = compressor.logits.data
    ours = evaluate(task, compressor, batches(60, 2), CONFIG)
    assert ours == evaluate(task, fixed, batches(60, 2), CONFIG)


def test_weights_of_images_are_summarised_over_images_and_classes() -> None:
    task, compressor = modules(AdaptiveBands)
    assert isinstance(compressor, AdaptiveBands)
    compressor.last.weight.data = 9 * torch.randn(3, 16, generator=torch.Generator().manual_seed(3))
    coefficients, labels = stripes(60, 2)
    found = evaluate(task, compressor, batches(60, 2), CONFIG).weights
    weights = compressor.weights_of(coefficients).detach().double()
    assert found.mean == pytest.approx(weights.mean(0).tolist())
    assert found.std == pytest.approx(weights.std(0, correction=0).tolist())
    assert found.by_class is not None
    for label in (0, 1):
        own = weights[labels == label].mean(0)
        assert found.by_class[label] == pytest.approx(own.tolist())
    shared = evaluate(*modules(), batches(60, 2), CONFIG).weights
    assert (shared.mean, shared.std, shared.by_class) == ((1.0, 1.0, 1.0), None, None)


def test_without_task_gradient_the_bands_see_the_reconstruction_alone() -> None:
    task, compressor = modules()
    coefficients, labels = stripes(5, 4)
    config = replace(CONFIG, task_gradient=False)
    compressor.logits.data = torch.tensor([0.3, -0.2, 0.1])
    loss, _, reconstruction = joint_loss(task, compressor, coefficients, labels, config)
    parameters = list(compressor.parameters())
    (ours,) = torch.autograd.grad(loss, parameters, retain_graph=True)
    (expected,) = torch.autograd.grad(0.1 * reconstruction, parameters, retain_graph=True)
    torch.testing.assert_close(ours, expected)
    network_gradient = torch.autograd.grad(loss, list(task.parameters()))
    assert all(bool(gradient.abs().sum() > 0) for gradient in network_gradient)


def test_a_compressor_without_parameters_trains_the_network_alone() -> None:
    task, compressor = modules(StaticBands)
    result = train(
        task,
        compressor,
        batches(200, 1, shuffle=True),
        validation=batches(60, 2),
        config=CONFIG,
    )
    assert all(epoch.band_weights == (1.0, 1.0, 1.0) for epoch in result.history)
    assert result.best.validation_accuracy > 0.9


def test_cosine_decay() -> None:
    config = TrainingConfig()
    assert config.learning_rate(0) == pytest.approx(0.01)
    assert config.learning_rate(15) == pytest.approx(0.005)
    assert config.learning_rate(29) < 1e-4


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


def test_loader_order_depends_on_seed_and_epoch_alone() -> None:
    one = [labels for _, labels in batches(50, 1, shuffle=True).epoch(3)]
    same = [labels for _, labels in batches(50, 1, shuffle=True).epoch(3)]
    other = [labels for _, labels in batches(50, 1, shuffle=True).epoch(4)]
    assert torch.equal(torch.cat(one), torch.cat(same))
    assert not torch.equal(torch.cat(one), torch.cat(other))
    assert sorted(torch.cat(one).tolist()) == sorted(torch.cat(other).tolist())


def test_plane_and_pixel_networks_can_both_be_trained() -> None:
    pixels = torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    labels = (pixels.mean((1, 2, 3)) > 0.5).long()
    data = TensorBatches(dct2(pixels), labels, batch_size=8)
    domains: tuple[Reads, ...] = ("coefficients", "pixels")
    for reads in domains:
        task = Classification(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), reads=reads)
        result = train(task, LearnedBands(BANDS), data, validation=data, config=CONFIG)
        assert len(result.history) == CONFIG.epochs


def test_fit_takes_any_module_and_loader() -> None:
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
    )
    assert result.best.validation_accuracy > 0.9
    assert float(compressor.weights().detach().sum()) == pytest.approx(3)


def test_a_diverging_run_says_so_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(DivergenceError, match="learning rate"):
        run(replace(CONFIG, network_lr=1e38), checkpoint=checkpoint)
    assert not checkpoint.exists()
