"""Two processes average gradients over the batch, and a killed run goes on to the same bits.

Networks compute in float64 where two processes are compared with one, so that what is left of the
difference is not amplified floating-point order: weights are equal within 1e-11, losses, which are
float32, within 1e-6.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.checkpoint import load_tensors
from bandwise.data import LabelledImages
from bandwise.data.augment import Augmentation
from bandwise.data.files import load_files
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.learning.jpeg_network import TrainConfig, train_on_files
from bandwise.models.networks.registry import build_network
from bandwise.training.networks import NetworkConfig, train_network
from bandwise.training.processes import ALONE, Processes, joined
from bandwise.training.state import EpochRecord
from tests.data.jpeg_tree import write_digits
from tests.training.modules import Brightness, Stopped
from tests.training.team import Team

CONFIG = NetworkConfig(
    epochs=2, batch_size=10, learning_rate=0.05, warm_up_epochs=0.5, averaging=0.9
)
UNCHANGED = Augmentation(
    zoom=(1.0, 1.0),
    stretch=0.0,
    turn=0.0,
    shift=0.0,
    flip=False,
    light=0.0,
    saturation=0.0,
    erase=0.0,
    mix=0.0,
)
COUNT = 35
"""Images: batches of 10, 10, 10 and 5, whose last parts are uneven."""

STEPS_AN_EPOCH = 4


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with Team(tmp_path_factory.mktemp("team") / "store") as team:
        yield team


def images(count: int) -> LabelledImages:
    """Noise, lighter by class."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 3
    noise = torch.randint(0, 176, (count, 3, 32, 32), generator=generator)
    return LabelledImages((noise + 40 * labels.view(-1, 1, 1, 1)).to(torch.uint8), labels)


@dataclass
class Outcome:
    weights: dict[str, NDArray[Any]]
    losses: list[tuple[float, float, float]]

    def __eq__(self, other: object) -> bool:
        """To the bit."""
        assert isinstance(other, Outcome)
        return self.losses == other.losses and all(
            np.array_equal(value, other.weights[name]) for name, value in self.weights.items()
        )


def outcome(network: nn.Module, history: tuple[EpochRecord, ...]) -> Outcome:
    return Outcome(
        {name: value.numpy() for name, value in network.state_dict().items()},
        [(each.train_loss, each.validation_loss, each.validation_accuracy) for each in history],
    )


