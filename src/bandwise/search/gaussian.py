"""What is known of an image's candidates before all of them are looked at: a joint Gaussian.

Divergences and sizes of the candidates go up and down together from image to image. A factor model
of them, learned on other images, says after each look what the others will be like:

    z = mean + deviation ⊙ (loadings · t + noise),   t ~ N(0, I)

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), 12.2.4, factor analysis; the
loadings are principal components, the noise is what they leave of each variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_NOISE = 0.02
"""Share of a variance that is never explained, so that no look is taken for certain knowledge."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussian:
    """A factor model of D quantities.

    Attributes
    ----------
    mean, deviation
        (D,).
    loadings
        (D, R), of the quantities less their mean, divided by their deviation.
    """

    mean: Floats
    deviation: Floats
    loadings: Floats

    @classmethod
    def fit(cls, samples: Floats, rank: int) -> Self:
        """Fit the model to samples (N, D) by their first ``rank`` principal components."""
        mean, deviation = samples.mean(0), samples.std(0) + 1e-6
        _, strengths, directions = np.linalg.svd((samples - mean) / deviation, full_matrices=False)
        rank = min(rank, len(strengths) - 1)
        loadings = directions[:rank].T * strengths[:rank] / np.sqrt(len(samples))
        return cls(mean=mean, deviation=deviation, loadings=loadings)

    def given(self, indices: Sequence[int], values: Sequence[float]) -> tuple[Floats, Floats]:
        """Mean and deviation (D,) of all quantities, those at ``indices`` having ``values``."""
        noise = np.clip(1 - np.square(self.loadings).sum(1), MIN_NOISE, None)
        seen = list(indices)
        loadings = self.loadings[seen]
        weighted = loadings / noise[seen, None]
        precision = np.eye(self.loadings.shape[1]) + loadings.T @ weighted
        covariance = np.linalg.inv(precision)
        known = (np.asarray(values) - self.mean[seen]) / self.deviation[seen]
        factors = covariance @ (weighted.T @ known)
        variance = ((self.loadings @ covariance) * self.loadings).sum(1) + noise
        return (
            self.mean + self.deviation * (self.loadings @ factors),
            self.deviation * np.sqrt(variance),
        )
