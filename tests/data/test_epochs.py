from itertools import chain, pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bandwise.data.batches import BatchRandom, draw_batches, epoch_generator, part_of
from bandwise.errors import ConfigurationError


def drawn(count: int, batch_size: int, world_size: int, epoch: int = 0) -> list[list[int]]:
    generator = epoch_generator(3, epoch)
    batches = draw_batches(count, batch_size, generator, world_size=world_size)
    return [batch.tolist() for batch in batches]


def least(world_size: int) -> int:
    return 1 if world_size == 1 else 2 * world_size


@given(
    st.integers(1, 8).flatmap(
        lambda world: st.tuples(
            st.just(world), st.integers(least(world), 90), st.integers(least(world), 40)
        )
    ),
    st.integers(0, 3),
)
def test_an_epoch_has_every_image_once(sizes: tuple[int, int, int], epoch: int) -> None:
    world_size, count, batch_size = sizes
    batches = drawn(count, batch_size, world_size, epoch)
    assert sorted(chain(*batches)) == list(range(count))
    assert min(map(len, batches)) >= min(2 * world_size, count, batch_size)
    alone = drawn(count, batch_size, 1, epoch)
    if len(batches) == len(alone):
        assert batches == alone
    else:  # what was left over was too little
        assert batches == [*alone[:-2], alone[-2] + alone[-1]]


def test_the_order_is_that_of_seed_and_epoch() -> None:
    assert drawn(20, 6, 1) == drawn(20, 6, 1) != drawn(20, 6, 1, epoch=1)
    expected = torch.randperm(20, generator=torch.Generator().manual_seed(3 * 1_000_003))
    assert [*chain(*drawn(20, 6, 1))] == expected.tolist()


@pytest.mark.parametrize(("count", "batch_size", "at_most"), [(7, 8, 3), (8, 2, 1)])
def test_fewer_images_than_processes_are_refused(count: int, batch_size: int, at_most: int) -> None:
    with pytest.raises(
        ConfigurationError, match=f"among 4 processes, two each; use {at_most} at most"
    ):
        drawn(count, batch_size, 4)


@given(st.integers(1, 100), st.integers(1, 12))
def test_parts_lie_side_by_side(count: int, world_size: int) -> None:
    parts = [part_of(count, rank, world_size) for rank in range(world_size)]
    assert (parts[0].start, parts[-1].stop) == (0, count)
    assert all(left.stop == right.start for left, right in pairwise(parts))
    lengths = [part.stop - part.start for part in parts]
    assert max(lengths) - min(lengths) <= 1


def test_random_numbers_follow_the_generator() -> None:
    one, same = (BatchRandom(epoch_generator(0, 0), 6) for _ in range(2))
    assert torch.equal(one.each(3), same.each(3))
    assert one.each(3).shape == (6, 3)
    values = torch.arange(6)
    assert sorted(one.shuffle()(values).tolist()) == values.tolist()
    assert 0 <= one.beta(0.4) <= 1
