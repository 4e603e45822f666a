"""Estimated bits against the entropy-coded payload of real files."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bandwise.errors import ShapeError
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.rate import estimate_bits, huffman_lengths
from bandwise.frequency.tables import QuantTable, TableSet, ijg_luma
from bandwise.frequency.transform import round_half_away, straight_through
from tests.frequency.rate.photographs import other_tables, stored, tiles

LIMIT = 0.05
"""What the project promises of the mean over the operating range."""


@pytest.mark.parametrize("scheme", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("size", [(128, 128), (101, 87), (8, 8), (9, 17)])
def test_count_is_that_of_the_file_without_calibration(
    size: tuple[int, int], scheme: Subsampling
) -> None:
    images = np.ascontiguousarray(tiles("flower.jpg")[:, : size[0], : size[1]])
    for quality in (5, 50, 90):
        integers, payload = stored(images, TableSet.ijg(quality), scheme)
        estimate = estimate_bits(integers, subsampling=scheme).numpy()
        # A file rounds up to whole bytes and stuffs a byte behind each FF: never less, rarely more.
        assert bool((estimate <= payload).all())
        assert bool((payload - estimate <= 16 + 0.03 * payload).all())


@pytest.mark.parametrize("tables", other_tables())
def test_count_holds_for_tables_that_are_not_libjpegs(tables: TableSet) -> None:
    integers, payload = stored(tiles("flower.jpg"), tables)
    assert abs(float(estimate_bits(integers).mean()) / payload.mean() - 1) <= LIMIT


def test_grey_files_are_counted() -> None:
    integers, payload = stored(tiles("china.jpg")[..., 1], TableSet(luma=ijg_luma(40)))
    assert float(estimate_bits(integers).mean()) == pytest.approx(payload.mean(), rel=0.01)


def changed(tables: TableSet, row: int, column: int, factor: float) -> TableSet:
    steps = tables.luma.array.astype(float)
    steps[row, column] = round(steps[row, column] * factor)
    return TableSet(luma=QuantTable.from_steps(steps), chroma=tables.chroma)


def test_gradient_is_the_change_of_real_files() -> None:
    images, tables = tiles("china.jpg"), TableSet.ijg(30)
    unquantised = stored(images, TableSet.ijg(100))[0][0]
    log_steps = torch.tensor(tables.luma.array).float().log().requires_grad_()
    values = unquantised / log_steps.exp()
    luma = straight_through(values, round_half_away(values))
    estimate_bits([luma]).sum().backward()
    assert log_steps.grad is not None
    gradients, changes = [], []
    for row, column in ((0, 1), (1, 1), (2, 1), (0, 4), (3, 3), (4, 4)):
        finer, coarser = (changed(tables, row, column, factor) for factor in (0.8, 1.25))
        ratio = coarser.luma.array[row, column] / finer.luma.array[row, column]
        bits = stored(images, coarser)[1].sum() - stored(images, finer)[1].sum()
        changes.append(bits / np.log(ratio))
        gradients.append(float(log_steps.grad[row, column]))
    # A difference of one frequency is itself rough; the sum is not.
    assert gradients == pytest.approx(changes, rel=0.7)
    assert sum(gradients) == pytest.approx(sum(changes), rel=0.4)


def random_blocks(*grid: int, scale: float, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((*grid, 8, 8), generator=generator) * scale


def test_gradient_reaches_noisy_values_and_moves_away_from_zero() -> None:
    planes = [random_blocks(2, 4, 4, scale=2.0).requires_grad_()]
    estimate = estimate_bits(planes)
    assert estimate.shape == (2,)
    (gradient,) = torch.autograd.grad(estimate.sum(), planes)
    assert bool(gradient.isfinite().all())
    ac, slope = planes[0].detach().flatten(-2)[..., 1:], gradient.flatten(-2)[..., 1:]
    assert bool((slope * ac >= 0).all())
    assert float((slope[ac.abs() > 0.5] != 0).float().mean()) > 0.5
    assert bool((slope[ac.abs() < 0.49] == 0).all())


def test_blocks_of_zeros_have_a_price_and_no_gradient() -> None:
    planes = [torch.zeros(1, 2, 2, 8, 8, requires_grad=True)]
    estimate = estimate_bits(planes)
    assert estimate.tolist() == [8.0]  # four differences of zero, four ends of block, one bit each
    (gradient,) = torch.autograd.grad(estimate.sum(), planes)
    assert bool((gradient == 0).all())


def test_images_are_counted_apart() -> None:
    both = random_blocks(2, 3, 5, scale=3.0).round()
    apart = torch.cat([estimate_bits([image[None]]) for image in both])
    assert torch.equal(estimate_bits([both]), apart)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_huffman_codes_are_complete_and_near_the_entropy(counts: list[int]) -> None:
    lengths = huffman_lengths(counts)
    assert lengths.keys() == {symbol for symbol, count in enumerate(counts) if count}
    longest = max(lengths.values(), default=0)
    kraft = sum(2.0**-length for length in lengths.values())
    assert kraft < 1 or not lengths  # a code is left free
    assert 1 - kraft >= 2.0**-longest
    used = np.array([counts[symbol] for symbol in lengths] or [1], dtype=float)
    entropy = float(-(used * np.log2(used / used.sum())).sum())
    total = sum(counts[symbol] * length for symbol, length in lengths.items())
    assert entropy - 1e-6 <= total + 1e-6 or not lengths
    assert total <= entropy + used.sum() + longest


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="1 or 3"):
        estimate_bits([torch.zeros(1, 2, 2, 8, 8)] * 2)
    with pytest.raises(ShapeError, match=r"\(2, 64\)"):
        estimate_bits([torch.zeros(2, 64)])
