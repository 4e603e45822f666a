"""How much a network's output depends on each frequency that it reads.

Without frequency f a network sees x − e, e being all its coefficients less their mean, in every
block of the image. To second order its output distribution p moves by

    KL(p(x) ‖ p(x − e)) ≈ ½ eᵀ F e = ½ E_{c ~ p} [(∇ log p_c · e)²]

(F: the Fisher information, as in `bandwise.learning.sensitivity`), one gradient an image. It is a
sum over all blocks before it is squared: a frequency that matters little in each block, but alike
in all, matters.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.errors import ConfigurationError
from bandwise.frequency.dct_domain import CoefficientBatch, FrequencyStatistics
from bandwise.learning.sensitivity import frozen


def frequency_importance(
    network: nn.Module,
    batches: Iterable[CoefficientBatch],
    statistics: FrequencyStatistics,
    *,
    seed: int = 0,
) -> Tensor:
    """Mean divergence over images, in nats, when a frequency is replaced by its mean.

    Raises `ConfigurationError` when there are no images. Returns (64,) float64 of grey images,
    (192,) of colour: see `bandwise.frequency.selection`.

    Parameters
    ----------
    network
        Maps a `CoefficientBatch` to logits (N, classes).
    statistics
        Of the same images.
    """
    network = frozen(network)
    generator = torch.Generator().manual_seed(seed)
    total, images = torch.zeros(len(statistics.mean), dtype=torch.float64), 0
    for batch in batches:
        planes = [plane.detach().requires_grad_() for plane in batch if plane is not None]
        log_probabilities = F.log_softmax(network(CoefficientBatch(*planes)), dim=1)
        drawn = torch.multinomial(log_probabilities.detach().exp(), 1, generator=generator)
        chosen = log_probabilities.gather(1, drawn).sum()
        gradients = torch.autograd.grad(chosen, planes, materialize_grads=True)
        means = statistics.mean.split([plane.shape[1] for plane in planes])
        moved = [
            ((plane.detach() - mean.view(-1, 1, 1)) * gradient).sum((2, 3))
            for plane, mean, gradient in zip(planes, means, gradients, strict=True)
        ]
        total += torch.cat(moved, 1).double().square().sum(0)
        images += batch.images
    if not images:
        raise ConfigurationError("there are no images to measure importance with")
    return total / (2 * images)
