"""Choosing, standardising and weighing frequencies, against the definition a frequency."""

import pytest
import torch
from torch import Tensor

from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.dct_domain import CoefficientBatch, FrequencyStatistics
from bandwise.frequency.selection import Frequencies
from bandwise.models.networks.layers import FrequencySelection

KEPT = Frequencies((0, 5, 63, 64, 100, 191))
BATCH = CoefficientBatch(*(50 * torch.randn(shape) for shape in ((2, 64, 4, 6), (2, 128, 2, 3))))
STATISTICS = FrequencyStatistics(
    mean=torch.linspace(-20, 30, 192), deviation=torch.linspace(40, 0.1, 192)
)


def standardised() -> FrequencySelection:
    selection = FrequencySelection(KEPT)
    selection.standardise(STATISTICS)
    return selection


def channels(luma: Tensor, chroma: Tensor | None) -> list[Tensor]:
    return [*luma.unbind(1), *(() if chroma is None else chroma.unbind(1))]


def test_kept_channels_are_passed_in_order_and_untouched_at_first() -> None:
    luma, chroma = FrequencySelection(KEPT)(BATCH)
    assert BATCH.chroma is not None
    assert torch.equal(luma, BATCH.luma[:, [0, 5, 63]])
    assert torch.equal(chroma, BATCH.chroma[:, [0, 36, 127]])


def test_each_is_standardised_and_weighed() -> None:
    selection = standardised()
    with torch.no_grad():
        selection.logits.copy_(torch.tensor([0.0, 1, 2, -1, 0.5, 0]))
    weights = selection.logits.exp() / selection.logits.exp().mean()
    assert BATCH.chroma is not None
    every = torch.cat([BATCH.luma, BATCH.chroma.repeat_interleave(2, 2).repeat_interleave(2, 3)], 1)
    for found, index, weight in zip(channels(*selection(BATCH)), KEPT.kept, weights, strict=True):
        deviation = max(float(STATISTICS.deviation[index]), 1.0)
        expected = weight * (every[:, index] - STATISTICS.mean[index]) / deviation
        step = expected.shape[1] // found.shape[1]
        torch.testing.assert_close(found, expected[:, ::step, ::step])


def test_weights_have_mean_one_and_learn() -> None:
    selection = standardised()
    assert selection.weights().tolist() == [1.0] * len(KEPT)
    sum(channel.square().sum() for channel in channels(*selection(BATCH))).backward()  # type: ignore[union-attr]
    assert selection.logits.grad is not None
    assert selection.logits.grad.abs().min() > 0
    with torch.no_grad():
        selection.logits.add_(torch.arange(6.0))
    assert float(selection.weights().detach().mean()) == pytest.approx(1)


def test_statistics_travel_with_the_weights() -> None:
    fresh = FrequencySelection(KEPT)
    fresh.load_state_dict(standardised().state_dict())
    assert torch.equal(fresh(BATCH)[0], standardised()(BATCH)[0])
    assert sorted(fresh.state_dict()) == ["logits", "mean", "scale"]


def test_chroma_is_left_out_where_none_is_kept() -> None:
    selection = FrequencySelection(Frequencies((0, 9)))
    for batch in (BATCH, CoefficientBatch(BATCH.luma)):
        luma, chroma = selection(batch)
        assert torch.equal(luma, BATCH.luma[:, [0, 9]])
        assert chroma is None


def test_grey_images_are_refused_where_chroma_is_kept() -> None:
    with pytest.raises(ShapeError, match="reads colour images, got grey"):
        FrequencySelection(KEPT)(CoefficientBatch(BATCH.luma))


def test_statistics_of_grey_images_are_refused_where_chroma_is_kept() -> None:
    grey = FrequencyStatistics(STATISTICS.mean[:64], STATISTICS.deviation[:64])
    with pytest.raises(ConfigurationError, match="frequency 191 is kept, and the images have 64"):
        FrequencySelection(KEPT).standardise(grey)
    FrequencySelection(Frequencies((0, 63))).standardise(grey)
