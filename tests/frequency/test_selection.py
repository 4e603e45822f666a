"""Sets of frequencies: what is kept of which component, and how it is chosen."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bandwise.errors import ConfigurationError
from bandwise.frequency.dct_domain import (
    CoefficientBatch,
    FrequencyStatistics,
    frequency_statistics,
)
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import ZIGZAG

KEPT = Frequencies((0, 9, 63, 64, 130, 191))


def test_channels_of_a_batch_are_numbered_from_its_planes() -> None:
    assert KEPT.luma == (0, 9, 63)
    assert KEPT.chroma == (0, 66, 127)
    assert len(KEPT) == 6


def test_masks_are_in_natural_order() -> None:
    luma = KEPT.mask("luma")
    assert np.argwhere(luma).tolist() == [[0, 0], [1, 1], [7, 7]]
    assert np.argwhere(KEPT.mask("cb")).tolist() == [[0, 0]]
    assert np.argwhere(KEPT.mask("cr")).tolist() == [[0, 2], [7, 7]]


@pytest.mark.parametrize("kept", [(1, 0), (0, 0), (-1, 0), (0, 192), (0, 1000)])
def test_other_numbers_are_refused(kept: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="ascending order"):
        Frequencies(kept)


@pytest.mark.parametrize("kept", [(), (64,), (100, 191)])
def test_something_of_luma_is_kept(kept: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="at least one frequency of luma"):
        Frequencies(kept)


@given(seed=st.integers(0, 1000), count=st.integers(1, 64))
def test_the_most_important_are_kept_and_the_mean(seed: int, count: int) -> None:
    importance = torch.rand(64, generator=torch.Generator().manual_seed(seed)).tolist()
    kept = Frequencies.top(importance, count).kept
    assert len(kept) == count
    others = sorted(range(1, 64), key=lambda index: -importance[index])
    assert kept == tuple(sorted([0, *others[: count - 1]]))


def test_the_first_of_equals_is_kept() -> None:
    assert Frequencies.top(np.ones(192), 5).kept == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("channels", [1, 3])
def test_zigzag_keeps_low_frequencies_of_each_component(channels: int) -> None:
    sizes = []
    for count in range(1, 64 * channels + 1):
        kept = Frequencies.zigzag(count, channels=channels)
        assert len(kept) == count
        cb = [index for index in kept.chroma if index < 64]
        cr = [index - 64 for index in kept.chroma if index >= 64]
        assert cb == cr
        for component in (list(kept.luma), cb):
            assert component == sorted(ZIGZAG[: len(component)])
        sizes.append(len(cb))
    if channels == 3:
        assert sizes[23] == 5
        assert sizes[191] == 64
    else:
        assert not any(sizes)


@pytest.mark.parametrize("count", [0, 193])
def test_there_are_only_so_many(count: int) -> None:
    with pytest.raises(ConfigurationError, match=f"of 192 .* can be kept, not {count}"):
        Frequencies.top(np.ones(192), count)
    with pytest.raises(ConfigurationError, match=f"of 192 .* can be kept, not {count}"):
        Frequencies.zigzag(count, channels=3)


def values(planes: list[Tensor]) -> Tensor:
    """(blocks, channels), float64."""
    return torch.cat([plane.movedim(1, 3).flatten(0, 2) for plane in planes]).double()


@pytest.mark.parametrize("grey", [False, True])
def test_statistics_are_those_of_all_blocks(grey: bool) -> None:
    generator = torch.Generator().manual_seed(0)

    def batch(images: int, rows: int) -> CoefficientBatch:
        luma = 1000 + torch.randn(images, 64, rows, 4, generator=generator)
        chroma = torch.randn(images, 128, rows // 2, 2, generator=generator)
        return CoefficientBatch(luma, None if grey else chroma)

    batches = [batch(3, 4), batch(1, 2)]
    found = frequency_statistics(iter(batches))
    all_planes = [values([batch.luma for batch in batches])]
    if not grey:
        all_planes.append(values([batch.chroma for batch in batches if batch.chroma is not None]))
    mean = torch.cat([plane.mean(0) for plane in all_planes])
    deviation = torch.cat([plane.std(0, correction=0) for plane in all_planes])
    torch.testing.assert_close(found.mean, mean.float())
    torch.testing.assert_close(found.deviation, deviation.float(), rtol=1e-3, atol=1e-4)
    assert found.mean.shape == ((64,) if grey else (192,))


def test_energy_is_the_mean_square() -> None:
    some = torch.tensor([3.0, -1.0, 4.0])
    statistics = FrequencyStatistics(some.mean()[None], some.std(correction=0)[None])
    assert float(statistics.energy) == pytest.approx(float(some.square().mean()))


def test_no_images_have_no_statistics() -> None:
    with pytest.raises(ConfigurationError, match="no images"):
        frequency_statistics([])
