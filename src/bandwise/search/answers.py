"""How far a model's answer to a file is from its answer to the original: class scores.

    divergence   KL(original || file) of the class probabilities, in nats
    decision     the share of the top class's margin that is lost

Each is one number, 0 for the same answer, that a tolerance bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from bandwise.errors import ConfigurationError

Kind = Literal["divergence", "decision"]

Scores = NDArray[np.float32]

MARGIN = 0.1
"""Nats by which the top class has to stay ahead, for the decision to count as kept."""

_LEAST_MARGIN = 1e-9


@dataclass(frozen=True, kw_only=True)
class Keep:
    """What of the answer has to be kept.

    Attributes
    ----------
    kind
        What is measured.
    tolerance
        Nats of divergence that a file may cause; of a decision the margin in nats by which the top
        class stays ahead of the second, or, where the original has less, half of the original's.
    """

    kind: Kind = "divergence"
    tolerance: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < np.inf:
            raise ConfigurationError(f"a tolerance is 0 nats or more, got {self.tolerance}")

    def distances(self, clean: Scores, seen: Scores) -> NDArray[np.float64]:
        """Distance (N,) of scores (N, classes) from those of the original (classes,)."""
        before, after = (
            log_softmax(clean.astype(np.float64)),
            log_softmax(seen.astype(np.float64), axis=1),
        )
        if self.kind == "divergence":
            nats: NDArray[np.float64] = (np.exp(before) * (before - after)).sum(1)
            return np.maximum(nats, 0)
        top = int(before.argmax())
        margin = _margins(before[None], top)[0]
        lost: NDArray[np.float64] = (margin - _margins(after, top)) / max(margin, _LEAST_MARGIN)
        return np.maximum(lost, 0)

    def limit(self, clean: Scores) -> float:
        """Largest distance at which the answer to an image with scores (classes,) is kept."""
        if self.kind == "divergence":
            return self.tolerance
        before = log_softmax(clean.astype(np.float64))
        margin = max(_margins(before[None], int(before.argmax()))[0], _LEAST_MARGIN)
        return float(1 - min(self.tolerance, margin / 2) / margin)


def features(clean: Scores) -> NDArray[np.float64]:
    """What scores (classes,) say of how much an image can lose, (3,).

    Logarithm of the probability of all classes but the first, entropy in nats, and the margin of
    the first over the second in nats.
    """
    logarithms = np.sort(log_softmax(clean.astype(np.float64)))[::-1]
    probabilities = np.exp(logarithms)
    return np.array(
        [
            np.log(1 - probabilities[0] + 1e-4),
            -(probabilities * logarithms).sum(),
            logarithms[0] - logarithms[1],
        ]
    )


def _margins(logarithms: NDArray[np.float64], top: int) -> NDArray[np.float64]:
    """Nats by which a class is ahead of the best other one, (N,) of (N, classes)."""
    others = np.delete(logarithms, top, axis=1)
    return np.asarray(logarithms[:, top] - others.max(1))