class Plain(nn.Module):
    """A network in float64 without batch normalisation, and with a layer that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 8, 5, stride=4).double()
        self.last = nn.Linear(8, 3).double()
        self.unused = nn.Linear(2, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        features = torch.relu(self.first(pixels.double())).mean((2, 3))
        logits: Tensor = self.last(features).float()
        return logits


def on_pixels(
    processes: Processes, *, transformed: bool, config: NetworkConfig, count: int = COUNT
) -> Outcome:
    network, transform = Plain(), Brightness() if transformed else None
    history = train_network(
        network,
        images(count),
        validation=images(25),
        num_classes=3,
        config=config,
        transform=transform,
        processes=processes,
    )
    return outcome(nn.ModuleList([network, *([transform] if transform else [])]), history)


@pytest.mark.parametrize("transformed", [False, True])
def test_two_processes_learn_what_one_does_where_nothing_is_normalised(
    team: Team, transformed: bool
) -> None:
    config = replace(CONFIG, augmentation=UNCHANGED)
    job = partial(on_pixels, transformed=transformed, config=config)
    first, second = team.run(job)
    want = job(ALONE)
    assert first == second
    assert first.weights.keys() == want.weights.keys()
    for name, value in want.weights.items():
        np.testing.assert_allclose(first.weights[name], value, 0, 1e-11, err_msg=name)
    np.testing.assert_allclose(first.losses, want.losses, 0, 1e-6)


def on_coefficients(processes: Processes, *, root: Path, network: str) -> Outcome:
    config = TrainConfig(network=network, band_dropout=0.1, training=CONFIG)
    model, history = train_on_files(config, load_files(root), processes=processes)
    return outcome(model.module, history)


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
@pytest.mark.parametrize("network", ["resnet-small", "vit"])
def test_all_processes_get_the_same_network(team: Team, network: str, tmp_path: Path) -> None:
    """With batch normalisation, dropout, and changes that each process draws by itself."""
    splits = {"train": 12, "validation": 3, "test": 1}
    root = write_digits(tmp_path / "digits", splits, side=32, colour=True)
    job = partial(on_coefficients, root=root, network=network)
    first, second = team.run(job)
    assert first == second
    assert first == team.run(job)[0]


class Interrupted(nn.Module):
    """Stops, or kills its process, when it sees a batch for the given time."""

    def __init__(self, at: int, killed: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = build_network("resnet-small", num_classes=3, channels=3)
        self.dropout = nn.Dropout(0.2)
        self.left = at
        self.killed = killed

    def forward(self, pixels: Tensor) -> Tensor:
        if self.training:
            self.left -= 1
            if not self.left:
                if self.killed:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise Stopped
        logits: Tensor = self.network(self.dropout(pixels))
        return logits


def resumable(
    processes: Processes,
    *,
    folder: Path,
    stop_at: int = 0,
    killed: int | None = None,
    seeds: tuple[int, int] = (0, 0),
) -> Outcome | None:
    """Train with a checkpoint after every step; only process 0 is to write it."""
    network = Interrupted(stop_at, killed == processes.rank)
    checkpoint = folder / "0" / "checkpoint"
    if processes.rank and not checkpoint.exists():
        checkpoint = folder / str(processes.rank) / "checkpoint"
    try:
        history = train_network(
            network,
            images(COUNT),
            validation=images(25),
            num_classes=3,
            config=replace(CONFIG, seed=seeds[processes.rank]),
            processes=processes,
            checkpoint=checkpoint,
            checkpoint_share=1e9,
        )
    except Stopped:
        return None
    return outcome(network.network, history)


@pytest.mark.parametrize("at", [2, STEPS_AN_EPOCH + 4])
def test_a_run_that_is_stopped_within_an_epoch_goes_on_to_the_same_bits(
    team: Team, at: int, tmp_path: Path
) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    assert not any(team.run(partial(resumable, folder=stopped, stop_at=at)))
    reached = load_tensors(stopped / "0" / "checkpoint")[1]
    assert (len(reached["history"]), reached["step"]) == divmod(at - 1, STEPS_AN_EPOCH)
    outcomes = team.run(partial(resumable, folder=stopped))
    undisturbed = team.run(partial(resumable, folder=whole))
    assert outcomes[0] == outcomes[1] == undisturbed[0]
    assert [path.name for path in stopped.iterdir()] == ["0"]


def test_a_run_of_which_one_process_was_killed_goes_on_to_the_same_bits(
    team: Team, tmp_path: Path
) -> None:
    with Team(tmp_path / "store") as other:
        job = partial(resumable, folder=tmp_path, stop_at=7, killed=1)
        with pytest.raises((EOFError, ConnectionResetError)):
            other.run(job)
    temporary = tmp_path / "0" / ".checkpoint.1.tmp"
    temporary.write_bytes(b"of a process that was killed while it wrote")
    assert load_tensors(tmp_path / "0" / "checkpoint")[1]["step"] == 2
    first, second = team.run(partial(resumable, folder=tmp_path))
    assert first == second
    assert first == team.run(partial(resumable, folder=tmp_path / "whole"))[0]
    assert not temporary.exists()


def test_one_process_goes_on_where_two_were_stopped(team: Team, tmp_path: Path) -> None:
    team.run(partial(resumable, folder=tmp_path, stop_at=3))
    found = resumable(ALONE, folder=tmp_path)
    assert found is not None
    assert len(found.losses) == CONFIG.epochs


def refusal(processes: Processes, *, job: Any, error: type[Exception]) -> str:
    with pytest.raises(error) as caught:
        job(processes)
    return str(caught.value)


@pytest.mark.parametrize("case", ["settings", "few images"])
def test_what_processes_cannot_share_is_refused(team: Team, case: str, tmp_path: Path) -> None:
    job: Any = partial(resumable, folder=tmp_path, seeds=(0, 1))
    error: type[Exception] = CheckpointError
    message = "different data, settings or checkpoints"
    if case == "few images":
        job = partial(on_pixels, transformed=False, config=CONFIG, count=3)
        error, message = ConfigurationError, "cannot be shared out among 2 processes"
    assert all(message in said for said in team.run(partial(refusal, job=job, error=error)))
    assert not any(tmp_path.iterdir())


def test_the_first_failure_alone_is_to_be_shown(team: Team) -> None:
    assert sorted(team.run(Processes.first_to_fail)) == [False, True]
    assert not any(team.run(Processes.first_to_fail))
    assert ALONE.first_to_fail()


def test_a_process_that_nobody_started_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with joined() as processes:
        assert processes is ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="start them with torchrun"), joined():
        pass
