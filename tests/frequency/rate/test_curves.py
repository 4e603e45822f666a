import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bandwise.errors import ShapeError
from bandwise.frequency.rate import RateCurves


def laplacian(blocks: int = 400) -> NDArray[np.float32]:
    scale = np.linspace(30, 0.5, 64)
    return (np.random.default_rng(0).laplace(size=(blocks, 64)) * scale).astype(np.float32)


@pytest.fixture(scope="module")
def curves() -> RateCurves:
    return RateCurves.measure(laplacian())


def direct(values: NDArray[np.float32], step: int) -> tuple[float, float]:
    """Bits and squared error of one frequency, value by value."""
    magnitudes = np.floor(np.abs(values.astype(np.float64)) / step + 0.5)
    _, numbers = np.unique(magnitudes, return_counts=True)
    shares = numbers / len(values)
    bits = -(shares * np.log2(shares)).sum() + (magnitudes > 0).mean()
    error = np.mean((np.abs(values.astype(np.float64)) - magnitudes * step) ** 2)
    return float(bits), float(error)


@pytest.mark.parametrize("step", [1, 2, 3, 17, 100, 255])
@pytest.mark.parametrize("frequency", [1, 8, 30, 63])
def test_curves_are_exact(curves: RateCurves, frequency: int, step: int) -> None:
    bits, error = direct(laplacian()[:, frequency], step)
    assert float(curves.bits[frequency, step - 1]) == pytest.approx(bits, abs=1e-9)
    assert float(curves.squared_error[frequency, step - 1]) == pytest.approx(error, rel=1e-5)


def test_the_zero_frequency_is_coded_as_differences() -> None:
    blocks = np.zeros((500, 64), np.float32)
    blocks[:, 0] = 10 * np.arange(500)
    measured = RateCurves.measure(blocks)
    assert float(measured.bits[0, 9]) < 1.1  # always one more than the last: a sign and no more
    assert float(measured.bits[1:].abs().max()) == 0
    assert float(measured.squared_error[0, 9]) == 0


def test_bits_fall_and_errors_grow_with_the_step(curves: RateCurves) -> None:
    ends = [0, 3, 15, 63, 254]
    assert bool((curves.bits[:, ends].diff(dim=1) <= 1e-9).all())
    assert bool((curves.squared_error[:, ends].diff(dim=1) >= 0).all())


def test_grids_of_blocks_are_accepted(curves: RateCurves) -> None:
    grid = laplacian().reshape(4, 10, 10, 8, 8)
    assert torch.equal(RateCurves.measure(grid).bits, curves.bits)


def test_other_shapes_are_refused() -> None:
    for wrong in (np.zeros((3, 63)), np.zeros((0, 64)), np.zeros(64)):
        with pytest.raises(ShapeError, match="64"):
            RateCurves.measure(wrong)
