"""Tables for kinds of images, and the policy that tells what they do to one.

    images ──statistics──→ k-means ──→ M kinds ──sensitivity──→ a ladder of tables each
                     └──→ g ──→ divergence and bytes of an image at each rung of its ladder

g is fitted to what real files of training images did: their divergence as the mean of a Poisson
variable, which makes the prediction the conditional mean (McCullagh and Nelder, "Generalized Linear
Models", 1989, section 6.2), and the logarithm of their bytes by least squares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor, nn

from bandwise.errors import ConfigurationError
from bandwise.learning.problem import Candidate, Maps, Problem
from bandwise.learning.sensitivity import sensitivity_candidates
from bandwise.policy import Floats, Policy

KIND_IMAGES_MIN = 16
"""Fewer images than this say too little of a kind to learn tables from."""


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """How g is fitted.

    Attributes
    ----------
    hidden
        Units of its one hidden layer.
    dropout
        Share of statistics and of hidden units that is left out in each step.
    """

    hidden: int = 64
    epochs: int = 60
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    dropout: float = 0.3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Kinds:
    """A partition of images by their statistics.

    Attributes
    ----------
    mean, deviation
        (F,): statistics are standardised by them.
    centroids
        (M, F), standardised.
    members
        (N,): the kind of each image.
    """

    mean: Floats
    deviation: Floats
    centroids: Floats
    members: NDArray[np.int64]


def kinds_of(statistics: Floats, count: int, *, seed: int = 0) -> Kinds:
    """Divide images with statistics (N, F) into kinds, ``count`` at most, by k-means.

    Kinds of fewer than `KIND_IMAGES_MIN` images are given up, and their images go to the nearest.
    Raises `ConfigurationError` for fewer images than that a kind.
    """
    if count < 1 or len(statistics) < count * KIND_IMAGES_MIN:
        raise ConfigurationError(
            f"a codebook of {count} needs {KIND_IMAGES_MIN} images an entry, got "
            f"{len(statistics)}; ask for fewer entries or give more images"
        )
    mean, deviation = statistics.mean(0), statistics.std(0) + np.float32(1e-6)
    standardised = (statistics - mean) / deviation
    found = KMeans(n_clusters=count, n_init=4, random_state=seed).fit(standardised)
    large = np.bincount(found.labels_, minlength=count) >= KIND_IMAGES_MIN
    centroids = found.cluster_centers_[large].astype(np.float32)
    distances = np.square(standardised[:, None] - centroids[None]).sum(2)
    return Kinds(mean, deviation, centroids, distances.argmin(1))


def codebook_candidates(
    problem: Problem, sensitivity: Maps, kinds: Kinds, slopes: Sequence[float]
) -> Iterator[list[Candidate]]:
    """Yield the ladder of each kind: tables for each price of a bit, from its own images.

    Parameters
    ----------
    sensitivity
        (N, 8, 8) a component: `fisher_by_image` of the problem.
    """
    for kind in range(len(kinds.centroids)):
        members = torch.from_numpy(np.flatnonzero(kinds.members == kind))
        part = replace(problem, pixels_u8=problem.pixels_u8[members])
        of_kind = {name: values[members].mean(0) for name, values in sensitivity.items()}
        yield list(sensitivity_candidates(part, slopes, sensitivity=of_kind))


def fit_policy(
    statistics: Floats,
    kinds: Kinds,
    divergences: Tensor,
    size_bytes: Tensor,
    config: PolicyConfig | None = None,
) -> Policy:
    """Fit g to the divergence in nats and the bytes, both (N, R), of images at their rungs."""
    config = config or PolicyConfig()
    seen = torch.from_numpy((statistics - kinds.mean) / kinds.deviation).float()
    divergences, log_bytes = divergences.float(), size_bytes.double().log().float()
    rungs = divergences.shape[1]
    typical = divergences.mean(0).clamp(min=1e-8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        hidden, output = (
            nn.Linear(seen.shape[1], config.hidden),
            nn.Linear(config.hidden, 2 * rungs),
        )
        with torch.no_grad():
            output.weight *= 0.1
            output.bias.copy_(torch.cat([typical.log(), log_bytes.mean(0)]))
        drop = nn.Dropout(config.dropout)
        network = nn.Sequential(drop, hidden, nn.ReLU(), drop, output)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        steps = config.epochs * -(-len(seen) // config.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=steps
        )
        for _ in range(config.epochs):
            for index in torch.randperm(len(seen)).split(config.batch_size):
                log_divergence, log_size = network(seen[index]).chunk(2, dim=1)
                poisson = log_divergence.exp() - divergences[index] * log_divergence
                loss = (poisson / typical).mean() + (log_size - log_bytes[index]).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return Policy(
        mean=kinds.mean,
        deviation=kinds.deviation,
        centroids=kinds.centroids,
        hidden_weight=hidden.weight.detach().T.numpy(),
        hidden_bias=hidden.bias.detach().numpy(),
        output_weight=output.weight.detach().T.numpy(),
        output_bias=output.bias.detach().numpy(),
    )


def kinds_alone(kinds: Kinds, rungs: int) -> Policy:
    """Policy that tells kinds apart and says nothing of rungs: the first is as good as any."""
    return Policy(
        mean=kinds.mean,
        deviation=kinds.deviation,
        centroids=kinds.centroids,
        hidden_weight=np.zeros((len(kinds.mean), 1), np.float32),
        hidden_bias=np.zeros(1, np.float32),
        output_weight=np.zeros((1, 2 * rungs), np.float32),
        output_bias=np.zeros(2 * rungs, np.float32),
    )
