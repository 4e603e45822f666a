"""Networks on images: the same bits again, also when stopped within an epoch and resumed."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bandwise.checkpoint import load_tensors
from bandwise.data import LabelledImages
from bandwise.errors import CheckpointError, ConfigurationError, DivergenceError
from bandwise.models.classification import logits_of
from bandwise.models.networks.registry import build_network, network_sha256
from bandwise.progress import Progress
from bandwise.training.networks import NetworkConfig, train_network
from bandwise.training.state import EpochRecord
from tests.learning.digits import TRAINING
from tests.training.modules import Brightness, Stopped

CONFIG = replace(TRAINING, epochs=4)


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
STEPS = 6


class Watched(nn.Module):
    """A network with dropout that notes the shapes it is trained on, and may stop."""

    def __init__(self, *, stop_at: int = 0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = build_network("small-cnn", num_classes=2, channels=1)
        self.dropout = nn.Dropout(0.2)
        self.shapes: list[torch.Size] = []
        self.stop_at = stop_at

    def forward(self, pixels: Tensor) -> Tensor:
        if self.training:
            self.shapes.append(pixels.shape)
            if len(self.shapes) == self.stop_at:
                raise Stopped
        logits: Tensor = self.network(self.dropout(pixels))
        return logits


def trained(
    config: NetworkConfig = CONFIG, *, train: LabelledImages = TRAIN, stop_at: int = 0, **more: Any
) -> tuple[Watched, tuple[EpochRecord, ...]]:
    network = Watched(stop_at=stop_at)
    history = train_network(
        network, train, validation=VALIDATION, num_classes=2, config=config, **more
    )
    return network, history


def test_a_network_learns_and_is_left_with_what_was_validated() -> None:
    reports: list[Progress] = []
    network, history = trained(progress=reports.append, stage="training")
    assert history[-1].validation_accuracy > 0.9
    accuracy = (logits_of(network, VALIDATION.pixels_u8).argmax(1) == VALIDATION.labels).float()
    assert float(accuracy.mean()) == pytest.approx(history[-1].validation_accuracy)
    assert not network.training
    epochs = [now for now in reports if now.unit == "epochs"]
    assert [(now.stage, now.done, now.total) for now in epochs] == [
        ("training", epoch, 4) for epoch in (1, 2, 3, 4)
    ]
    assert tuple(now.detail for now in epochs) == history


def test_the_seed_decides() -> None:
    first, second, other = trained()[0], trained()[0], trained(replace(CONFIG, seed=1))[0]
    assert network_sha256(first) == network_sha256(second)
    assert network_sha256(first) != network_sha256(other)


@cache
def never_stopped(transformed: bool) -> tuple[Watched, tuple[EpochRecord, ...], float]:
    """A whole run, and what its transform learned."""
    transform = Brightness() if transformed else None
    network, history = trained(transform=transform)
    return network, history, transform.added.item() if transform else 0.0


@pytest.mark.parametrize("transformed", [False, True])
@pytest.mark.parametrize("at", [2, STEPS + 4, 3 * STEPS + 1])
def test_a_run_that_is_stopped_within_an_epoch_goes_on_to_the_same_bits(
    at: int, transformed: bool, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint"
    resumable: dict[str, Any] = {"checkpoint": checkpoint, "checkpoint_share": 1e9}
    transforms = [Brightness() if transformed else None for _ in range(2)]
    with pytest.raises(Stopped):
        trained(transform=transforms[0], stop_at=at, **resumable)
    reached = load_tensors(checkpoint)[1]
    assert (len(reached["history"]), reached["step"]) == divmod(at - 1, STEPS)
    resumed, history = trained(transform=transforms[1], **resumable)
    whole, undisturbed, added = never_stopped(transformed)
    assert network_sha256(resumed) == network_sha256(whole)
    assert [replace(epoch, train_seconds=0.0) for epoch in history] == [
        replace(epoch, train_seconds=0.0) for epoch in undisturbed
    ]
    if transforms[1] is not None:
        assert transforms[1].added.item() == added
        assert abs(added) < 0.2


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    trained(replace(CONFIG, epochs=1), checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="another network, data set or settings"):
        trained(checkpoint=checkpoint)


def test_early_epochs_may_see_smaller_images() -> None:
    network, _ = trained(replace(CONFIG, epochs=2, small_share=0.5, small_scale=0.5))
    assert [shape[-1] for shape in network.shapes] == [8] * STEPS + [16] * STEPS


def test_no_batch_is_a_single_image() -> None:
    network, _ = trained(replace(CONFIG, epochs=1, batch_size=8), train=TRAIN.subset(range(17)))
    assert [shape[0] for shape in network.shapes] == [8, 9]


def test_divergence_is_said() -> None:
    with pytest.raises(DivergenceError, match="lower the learning rate"):
        trained(replace(CONFIG, learning_rate=1e30, warm_up_epochs=0.0))


@pytest.mark.parametrize("setting", ["epochs", "batch_size", "learning_rate"])
def test_settings_that_cannot_work_are_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="above 0"):
        replace(CONFIG, **{setting: 0})  # type: ignore[arg-type]
