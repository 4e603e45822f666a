import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bandwise.errors import ConfigurationError
from bandwise.rounding import (
    additive_uniform_noise,
    quantise,
    round_half_away,
    straight_through,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(-2000, 2000), st.integers(1, 255))
def test_rounding_is_libjpegs_integer_rule(value: int, step: int) -> None:
    expected = (abs(value) + step // 2) // step * (1 if value >= 0 else -1)
    quotient = torch.tensor(value, dtype=torch.float64) / step
    assert int(round_half_away(quotient)) == expected


def test_rounding_does_not_shift_values_next_to_a_half() -> None:
    below = torch.nextafter(torch.tensor(0.5), torch.tensor(0.0))
    assert round_half_away(torch.stack([below, -below])).abs().tolist() == [0, 0]
    assert float(round_half_away(torch.tensor(8_388_609.0))) == 8_388_609.0


def test_straight_through_is_exact_and_passes_the_gradient() -> None:
    values = (torch.randn(1000, generator=generator()) * 1e3).requires_grad_()
    replaced = straight_through(values, round_half_away(values))
    assert torch.equal(replaced, round_half_away(values.detach()))
    (3 * replaced).sum().backward()
    assert torch.equal(values.grad, torch.full((1000,), 3.0))  # type: ignore[arg-type]


def test_noise_is_uniform_over_one_unit_and_reproducible() -> None:
    values = torch.zeros(20_000, requires_grad=True)
    noisy = additive_uniform_noise(values, generator(1))
    assert float(noisy.detach().abs().max()) <= 0.5
    assert float(noisy.detach().mean()) == pytest.approx(0, abs=0.01)
    assert float(noisy.detach().var()) == pytest.approx(1 / 12, rel=0.03)
    assert torch.equal(noisy, additive_uniform_noise(values, generator(1)))
    assert not torch.equal(noisy, additive_uniform_noise(values, generator(2)))
    noisy.sum().backward()
    assert torch.equal(values.grad, torch.ones(20_000))  # type: ignore[arg-type]


def test_quantise_by_name() -> None:
    values = torch.tensor([-1.5, 0.2, 2.5], requires_grad=True)
    hard = quantise(values, "hard")
    assert hard.tolist() == [-2, 0, 3]
    (gradient,) = torch.autograd.grad(hard.sum(), values)
    assert gradient.tolist() == [0, 0, 0]
    through = quantise(values, "straight-through")
    assert through.tolist() == [-2, 0, 3]
    (gradient,) = torch.autograd.grad(through.sum(), values)
    assert gradient.tolist() == [1, 1, 1]
    noisy = quantise(values, "noise", generator())
    assert torch.equal(noisy, additive_uniform_noise(values, generator()))


def test_unknown_rounding_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="soft"):
        quantise(torch.zeros(1), "soft")  # type: ignore[arg-type]
