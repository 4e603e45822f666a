import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bandwise.errors import ShapeError
from bandwise.models.classification import divergences, logits_of, to_unit_range


class Mean(nn.Module):
    """Logits that are the mean of each channel, and the number of images in the batch."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.mean((2, 3))


def test_pixels_are_scaled_to_the_unit_range() -> None:
    pixels = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    assert to_unit_range(pixels).flatten().tolist() == pytest.approx([0, 0.2, 1])


def test_batches_do_not_change_the_logits() -> None:
    pixels = torch.randint(0, 256, (7, 3, 4, 4), dtype=torch.uint8)
    together = logits_of(Mean(), pixels, batch_size=7)
    apart = logits_of(Mean(), pixels, batch_size=2)
    torch.testing.assert_close(together, apart)
    torch.testing.assert_close(together, pixels.float().mean((2, 3)) / 255)


def test_dropout_is_off() -> None:
    network = nn.Sequential(Mean(), nn.Dropout(0.5)).train()
    pixels = torch.full((4, 3, 2, 2), 255, dtype=torch.uint8)
    assert logits_of(network, pixels).tolist() == [[1.0] * 3] * 4


@pytest.mark.parametrize("network", [nn.Identity(), nn.Sequential(Mean(), nn.Flatten(0))])
def test_logits_of_another_shape_are_refused(network: nn.Module) -> None:
    with pytest.raises(ShapeError, match="logits of shape"):
        logits_of(network, torch.zeros(2, 3, 4, 4, dtype=torch.uint8))


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 10\), it returned \(2, 3\)"):
        logits_of(Mean(), torch.zeros(2, 3, 4, 4, dtype=torch.uint8), num_classes=10)


def test_divergence_is_that_of_the_definition() -> None:
    logits, original = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    p, q = original.double().softmax(1).numpy(), logits.double().softmax(1).numpy()
    assert divergences(logits.double(), original.double()).numpy() == pytest.approx(
        (p * np.log(p / q)).sum(1)
    )
