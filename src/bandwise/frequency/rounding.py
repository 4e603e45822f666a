"""Rounding to integers, and what lets a gradient pass it."""

from __future__ import annotations

from torch import Tensor


def round_half_away(values: Tensor) -> Tensor:
    """Nearest integers, halves away from zero: how libjpeg rounds a coefficient over its step.

    >>> import torch
    >>> round_half_away(torch.tensor([-1.5, -0.5, 0.49, 0.5, 2.5])).tolist()
    [-2.0, -1.0, 0.0, 1.0, 3.0]
    """
    whole = values.trunc()
    return whole + (2 * (values - whole)).trunc()


def straight_through(values: Tensor, replacement: Tensor) -> Tensor:
    """``replacement`` bit for bit, with the gradient of ``values`` (Bengio et al., 2013)."""
    return replacement.detach() + (values - values.detach())
