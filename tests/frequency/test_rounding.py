import torch
from hypothesis import given
from hypothesis import strategies as st

from bandwise.frequency.transform import round_half_away, straight_through


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
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0)) * 1e3
    values.requires_grad_()
    replaced = straight_through(values, round_half_away(values))
    assert torch.equal(replaced, round_half_away(values.detach()))
    (3 * replaced).sum().backward()
    assert torch.equal(values.grad, torch.full((1000,), 3.0))  # type: ignore[arg-type]
