"""Rounding to integers, exactly and in ways that a gradient passes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from bandwise.errors import ConfigurationError

Rounding = Literal["hard", "straight-through", "noise"]
"""``hard``: integers, no gradient. ``straight-through``: integers, the gradient of the identity.
``noise``: the values with uniform noise of one unit, which needs no false gradient."""


def round_half_away(values: Tensor) -> Tensor:
    """Nearest integers, halves away from zero: how libjpeg rounds a coefficient over its step.

    >>> round_half_away(torch.tensor([-1.5, -0.5, 0.49, 0.5, 2.5])).tolist()
    [-2.0, -1.0, 0.0, 1.0, 3.0]
    """
    whole = values.trunc()
    return whole + (2 * (values - whole)).trunc()


def straight_through(values: Tensor, replacement: Tensor) -> Tensor:
    """``replacement`` bit for bit, with the gradient of ``values`` (Bengio et al., 2013)."""
    return replacement.detach() + (values - values.detach())


def additive_uniform_noise(values: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Values plus noise of U(-1/2, 1/2), the usual stand-in for rounding (Ballé et al., 2017)."""
    noise = torch.rand(values.shape, generator=generator, dtype=values.dtype, device=values.device)
    return values + (noise - 0.5)


def quantise(
    values: Tensor, rounding: Rounding, generator: torch.Generator | None = None
) -> Tensor:
    """Round values in the given way; ``generator`` is for ``noise`` alone.

    Raises
    ------
    ConfigurationError
        For an unknown way of rounding.
    """
    if rounding == "hard":
        return round_half_away(values)
    if rounding == "straight-through":
        return straight_through(values, round_half_away(values))
    if rounding == "noise":
        return additive_uniform_noise(values, generator)
    raise ConfigurationError(f"rounding {rounding!r}; use hard, straight-through or noise")
