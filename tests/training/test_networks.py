from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bandwise.data import LabelledImages
from bandwise.data.augment import GLYPHS
from bandwise.errors import CheckpointError, ConfigurationError, DivergenceError
from bandwise.tasks import logits_of
from bandwise.tasks.networks import build_network, network_sha256
from bandwise.training import Companion, NetworkConfig, NetworkEpoch, train_network

CONFIG = NetworkConfig(
    epochs=4,
    batch_size=16,
    learning_rate=0.05,
    warm_up_epochs=0.5,
    averaging=0.9,
    small_share=0.0,
    augmentation=GLYPHS,
)


def stripes(count: int, seed: int) -> LabelledImages:
    """Noisy horizontal (0) and vertical (1) stripes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    wave = torch.sin(torch.arange(16) * 1.6)
    across = torch.where(labels[:, None, None] == 0, wave[:, None], wave[None, :])
    noise = torch.randn(count, 16, 16, generator=generator)
    pixels = (128 + 60 * across + 20 * noise).clamp(0, 255).to(torch.uint8)
    return LabelledImages(pixels[:, None], labels)


TRAIN, VALIDATION = stripes(96, 0), stripes(32, 1)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return build_network("small-cnn", num_classes=2, channels=1)


def trained(
    config: NetworkConfig = CONFIG, **settings: object
) -> tuple[nn.Module, tuple[NetworkEpoch, ...]]:
    network = fresh()
    history = train_network(
        network,
        TRAIN,
        validation=VALIDATION,
        num_classes=2,
        config=config,
        **settings,  # type: ignore[arg-type]
    )
    return network, history


def test_a_network_learns_and_is_left_with_what_was_validated() -> None:
    network, history = trained()
    assert history[-1].validation_accuracy > 0.9
    accuracy = (logits_of(network, VALIDATION.pixels_u8).argmax(1) == VALIDATION.labels).float()
    assert float(accuracy.mean()) == pytest.approx(history[-1].validation_accuracy)
    assert not network.training


def test_the_same_seed_gives_the_same_network() -> None:
    first, second = trained()[0], trained()[0]
    other = trained(replace(CONFIG, seed=1))[0]
    assert network_sha256(first) == network_sha256(second)
    assert network_sha256(first) != network_sha256(other)


class Stopped(Exception):
    pass


def stop_after(epochs: int) -> object:
    def hear(epoch: NetworkEpoch) -> None:
        if epoch.epoch == epochs:
            raise Stopped

    return hear


def test_a_stopped_run_goes_on_to_the_same_network(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(Stopped):
        trained(checkpoint=checkpoint, listener=stop_after(2))
    resumed, history = trained(checkpoint=checkpoint)
    assert network_sha256(resumed) == network_sha256(trained()[0])
    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    trained(replace(CONFIG, epochs=1), checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="another network, data set or settings"):
        trained(checkpoint=checkpoint)


class Brightness(Companion):
    """Adds a learned constant, whose square is penalised."""

    def __init__(self) -> None:
        super().__init__()
        self.added = nn.Parameter(torch.tensor(0.5))

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels + self.added

    def penalty(self) -> Tensor:
        return 10 * self.added.square()

    def optimiser(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.05)


def test_a_companion_is_learned_with_the_network(tmp_path: Path) -> None:
    companion = Brightness()
    trained(companion=companion)
    assert abs(companion.added.item()) < 0.2
    stopped, resumed = Brightness(), Brightness()
    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(Stopped):
        trained(companion=stopped, checkpoint=checkpoint, listener=stop_after(2))
    trained(companion=resumed, checkpoint=checkpoint)
    assert resumed.added.item() == companion.added.item()


def test_early_epochs_may_see_smaller_images() -> None:
    sides = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = fresh()

        def forward(self, pixels: Tensor) -> Tensor:
            if self.training:
                sides.append(pixels.shape[-1])
            logits: Tensor = self.network(pixels)
            return logits

    config = replace(CONFIG, epochs=2, small_share=0.5, small_scale=0.5)
    train_network(Watching(), TRAIN, validation=VALIDATION, num_classes=2, config=config)
    assert sides == [8] * 6 + [16] * 6


def test_divergence_is_said() -> None:
    with pytest.raises(DivergenceError, match="use a learning rate below"):
        trained(replace(CONFIG, learning_rate=1e30, warm_up_epochs=0.0))


@pytest.mark.parametrize("setting", ["epochs", "batch_size", "learning_rate"])
def test_settings_that_cannot_work_are_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="above 0"):
        replace(CONFIG, **{setting: 0})  # type: ignore[arg-type]


def test_no_batch_is_a_single_image() -> None:
    sizes = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = fresh()

        def forward(self, pixels: Tensor) -> Tensor:
            if self.training:
                sizes.append(len(pixels))
            logits: Tensor = self.network(pixels)
            return logits

    images = TRAIN.subset(range(17))
    config = replace(CONFIG, epochs=1, batch_size=8)
    train_network(Watching(), images, validation=VALIDATION, num_classes=2, config=config)
    assert sizes == [8, 9]
