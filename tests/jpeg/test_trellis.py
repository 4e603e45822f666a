"""Optimised quantisation against exhaustive search, and against what it promises."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.coefficients import Coefficients, Plane
from bandwise.frequency.tables import ZIGZAG, QuantTable, flat, ijg_luma

EOB, ZRL = 0x00, 0xF0
Block = NDArray[np.int16]
seeds = st.integers(0, 2**32)


def symbols(block: Block) -> list[int]:
    """AC symbols of a block, written down as ITU-T T.81, F.1.2.2 describes them."""
    found, run = [], 0
    for value in block.ravel()[list(ZIGZAG)][1:].tolist():
        if value == 0:
            run += 1
            continue
        found += [ZRL] * (run // 16) + [run % 16 * 16 + abs(value).bit_length()]
        run = 0
    return found + [EOB] * (run > 0)


def bits_of(block: Block, ac_bits: NDArray[np.float64]) -> float:
    return sum(float(ac_bits[symbol]) + symbol % 16 for symbol in symbols(block))


def cost_of(
    block: Block,
    x: NDArray[np.float32],
    table: QuantTable,
    f: NDArray[np.float64],
    lagrangian: float,
    ac_bits: NDArray[np.float64],
) -> float:
    error = (x.astype(np.float64) - block * table.array.astype(np.float64)).ravel()[1:]
    return 0.5 * float(f.ravel()[1:] @ error**2) + lagrangian * bits_of(block, ac_bits)


def code_lengths(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.integers(1, 17, 256).astype(np.float64)


def rounded(x: NDArray[np.float32], table: QuantTable) -> NDArray[np.float64]:
    nearest = np.floor(np.abs(x.astype(np.float64)) / table.array + 0.5)
    result: NDArray[np.float64] = np.copysign(nearest, x)
    return result


def problem(
    seed: int, spread: float
) -> tuple[NDArray[np.float32], QuantTable, NDArray[np.float64]]:
    """Blocks of decaying random coefficients, a table and a sensitivity."""
    rng = np.random.default_rng(seed)
    decay = 1 / (1 + np.add.outer(np.arange(8), np.arange(8)))
    x = (rng.laplace(0, spread, (2, 3, 8, 8)) * decay).astype(np.float32)
    table = QuantTable(tuple(rng.integers(1, 41, 64).tolist()))
    return x, table, rng.uniform(0, 1, (8, 8)) ** 3


@given(seeds)
@settings(max_examples=60)
def test_no_choice_of_integers_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.choice(np.arange(1, 64), rng.integers(1, 4), replace=False)
    if rng.random() < 0.3:
        positions[0] = 63  # a block without an end-of-block symbol
    places = np.unique(np.array(ZIGZAG)[positions])
    x = rng.uniform(-3, 3, 64).astype(np.float32)
    x[places] = rng.uniform(-45, 45, len(places))
    table, f = flat(8), rng.uniform(0, 2, (8, 8)).astype(np.float32).astype(np.float64)
    lagrangian, ac_bits = 10 ** rng.uniform(-1, 2), code_lengths(rng)
    costs = []
    for magnitudes in itertools.product(*(range(int(abs(v) / 8 + 0.5) + 1) for v in x[places])):
        block = np.zeros(64, np.int16)
        block[places] = magnitudes * np.sign(x[places])
        costs.append(cost_of(block.reshape(8, 8), x.reshape(8, 8), table, f, lagrangian, ac_bits))
    x = x.reshape(8, 8)
    found = jpeg.optimise_blocks(x, table, sensitivity=f, lagrangian=lagrangian, ac_bits=ac_bits)
    assert cost_of(found, x, table, f, lagrangian, ac_bits) == pytest.approx(min(costs), rel=1e-9)


@given(seeds, st.sampled_from([1.0, 30.0, 3000.0, 1e30]))
def test_at_slope_0_integers_are_the_nearest(seed: int, spread: float) -> None:
    x, table, f = problem(seed, spread)
    x[0] = np.rint(x[0])  # ties
    limit = np.full((8, 8), 1023)
    low = -limit
    low[0, 0] = -1024
    expected = np.clip(rounded(x, table), low, limit)
    assert np.array_equal(jpeg.round_blocks(x, table), expected)
    ac_bits = np.ones(256)
    found = jpeg.optimise_blocks(x, table, sensitivity=f, lagrangian=0, ac_bits=ac_bits)
    assert np.array_equal(found, expected)


def test_halves_are_rounded_away_from_zero() -> None:
    x = np.zeros((8, 8), np.float32)
    x[0, :4] = [-5, 5, -15, 14.99]
    assert jpeg.round_blocks(x, flat(10))[0, :4].tolist() == [-1, 1, -2, 1]


@given(seeds, st.sampled_from([20.0, 300.0]), st.floats(0.01, 100), st.floats(1, 10))
def test_a_larger_slope_buys_no_more_bits_and_optimising_no_higher_cost(
    seed: int, spread: float, lagrangian: float, factor: float
) -> None:
    x, table, f = problem(seed, spread)
    ac_bits = code_lengths(np.random.default_rng(seed))
    f32 = f.astype(np.float32).astype(np.float64)
    plain = jpeg.round_blocks(x, table)
    less, more = (
        jpeg.optimise_blocks(x, table, sensitivity=f, lagrangian=value, ac_bits=ac_bits)
        for value in (lagrangian, lagrangian * factor)
    )
    for at in np.ndindex(x.shape[:2]):
        limit = cost_of(plain[at], x[at], table, f32, lagrangian, ac_bits)
        assert cost_of(less[at], x[at], table, f32, lagrangian, ac_bits) <= limit * (1 + 1e-12)
        assert bits_of(more[at], ac_bits) <= bits_of(less[at], ac_bits)
    assert np.array_equal(more[..., 0, 0], plain[..., 0, 0])
    assert (np.abs(more) <= np.abs(plain)).all()
    assert (more.astype(int) * plain >= 0).all()


def test_what_the_task_does_not_see_is_dropped() -> None:
    x, table, _ = problem(3, 500.0)
    f = np.zeros((8, 8))
    f[0, 1] = 1e6
    found = jpeg.optimise_blocks(x, table, sensitivity=f, lagrangian=1, ac_bits=np.ones(256))
    kept = np.zeros((8, 8), bool)
    kept[0, :2] = True
    assert np.array_equal(found, np.where(kept, jpeg.round_blocks(x, table), 0))


def test_each_block_may_have_its_own_sensitivity() -> None:
    x, table, f = problem(4, 300.0)
    scale = np.arange(1, 7).reshape(2, 3, 1, 1)
    ac_bits = code_lengths(np.random.default_rng(4))
    together = jpeg.optimise_blocks(
        x[:, ::-1], table, sensitivity=(f * scale)[:, ::-1], lagrangian=5, ac_bits=ac_bits
    )[:, ::-1]
    for at in np.ndindex(2, 3):
        alone = jpeg.optimise_blocks(
            x[at], table, sensitivity=f * scale[at], lagrangian=5, ac_bits=ac_bits
        )
        assert np.array_equal(together[at], alone)
    assert together.any()


@given(st.lists(seeds, min_size=1, max_size=3), st.sampled_from([0.02, 0.3, 1.0]))
def test_code_lengths_follow_the_symbols_of_all_planes(values: list[int], density: float) -> None:
    counts = np.zeros(256)
    planes = []
    for seed in values:
        rng = np.random.default_rng(seed)
        plane = rng.integers(-1023, 1024, (3, 2, 8, 8)) >> rng.integers(0, 10, (3, 2, 8, 8))
        planes.append(np.where(rng.random(plane.shape) < density, plane, 0).astype(np.int16))
        for block in planes[-1].reshape(-1, 8, 8):
            np.add.at(counts, symbols(block), 1)
    expected = -np.log2((counts + 0.1) / (counts.sum() + 25.6))
    assert jpeg.ac_code_bits(*planes) == pytest.approx(expected)


def test_estimated_bits_are_those_of_the_file() -> None:
    x, _, _ = problem(5, 900.0)
    blocks = jpeg.round_blocks(np.tile(x, (12, 10, 1, 1)), ijg_luma(60))
    lengths = jpeg.ac_code_bits(blocks)
    bits = sum(bits_of(block, lengths) for block in blocks.reshape(-1, 8, 8))
    blocks[..., 0, 0] = 0  # a bit a block or so for DC
    plane = Plane(blocks=blocks, table=ijg_luma(60))
    image = Coefficients(planes=(plane,), width=240, height=192, colour="grey")
    payload = jpeg.payload_bytes(jpeg.write_coefficients(image, progressive=False)) * 8
    assert bits == pytest.approx(payload, rel=0.03)


@pytest.mark.parametrize(
    ("shape", "sensitivity", "ac_bits", "complaint"),
    [
        ((4, 64), np.ones((8, 8)), np.ones(256), "coefficients are"),
        ((2, 8, 8), np.ones((3, 8, 8)), np.ones(256), "sensitivity"),
        ((2, 8, 8), np.ones(64), np.ones(256), "sensitivity"),
        ((2, 8, 8), np.ones((8, 8)), np.ones(162), "256 symbols"),
    ],
)
def test_arrays_of_other_shapes_are_refused(
    shape: tuple[int, ...],
    sensitivity: NDArray[np.float64],
    ac_bits: NDArray[np.float64],
    complaint: str,
) -> None:
    x = np.zeros(shape, np.float32)
    with pytest.raises(ShapeError, match=complaint):
        jpeg.optimise_blocks(x, flat(9), sensitivity=sensitivity, lagrangian=1, ac_bits=ac_bits)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *itertools.product(["sensitivity", "lagrangian", "ac_bits"], [-1.0, np.nan, np.inf]),
        ("coefficient", np.nan),
        ("coefficient", -np.inf),
    ],
)
def test_values_that_make_no_sense_are_refused(name: str, bad: float) -> None:
    values = {
        "coefficient": np.ones((8, 8)),
        "sensitivity": np.ones((8, 8)),
        "lagrangian": np.ones(1),
        "ac_bits": np.ones(256),
    }
    values[name][-1] = bad
    with pytest.raises(ConfigurationError, match=name):
        jpeg.optimise_blocks(
            values["coefficient"].astype(np.float32),
            flat(9),
            sensitivity=values["sensitivity"],
            lagrangian=float(values["lagrangian"][0]),
            ac_bits=values["ac_bits"],
        )
