from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bandwise.data.augment import GLYPHS, PHOTOGRAPHS, Augmentation, augment, mix
from bandwise.data.draws import Draws

STILL = Augmentation(
    zoom=(1, 1), stretch=0, turn=0, shift=0, flip=False, light=0, saturation=0, erase=0, mix=0
)


def draws(pixels: Tensor, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), len(pixels))


def test_no_change_is_the_identity() -> None:
    pixels = torch.rand(3, 3, 16, 16)
    torch.testing.assert_close(augment(pixels, STILL, draws(pixels), size=(16, 16)), pixels)


def test_a_smaller_side_shows_the_same_picture() -> None:
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    small = augment(ramp, STILL, draws(ramp), size=(8, 8))
    torch.testing.assert_close(small[0, 0, 0], ramp[0, 0, 0].view(8, 4).mean(1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", [PHOTOGRAPHS, GLYPHS])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_stay_in_range_and_follow_the_seed(settings: Augmentation, channels: int) -> None:
    pixels = torch.rand(8, channels, 24, 24)
    first, again = (augment(pixels, settings, draws(pixels, 1), size=(20, 20)) for _ in range(2))
    other = augment(pixels, settings, draws(pixels, 2), size=(20, 20))
    assert first.shape == (8, channels, 20, 20)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_half_of_the_images_are_mirrored() -> None:
    settings = Augmentation(
        zoom=(1, 1), stretch=0, turn=0, shift=0, light=0, saturation=0, erase=0, mix=0
    )
    ramp = torch.linspace(0, 1, 8).expand(200, 1, 8, 8)
    changed = augment(ramp, settings, draws(ramp), size=(8, 8))
    mirrored = (changed - ramp.flip(3)).abs().amax((1, 2, 3)) < 1e-5
    same = (changed - ramp).abs().amax((1, 2, 3)) < 1e-5
    assert bool((mirrored ^ same).all())
    assert 60 < int(mirrored.sum()) < 140


def test_turned_mirror_images_stay_round() -> None:
    ramp = torch.linspace(-1, 1, 33)
    disc = torch.exp(-8 * (ramp[:, None].square() + ramp.square())).expand(16, 1, 33, 33)
    turned = augment(disc, replace(STILL, turn=0.7, flip=True), draws(disc), size=(33, 33))
    torch.testing.assert_close(turned, disc, atol=0.04, rtol=0)


def test_gradients_pass() -> None:
    pixels = torch.rand(2, 3, 16, 16, requires_grad=True)
    augment(pixels, PHOTOGRAPHS, draws(pixels), size=(12, 12)).sum().backward()
    assert pixels.grad is not None
    assert float(pixels.grad.abs().sum()) > 0


def test_mixing_keeps_probabilities() -> None:
    pixels, targets = torch.rand(6, 1, 8, 8), torch.eye(6)
    for seed in range(20):
        mixed, probabilities = mix(pixels, targets, 1.0, draws(pixels, seed))
        torch.testing.assert_close(probabilities.sum(1), torch.ones(6))
        assert mixed.shape == pixels.shape
        assert not torch.equal(mixed, pixels) or torch.equal(probabilities, targets)


def test_targets_of_cutmix_follow_the_areas() -> None:
    pixels = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 1, 16, 16)
    targets = torch.eye(6)
    shares = torch.stack([(pixels == value).float().mean((1, 2, 3)) for value in range(6)], 1)
    assert torch.equal(shares, targets)
    seen = 0
    for seed in range(40):
        mixed, probabilities = mix(pixels, targets, 1.0, draws(pixels, seed))
        if torch.equal(mixed, mixed.round()):  # mixup would have made fractions
            shares = torch.stack([(mixed == v).float().mean((1, 2, 3)) for v in range(6)], 1)
            torch.testing.assert_close(shares, probabilities)
            seen += 1
    assert seen > 5


def test_nothing_is_mixed_at_share_zero() -> None:
    pixels, targets = torch.rand(4, 1, 8, 8), torch.eye(4)
    mixed, probabilities = mix(pixels, targets, 0.0, draws(pixels))
    assert mixed is pixels
    assert probabilities is targets
