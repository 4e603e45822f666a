"""Random changes; what is drawn for coefficients is what is drawn for pixels, where it can be."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bandwise.data.augment import (
    GLYPHS,
    PHOTOGRAPHS,
    Augmentation,
    augment,
    augment_coefficients,
    mix,
)
from bandwise.data.batches import BatchRandom
from bandwise.frequency.color import rgb_to_ycbcr, ycbcr_to_rgb
from bandwise.frequency.dct_domain import CoefficientBatch
from tests.frequency.test_dct_domain import from_samples, random_batch, samples_of, to_samples

STILL = Augmentation(
    zoom=(1, 1), stretch=0, turn=0, shift=0, flip=False, light=0, saturation=0, erase=0, mix=0
)
COUNT = 6


def random(count: int, seed: int = 0) -> BatchRandom:
    return BatchRandom(torch.Generator().manual_seed(seed), count)


def changed_pixels(pixels: Tensor, settings: Augmentation, side: int, seed: int = 0) -> Tensor:
    return augment(pixels, settings, random(len(pixels), seed), size=(side, side))


def changed(
    batch: CoefficientBatch, settings: Augmentation, seed: int = 0, band_dropout: float = 0
) -> CoefficientBatch:
    rows, columns = batch.grid
    return augment_coefficients(
        batch,
        settings,
        random(batch.images, seed),
        rows=rows,
        columns=columns,
        band_dropout=band_dropout,
    )


def assert_close(have: CoefficientBatch, want: CoefficientBatch) -> None:
    for one, other in zip(have, want, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-2)


def test_no_change_is_the_identity() -> None:
    pixels, batch = torch.rand(3, 3, 16, 16), random_batch()
    torch.testing.assert_close(changed_pixels(pixels, STILL, 16), pixels)
    for each in (batch, CoefficientBatch(batch.luma)):
        assert_close(changed(each, STILL), each)


def test_a_smaller_side_shows_the_same_picture() -> None:
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    small = changed_pixels(ramp, STILL, 8)
    torch.testing.assert_close(small[0, 0, 0], ramp[0, 0, 0].view(8, 4).mean(1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", [PHOTOGRAPHS, GLYPHS])
@pytest.mark.parametrize("channels", [1, 3])
def test_changes_follow_the_seed(settings: Augmentation, channels: int) -> None:
    pixels = torch.rand(8, channels, 24, 24)
    first, again, other = (changed_pixels(pixels, settings, 20, seed) for seed in (1, 1, 2))
    assert first.shape == (8, channels, 20, 20)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)

    batch = random_batch()
    batch = batch if channels == 3 else CoefficientBatch(batch.luma)
    before = [None if plane is None else plane.clone() for plane in batch]
    one, same, another = (changed(batch, settings, seed, 0.2) for seed in (1, 1, 2))
    assert_close(one, same)
    assert not torch.equal(one.luma, another.luma)
    assert_close(batch, CoefficientBatch(*before))  # type: ignore[arg-type]
    assert one.luma.is_contiguous(memory_format=torch.channels_last)


def pattern(*shape: int) -> Tensor:
    return torch.arange(torch.Size(shape).numel()).view(shape) * 37 % 101


def checksum(values: Tensor) -> float:
    waves = torch.sin(torch.arange(values.numel(), dtype=torch.float64))
    return float((values.double().flatten() * waves).sum())


@pytest.mark.parametrize(
    ("seed", "checksums", "next_one"),
    [
        (0, (1.4071, 1.4071, 2.32697), 0.11432164907455444),
        (1, (1.0847, -0.2772, -0.24885), 0.7936620116233826),
        (2, (-5.6583, -4.0370, 1.73939), 0.032583773136138916),
        (3, (1.8581, 3.3974, 1.71949), 0.9180975556373596),
    ],
)
def test_pixels_are_changed_as_they_always_were(
    seed: int, checksums: Sequence[float], next_one: float
) -> None:
    """Results that were measured depend on it."""
    draws = random(COUNT, seed)
    changed = augment(pattern(COUNT, 3, 16, 16) / 100, PHOTOGRAPHS, draws, size=(16, 16))
    mixed, targets = mix(changed, torch.eye(COUNT), 1.0, draws)
    assert [checksum(each) for each in (changed, mixed, targets)] == pytest.approx(
        checksums, abs=2e-3
    )
    assert draws.one() == next_one


@pytest.mark.parametrize(
    ("seed", "checksums", "next_one"),
    [
        (0, (1479.420, -997.385, 1342.576, -660.352, 1.59994), 0.909270703792572),
        (1, (-745.612, -159.510, -1135.126, -140.496, 1.31279), 0.31873834133148193),
        (2, (1193.642, 1310.739, 1193.642, 1310.739, 2.32697), 0.07890897989273071),
        (3, (-1522.429, 316.397, -1394.927, 57.094, 1.36302), 0.6889688372612),
    ],
)
def test_coefficients_are_changed_as_they_always_were(
    seed: int, checksums: Sequence[float], next_one: float
) -> None:
    batch = CoefficientBatch(pattern(COUNT, 64, 4, 4) - 50.0, pattern(COUNT, 128, 2, 2) - 50.0)
    draws = random(COUNT, seed)
    changed = augment_coefficients(batch, PHOTOGRAPHS, draws, rows=4, columns=4, band_dropout=0.2)
    mixed, targets = mix(changed, torch.eye(COUNT), 1.0, draws)
    planes = [plane for plane in (*changed, *mixed, targets) if plane is not None]
    assert [checksum(plane) for plane in planes] == pytest.approx(checksums, abs=0.5)
    assert draws.one() == next_one


def test_half_of_the_images_are_mirrored() -> None:
    ramp = torch.linspace(0, 1, 8).expand(200, 1, 8, 8)
    changed = changed_pixels(ramp, replace(STILL, flip=True), 8)
    mirrored = (changed - ramp.flip(3)).abs().amax((1, 2, 3)) < 1e-5
    same = (changed - ramp).abs().amax((1, 2, 3)) < 1e-5
    assert bool((mirrored ^ same).all())
    assert 60 < int(mirrored.sum()) < 140


def test_gradients_pass() -> None:
    pixels = torch.rand(2, 3, 16, 16, requires_grad=True)
    changed_pixels(pixels, PHOTOGRAPHS, 12).sum().backward()
    assert pixels.grad is not None
    assert float(pixels.grad.abs().sum()) > 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", [32, 24])
def test_grey_coefficients_are_changed_as_pixels_are(seed: int, side: int) -> None:
    settings = replace(PHOTOGRAPHS, turn=0.0, erase=0.0)
    pixels = 0.3 + 0.2 * torch.rand(6, 1, 32, 32)  # nothing is clamped
    blocks = side // 8
    twin = augment_coefficients(
        CoefficientBatch(from_samples(255 * pixels)),
        settings,
        random(6, seed),
        rows=blocks,
        columns=blocks,
    )
    want = changed_pixels(pixels, settings, side, seed)
    torch.testing.assert_close(to_samples(twin.luma) / 255, want, rtol=0, atol=1e-4)


def test_colour_coefficients_are_changed_as_pixels_are() -> None:
    """Flat colours, of which neither windows nor the sampling of chroma take anything."""
    settings = replace(PHOTOGRAPHS, turn=0.0, erase=0.0)
    grey = torch.full((8, 1, 32, 32), 0.5)
    tint = 0.1 * (torch.rand(8, 3, 1, 1, generator=torch.Generator().manual_seed(0)) - 0.5)
    tint = tint - tint.mean(1, keepdim=True)  # contrast is about the mean of all channels there
    luma_of_tint = rgb_to_ycbcr(tint.expand(-1, -1, 8, 8))[:, :1, :1, :1]
    ycbcr = rgb_to_ycbcr(255 * (grey + tint))
    batch = CoefficientBatch(
        from_samples(ycbcr[:, :1]), from_samples(ycbcr[:, 1:, ::2, ::2].contiguous())
    )
    want = rgb_to_ycbcr(255 * changed_pixels(grey + tint, settings, 32, 5))
    luma, chroma = samples_of(changed(batch, settings, seed=5))
    torch.testing.assert_close(chroma, want[:, 1:, ::2, ::2], rtol=0, atol=0.02)
    slack = 255 * float(settings.light * luma_of_tint.abs().max()) * (1 + settings.light)
    torch.testing.assert_close(luma, want[:, :1], rtol=0, atol=slack + 0.02)


def rectangles(have: Tensor, original: Tensor) -> Tensor:
    """(N, h, w): which blocks were changed."""
    return ((have - original).abs() > 0.05).any(1)


def test_rectangles_of_one_colour_are_erased() -> None:
    batch = random_batch(16, 16, images=20)
    assert batch.chroma is not None
    erased = changed(batch, replace(STILL, erase=0.5))
    assert erased.chroma is not None
    luma = rectangles(erased.luma, batch.luma)
    chroma = rectangles(erased.chroma, batch.chroma)
    assert torch.equal(luma, chroma.repeat_interleave(2, 1).repeat_interleave(2, 2))
    assert 3 < int(chroma.any((1, 2)).sum()) < 17
    for index in torch.nonzero(chroma.any((1, 2))).flatten().tolist():
        rows, columns = chroma[index].any(1), chroma[index].any(0)
        assert torch.equal(chroma[index], rows[:, None] & columns)
        levels = []
        for plane, inside in ((erased.luma, luma), (erased.chroma, chroma)):
            blocks = plane[index][:, inside[index]]
            assert torch.equal(blocks, blocks[:, :1].expand_as(blocks))
            assert not blocks.unflatten(0, (-1, 64))[:, 1:].any()
            levels.append(blocks[::64, 0] / 8 + 128)
        rgb = ycbcr_to_rgb(torch.cat(levels).view(3, 1, 1))
        assert -1e-3 <= float(rgb.min()) <= float(rgb.max()) <= 255.001
    grey = changed(CoefficientBatch(batch.luma), replace(STILL, erase=1.0))
    assert rectangles(grey.luma, batch.luma).any((1, 2)).all()


def test_bands_are_dropped_whole_and_means_are_kept() -> None:
    batch = random_batch(images=40)
    dropped = changed(batch, STILL, band_dropout=0.3)
    for have, want in zip(dropped, batch, strict=True):
        assert have is not None
        assert want is not None
        zero = (have == 0).all((2, 3))
        kept = torch.where(zero[..., None, None], 0.0, want)
        torch.testing.assert_close(have, kept, rtol=1e-4, atol=1e-2)
        assert not zero[:, ::64].any()
        assert 0.25 < float(zero.float().mean()) < 0.35
        assert not torch.equal(zero[0], zero[1])


def test_mixing_keeps_probabilities_and_areas() -> None:
    """Images of one value each, so that what is seen of each says how it was mixed."""
    values = torch.arange(6.0)
    luma, chroma = (values.view(6, 1, 1, 1).expand(6, 64 * c, s, s) for c, s in ((1, 16), (2, 8)))
    targets = torch.eye(6)
    cut = blended = 0
    for seed in range(40):
        pixels, _ = mix(luma[:, :3], targets, 1.0, random(6, seed))
        batch, probabilities = mix(CoefficientBatch(luma, chroma), targets, 1.0, random(6, seed))
        torch.testing.assert_close(probabilities.sum(1), torch.ones(6))
        for plane in batch:
            assert plane is not None
            if torch.equal(plane, plane.round()):
                shares = torch.stack([(plane == v).float().mean((1, 2, 3)) for v in values], 1)
                torch.testing.assert_close(shares, probabilities)
                cut += 1
            else:
                torch.testing.assert_close(plane.mean((1, 2, 3)), probabilities @ values)
                torch.testing.assert_close(pixels, plane[:, :1, :1, :1].expand_as(pixels))
                blended += 1
    assert min(cut, blended) > 10
