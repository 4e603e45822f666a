"""What a network loses without a frequency, where that is known or can be measured."""

import pytest
import torch
from torch import Tensor, nn

from bandwise.frequency.dct_domain import (
    CoefficientBatch,
    FrequencyStatistics,
    frequency_statistics,
)
from bandwise.learning.sensitivity import frequency_importance
from bandwise.models.classification import divergences, logits_of_batches
from tests.frequency.test_dct_domain import random_batch

IMAGES = 24


class Linear(nn.Module):
    """Three logits, linear in the means over blocks of some of 192 channels."""

    def __init__(self, channels: list[int], scale: float = 0.002) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(scale * torch.randn(3, len(channels), generator=generator))
        self.channels = channels

    def forward(self, batch: CoefficientBatch) -> Tensor:
        means = torch.cat([plane.mean((2, 3)) for plane in batch if plane is not None], 1)
        return means[:, self.channels] @ self.weight.T


def without(batch: CoefficientBatch, channel: int, mean: float) -> CoefficientBatch:
    """The batch with one channel at its mean."""
    luma, chroma = batch.luma.clone(), batch.chroma
    if channel < 64:
        luma[:, channel] = mean
    else:
        assert chroma is not None
        chroma = chroma.clone()
        chroma[:, channel - 64] = mean
    return CoefficientBatch(luma, chroma)


def importance(network: nn.Module, batch: CoefficientBatch, *, seed: int = 0) -> Tensor:
    parts = [batch.select(part) for part in torch.arange(batch.images).split(10)]
    return frequency_importance(network, parts, frequency_statistics(parts), seed=seed)


@pytest.mark.parametrize("channel", [3, 64 + 5, 128 + 40])
def test_the_one_frequency_that_is_read_is_found(channel: int) -> None:
    found = importance(Linear([channel]), random_batch(images=IMAGES))
    assert found.shape == (192,)
    assert found.dtype == torch.float64
    assert float(found[channel]) > 0
    assert found.count_nonzero() == 1


def test_grey_images_have_64() -> None:
    batch = CoefficientBatch(random_batch(images=IMAGES).luma)
    found = importance(Linear([9, 10]), batch)
    assert found.nonzero().flatten().tolist() == [9, 10]
    assert len(found) == 64


def test_it_is_the_divergence_of_replacing_a_frequency_by_its_mean() -> None:
    batch, channels = random_batch(images=IMAGES), [0, 17, 64 + 2, 128 + 63]
    network = Linear(channels)
    # One class is drawn an image: many of each come near to the expectation over classes.
    found = importance(network, batch.select(torch.arange(IMAGES).repeat(200)))
    logits = logits_of_batches(network, [batch])
    for channel in channels:
        mean = float(frequency_statistics([batch]).mean[channel])
        changed = logits_of_batches(network, [without(batch, channel, mean)])
        measured = float(divergences(changed, logits).mean())
        assert 1e-6 < measured < 0.01
        assert float(found[channel]) == pytest.approx(measured, rel=0.1)


def test_what_cancels_over_an_images_blocks_does_not_matter() -> None:
    signs = torch.tensor([1.0, -1.0]).repeat(2)
    luma = torch.zeros(IMAGES, 64, 2, 2)
    strength = torch.randn(IMAGES, 1, generator=torch.Generator().manual_seed(0)) * 30
    luma[:, 1] = (strength * torch.ones(4)).view(-1, 2, 2)
    luma[:, 2] = (strength * signs).view(-1, 2, 2)
    statistics = FrequencyStatistics(torch.zeros(64), torch.ones(64))
    found = frequency_importance(Linear([1, 2]), [CoefficientBatch(luma)], statistics)
    assert float(found[1]) > 1e-6
    assert float(found[2]) < 1e-6 * float(found[1])


def test_a_seed_decides_and_nothing_else_changes() -> None:
    batch, network = random_batch(images=IMAGES), Linear([5])
    first = importance(network, batch)
    assert torch.equal(importance(network, batch), first)
    assert not torch.equal(importance(network, batch, seed=1), first)
    assert not batch.luma.requires_grad
    assert network.weight.grad is None
