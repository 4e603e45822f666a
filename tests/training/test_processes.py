"""Two processes give what one gives at the same batch, and a killed run goes on to the same bits.

Networks compute in float64 here, so that what is left of the difference is not amplified floating-
point order: weights are equal within 1e-11, losses, which are float32, within 1e-6.
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
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.checkpoint import load_tensors
from bandwise.data import LabelledImages
from bandwise.data.augment import PHOTOGRAPHS, augment, augment_coefficients
from bandwise.data.epochs import BatchRandom as Draws
from bandwise.data.files import load_files
from bandwise.dct_domain import CoefficientBatch
from bandwise.errors import CheckpointError, ConfigurationError
from bandwise.recipes.training import TrainConfig, train_on_files
from bandwise.tasks.networks import build_coefficient_network, build_network
from bandwise.training import (
    Companion,
    NetworkConfig,
    NetworkEpoch,
    Processes,
    joined,
    train_network,
)
from bandwise.training.processes import ALONE, _PartDraws
from tests.data.jpeg_tree import write_digits
from tests.training.team import Team

CONFIG = NetworkConfig(
    epochs=2, batch_size=10, learning_rate=0.05, warm_up_epochs=0.5, averaging=0.9
)
COUNT = 33
"""Images: batches of 10, 10, 10 and 3, whose parts are uneven."""


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
    history: tuple[NetworkEpoch, ...] = ()

    def __eq__(self, other: object) -> bool:
        """To the bit."""
        assert isinstance(other, Outcome)
        return self.losses() == other.losses() and all(
            np.array_equal(value, other.weights[name]) for name, value in self.weights.items()
        )

    def losses(self) -> list[tuple[float, float, float]]:
        return [
            (epoch.train_loss, epoch.validation_loss, epoch.validation_accuracy)
            for epoch in self.history
        ]


def outcome(network: nn.Module, history: tuple[NetworkEpoch, ...] = ()) -> Outcome:
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Outcome(weights, history)


def assert_close(have: Outcome, want: Outcome) -> None:
    assert have.weights.keys() == want.weights.keys()
    for name, value in want.weights.items():
        np.testing.assert_allclose(have.weights[name], value, 0, 1e-11, err_msg=name)
    np.testing.assert_allclose(have.losses(), want.losses(), 0, 1e-6)


class Own(nn.Module):
    """Normalises vectors without weights, drops half of them, has a layer that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3 * 8 * 8, 20)
        self.norm = nn.BatchNorm1d(20, momentum=None, affine=False)
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(20, 3)
        self.unused = nn.Linear(2, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.norm(self.first(nn.functional.avg_pool2d(pixels, 4).flatten(1)))
        logits: Tensor = self.last(torch.relu(self.dropout(features)))
        return logits


class Brightness(Companion):
    """Adds a learned constant, whose square is penalised."""

    def __init__(self) -> None:
        super().__init__()
        self.added = nn.Parameter(torch.tensor(0.5))

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels + self.added * torch.linspace(0, 1, pixels.shape[-1])

    def penalty(self) -> Tensor:
        return 10 * self.added.square()

    def optimiser(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.05)


class Precise(nn.Module):
    """A network in float64, in which another order of sums hardly shows."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, inputs: Tensor | CoefficientBatch) -> Tensor:
        logits: Tensor = self.network(
            inputs.double()
            if isinstance(inputs, Tensor)
            else CoefficientBatch(*(plane.double() for plane in inputs if plane is not None))
        )
        return logits.float()


def fresh(name: str) -> nn.Module:
    torch.manual_seed(0)
    network = Own() if name == "own" else build_network(name, num_classes=3, channels=3)
    return Precise(network)


def on_pixels(
    processes: Processes,
    *,
    name: str,
    config: NetworkConfig = CONFIG,
    with_companion: bool = False,
    count: int = COUNT,
) -> Outcome:
    network = fresh(name)
    companion = Brightness() if with_companion else None
    if name == "own":
        config = replace(config, small_share=0.0)
    history = train_network(
        network,
        images(count),
        validation=images(25),
        num_classes=3,
        config=config,
        companion=companion,
        processes=processes,
    )
    assert type(network) is type(fresh(name))
    if companion is not None:
        network = nn.ModuleList([network, companion])
    return outcome(network, history)


@pytest.mark.parametrize("name", ["resnet-small", "vit", "own"])
def test_two_processes_train_on_pixels_what_one_does(team: Team, name: str) -> None:
    job = partial(on_pixels, name=name)
    first, second = team.run(job)
    assert first == second
    assert_close(first, job(ALONE))


def test_a_companion_is_learned_as_by_one_process(team: Team) -> None:
    """Its gradient comes back through images that other processes were given."""
    config = replace(CONFIG, augmentation=replace(PHOTOGRAPHS, mix=1.0))
    job = partial(on_pixels, name="vit", config=config, with_companion=True)
    first, second = team.run(job)
    assert first == second
    assert_close(first, job(ALONE))


def resnet(**settings: Any) -> nn.Module:
    return Precise(build_coefficient_network("resnet-small", **settings))


def vit(**settings: Any) -> nn.Module:
    return Precise(build_coefficient_network("vit", **settings))


def on_coefficients(processes: Processes, *, root: Path, network: str) -> Outcome:
    config = TrainConfig(network=f"{__name__}:{network}", band_dropout=0.1, training=CONFIG)
    model, history = train_on_files(config, load_files(root), processes=processes)
    return outcome(model.module, history)


@pytest.mark.skipif(not jpeg.available(), reason="the native JPEG extension is not built")
@pytest.mark.parametrize("network", ["resnet", "vit"])
def test_two_processes_train_on_coefficients_what_one_does(
    team: Team, network: str, tmp_path: Path
) -> None:
    splits = {"train": 12, "validation": 3, "test": 1}
    root = write_digits(tmp_path / "digits", splits, side=32, colour=True)
    job = partial(on_coefficients, root=root, network=network)
    first, second = team.run(job)
    assert first == second
    assert_close(first, job(ALONE))


class Stopped(Exception):
    pass


class Interrupted(nn.Module):
    """Stops, or kills its process, when it sees a batch for the given time."""

    def __init__(self, at: int, killed: bool) -> None:
        super().__init__()
        self.network = fresh("resnet-small")
        self.left = at
        self.killed = killed

    def forward(self, pixels: Tensor) -> Tensor:
        if self.training:
            self.left -= 1
            if not self.left:
                if self.killed:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise Stopped
        logits: Tensor = self.network(pixels)
        return logits


def resumable(
    processes: Processes,
    *,
    folder: Path,
    stop_at: int = 0,
    killed: int | None = None,
    config: NetworkConfig = CONFIG,
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
            config=config,
            processes=processes,
            checkpoint=checkpoint,
            checkpoint_share=1e9,
        )
    except Stopped:
        return None
    return outcome(network.network, history)


STEPS_AN_EPOCH = 4


@pytest.mark.parametrize("at", [2, STEPS_AN_EPOCH + 4])
def test_a_run_that_is_stopped_within_an_epoch_goes_on_to_the_same_bits(
    team: Team, at: int, tmp_path: Path
) -> None:
    for name, run in {"one": lambda job: [job(ALONE)], "two": team.run}.items():
        stopped, whole = tmp_path / name / "stopped", tmp_path / name / "whole"
        assert not any(run(partial(resumable, folder=stopped, stop_at=at)))
        metadata = load_tensors(stopped / "0" / "checkpoint")[1]
        assert (len(metadata["history"]), metadata["step"]) == divmod(at - 1, STEPS_AN_EPOCH)
        outcomes = run(partial(resumable, folder=stopped))
        undisturbed = run(partial(resumable, folder=whole))
        assert all(each == undisturbed[0] for each in outcomes)
        assert [path.name for path in stopped.iterdir()] == ["0"]


def test_one_process_goes_on_where_two_were_stopped(team: Team, tmp_path: Path) -> None:
    team.run(partial(resumable, folder=tmp_path, stop_at=3))
    want = resumable(ALONE, folder=tmp_path / "whole")
    have = resumable(ALONE, folder=tmp_path)
    assert have is not None
    assert want is not None
    assert_close(have, want)


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


def refused(processes: Processes, *, folder: Path, seeds: tuple[int, int]) -> str:
    with pytest.raises(CheckpointError) as error:
        resumable(processes, folder=folder, config=replace(CONFIG, seed=seeds[processes.rank]))
    return str(error.value)


def test_processes_that_differ_are_refused(team: Team, tmp_path: Path) -> None:
    for said in team.run(partial(refused, folder=tmp_path, seeds=(0, 1))):
        assert "the processes have different data, settings or checkpoints" in said
    assert not any(tmp_path.iterdir())


def too_few(processes: Processes) -> str:
    with pytest.raises(ConfigurationError) as error:
        on_pixels(processes, name="own", count=1)
    return str(error.value)


def test_a_batch_that_cannot_be_shared_out_is_refused(team: Team) -> None:
    assert all("cannot be shared out among 2 processes" in said for said in team.run(too_few))


def first_to_fail(processes: Processes) -> bool:
    return processes.first_to_fail()


def test_one_process_speaks_for_all(team: Team) -> None:
    assert sorted(team.run(first_to_fail)) == [False, True]
    assert not any(team.run(first_to_fail))
    assert ALONE.first_to_fail()


class _Nth(Processes):
    def __init__(self, rank: int, world_size: int) -> None:
        self.rank, self.world_size = rank, world_size


@given(st.integers(1, 5), st.integers(5, 9), st.integers(0, 3))
def test_parts_are_changed_as_the_whole_is(world_size: int, count: int, seed: int) -> None:
    pixels = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    batch = CoefficientBatch(
        pixels.repeat(1, 22, 1, 1)[:, :64], pixels.repeat(1, 43, 1, 1)[:, :128]
    )
    batch = batch._replace(chroma=batch.chroma[..., ::2, ::2])  # type: ignore[index]

    def changed(draws: Draws) -> list[Tensor]:
        part = draws.part
        planes = augment_coefficients(
            batch.select(part), PHOTOGRAPHS, draws, rows=16, columns=16, band_dropout=0.2
        )
        return [
            augment(pixels[part], PHOTOGRAPHS, draws, size=(16, 16)),
            *(plane for plane in planes if plane is not None),
            torch.tensor([draws.one()]),
        ]

    whole = changed(Draws(torch.Generator().manual_seed(seed), count))
    for rank in range(world_size):
        draws = _PartDraws(torch.Generator().manual_seed(seed), count, _Nth(rank, world_size))
        *planes, after = changed(draws)
        for have, want in zip(planes, whole, strict=False):
            torch.testing.assert_close(have, want[draws.part], rtol=1e-4, atol=1e-4)
        assert torch.equal(after, whole[-1])


def test_a_process_that_nobody_started_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with joined() as processes:
        assert processes is ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="start them with torchrun"), joined():
        pass
