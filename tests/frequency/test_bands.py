import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bandwise.errors import ConfigurationError
from bandwise.frequency.bands import (
    Bands,
    coefficient_bands,
    make_bands,
    radial_bands,
    zigzag_bands,
)

sizes = st.integers(1, 40)


def assert_partition(bands: Bands, height: int, width: int) -> None:
    assert bands.shape == (height, width)
    assert torch.equal(bands.masks().sum(0), torch.ones(height, width, dtype=torch.int64))
    assert bool((bands.sizes > 0).all())
    assert int(bands.sizes.sum()) == height * width
    assert len(bands.sizes) == bands.count


@given(height=sizes, width=sizes, count=st.integers(1, 12))
def test_radial_bands_partition_or_refuse(height: int, width: int, count: int) -> None:
    try:
        bands = radial_bands(height, width, count)
    except ConfigurationError as error:
        assert str(count) in str(error)  # noqa: PT017
        assert count > 1
        return
    assert_partition(bands, height, width)


@given(height=sizes, width=sizes)
def test_other_bands_partition(height: int, width: int) -> None:
    assert_partition(zigzag_bands(height, width), height, width)
    assert_partition(coefficient_bands(height, width), height, width)


@given(height=st.integers(2, 40), width=st.integers(2, 40), count=st.integers(1, 8))
def test_radial_bands_follow_the_papers_inequality(height: int, width: int, count: int) -> None:
    try:
        index = radial_bands(height, width, count).index
    except ConfigurationError:
        return
    largest = math.hypot(height - 1, width - 1)
    for i in range(height):
        for j in range(width):
            band = int(index[i, j]) + 1
            lower, upper = (band - 1) / count * largest, band / count * largest
            distance = math.hypot(i, j)
            assert lower <= distance + 1e-9
            assert distance < upper + 1e-9


def test_ring_edges_are_exact() -> None:
    # On a 1×9 plane d is 0 … 8, so each of 8 bands starts on a whole number and the last is closed.
    assert radial_bands(1, 9, 8).index.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 7]]


def test_zigzag_bands_are_anti_diagonals() -> None:
    index = zigzag_bands(8, 8).index
    assert all(int(index[i, j]) == i + j for i in range(8) for j in range(8))


@pytest.mark.parametrize("count", [0, -1, 65, 40, 10**9])
def test_impossible_counts_are_refused(count: int) -> None:
    with pytest.raises(ConfigurationError, match=str(count)):
        radial_bands(8, 8, count)


def test_make_bands_by_name() -> None:
    assert make_bands("radial", 8, 8, count=4).count == 4
    assert make_bands("zigzag", 8, 6).count == 13
    assert make_bands("coefficient", 8, 8).count == 64
    with pytest.raises(ConfigurationError, match="count"):
        make_bands("radial", 8, 8)
    with pytest.raises(ConfigurationError, match="spiral"):
        make_bands("spiral", 8, 8)  # type: ignore[arg-type]
