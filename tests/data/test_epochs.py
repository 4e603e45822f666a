from collections.abc import Iterable
from itertools import chain, pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from bandwise.data.batches import LoaderBatches
from bandwise.data.epochs import EpochBatches, draw_batches, epoch_generator, part_of
from bandwise.errors import ConfigurationError


def of_all(count: int, batch_size: int, world_size: int, epoch: int = 0) -> list[list[list[int]]]:
    """Batches of each process."""
    parts = []
    for rank in range(world_size):
        batches = EpochBatches(count, batch_size, seed=3, rank=rank, world_size=world_size)
        batches.set_epoch(epoch)
        assert len(batches) == len(list(batches))
        parts.append(list(batches))
    return parts


@given(
    st.integers(1, 8).flatmap(
        lambda world: st.tuples(st.just(world), st.integers(world, 90), st.integers(world, 40))
    )
)
def test_an_epoch_has_every_image_once(sizes: tuple[int, int, int]) -> None:
    world_size, count, batch_size = sizes
    parts = of_all(count, batch_size, world_size)
    shown = [index for part in parts for batch in part for index in batch]
    assert sorted(shown) == list(range(count))
    assert len({len(part) for part in parts}) == 1
    for batch in zip(*parts, strict=True):
        lengths = [len(own) for own in batch]
        assert min(lengths) >= 1
        assert max(lengths) - min(lengths) <= 1
        assert sum(lengths) >= min(2, count, batch_size)


@given(st.integers(2, 6), st.integers(6, 80), st.integers(6, 20), st.integers(0, 3))
def test_processes_share_the_batches_of_one(
    world_size: int, count: int, batch_size: int, epoch: int
) -> None:
    (alone,) = of_all(count, batch_size, 1, epoch)
    shared = of_all(count, batch_size, world_size, epoch)
    together = [list(chain(*own)) for own in zip(*shared, strict=True)]
    if len(together) == len(alone):
        assert together == alone
    else:  # what was left over was too little
        assert together == [*alone[:-2], alone[-2] + alone[-1]]
        assert len(alone[-1]) < world_size


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 10))
def test_a_stopped_epoch_goes_on_where_it_was(count: int, batch_size: int, start: int) -> None:
    batches = EpochBatches(count, batch_size)
    batches.set_epoch(5)
    whole = list(batches)
    batches.set_epoch(5, start=start)
    assert list(batches) == whole[start:]
    assert len(batches) == len(whole[start:])
    batches.set_epoch(5)
    assert list(batches) == whole


def test_the_order_is_that_of_seed_and_epoch() -> None:
    assert of_all(20, 6, 1) == of_all(20, 6, 1) != of_all(20, 6, 1, epoch=1)
    drawn = draw_batches(20, 6, epoch_generator(3, 0))
    assert [batch.tolist() for batch in drawn] == of_all(20, 6, 1)[0]
    expected = torch.randperm(20, generator=torch.Generator().manual_seed(3 * 1_000_003))
    assert torch.equal(torch.cat(drawn), expected)


@pytest.mark.parametrize(("count", "batch_size", "at_most"), [(3, 8, 3), (8, 2, 2)])
def test_fewer_images_than_processes_are_refused(count: int, batch_size: int, at_most: int) -> None:
    with pytest.raises(ConfigurationError, match=f"among 4 processes; use {at_most} at most"):
        EpochBatches(count, batch_size, world_size=4)


@given(st.integers(1, 100), st.integers(1, 12))
def test_parts_lie_side_by_side(count: int, world_size: int) -> None:
    parts = [part_of(count, rank, world_size) for rank in range(world_size)]
    assert (parts[0].start, parts[-1].stop) == (0, count)
    assert all(left.stop == right.start for left, right in pairwise(parts))


def shown(loader: Iterable[list[Tensor]]) -> list[list[int]]:
    return [batch[0].tolist() for batch in loader]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_shares_batches_out_among_its_workers(workers: int) -> None:
    data = TensorDataset(torch.arange(23))
    batches = [EpochBatches(23, 6, rank=rank, world_size=2) for rank in range(2)]
    loaders = [DataLoader(data, batch_sampler=own, num_workers=workers) for own in batches]
    for epoch in range(2):
        for own in batches:
            own.set_epoch(epoch)
        assert [shown(loader) for loader in loaders] == [list(own) for own in batches]
    assert sorted(chain(*chain(*map(shown, loaders)))) == list(range(23))


def test_fit_tells_the_batches_the_epoch() -> None:
    data = TensorDataset(torch.arange(12.0).view(12, 1, 1, 1).expand(-1, 1, 8, 8), torch.arange(12))
    loader = DataLoader(data, batch_sampler=EpochBatches(12, 4))
    batches = LoaderBatches(loader)
    assert len(batches) == 3
    orders = [[labels.tolist() for _, labels in batches.epoch(epoch)] for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
