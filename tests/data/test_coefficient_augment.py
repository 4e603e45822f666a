"""What is drawn for coefficients is what is drawn for pixels, as far as it can be."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bandwise.color import rgb_to_ycbcr
from bandwise.data.augment import GLYPHS, PHOTOGRAPHS, Augmentation, augment
from bandwise.data.coefficient_augment import augment_coefficients, mix_coefficients
from bandwise.data.draws import Draws
from bandwise.dct_domain import CoefficientBatch
from tests.test_dct_domain import from_samples, random_batch, samples_of, to_samples

STILL = Augmentation(
    zoom=(1, 1), stretch=0, turn=0, shift=0, flip=False, light=0, saturation=0, erase=0, mix=0
)


def draws(count: int, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), count)


def changed(
    batch: CoefficientBatch, settings: Augmentation, seed: int = 0, band_dropout: float = 0
) -> CoefficientBatch:
    rows, columns = batch.grid
    return augment_coefficients(
        batch,
        settings,
        draws(batch.images, seed),
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
    batch = random_batch()
    assert_close(changed(batch, STILL), batch)
    grey = CoefficientBatch(batch.luma)
    assert_close(changed(grey, STILL), grey)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", [32, 24])
def test_grey_images_are_changed_as_pixels_are(seed: int, side: int) -> None:
    settings = replace(PHOTOGRAPHS, turn=0.0, erase=0.0)
    pixels = 0.3 + 0.2 * torch.rand(6, 1, 32, 32)  # nothing is clamped
    twin = augment_coefficients(
        CoefficientBatch(from_samples(255 * pixels)),
        settings,
        draws(6, seed),
        rows=side // 8,
        columns=side // 8,
    )
    want = augment(pixels, settings, draws(6, seed), size=(side, side))
    torch.testing.assert_close(to_samples(twin.luma) / 255, want, rtol=0, atol=1e-4)


def test_colour_is_changed_as_pixels_are() -> None:
    """Flat colours, of which neither windows nor the sampling of chroma take anything."""
    settings = replace(PHOTOGRAPHS, turn=0.0, erase=0.0)
    grey = torch.full((8, 1, 32, 32), 0.5)
    tint = 0.1 * (torch.rand(8, 3, 1, 1, generator=torch.Generator().manual_seed(0)) - 0.5)
    tint = tint - tint.mean(1, keepdim=True)  # contrast is about the mean of all channels there
    luma_of_tint = rgb_to_ycbcr(tint.expand(-1, -1, 8, 8))[:, :1, :1, :1]
    pixels = grey + tint
    ycbcr = rgb_to_ycbcr(255 * pixels)
    batch = CoefficientBatch(
        from_samples(ycbcr[:, :1]), from_samples(ycbcr[:, 1:, ::2, ::2].contiguous())
    )
    want = rgb_to_ycbcr(255 * augment(pixels, settings, draws(8, 5), size=(32, 32)))
    luma, chroma = samples_of(changed(batch, settings, seed=5))
    torch.testing.assert_close(chroma, want[:, 1:, ::2, ::2], rtol=0, atol=0.02)
    slack = 255 * float(settings.light * luma_of_tint.abs().max()) * (1 + settings.light)
    torch.testing.assert_close(luma, want[:, :1], rtol=0, atol=slack + 0.02)


@pytest.mark.parametrize("settings", [PHOTOGRAPHS, GLYPHS])
@pytest.mark.parametrize("colour", [False, True])
def test_changes_follow_the_seed(settings: Augmentation, colour: bool) -> None:
    batch = random_batch()
    batch = batch if colour else CoefficientBatch(batch.luma)
    before = [None if plane is None else plane.clone() for plane in batch]
    first, again = (changed(batch, settings, 1, 0.2) for _ in range(2))
    assert_close(first, again)
    assert not torch.equal(first.luma, changed(batch, settings, 2, 0.2).luma)
    assert_close(batch, CoefficientBatch(*before))  # type: ignore[arg-type]
    assert first.luma.is_contiguous(memory_format=torch.channels_last)


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
        for plane, inside in ((erased.luma, luma), (erased.chroma, chroma)):
            blocks = plane[index][:, inside[index]]
            assert torch.equal(blocks, blocks[:, :1].expand_as(blocks))
            assert not blocks.unflatten(0, (-1, 64))[:, 1:].any()
        red_green_blue = to_rgb(erased, index, luma[index], chroma[index])
        assert -1e-3 <= float(red_green_blue.min()) <= float(red_green_blue.max()) <= 255.001
    grey = changed(CoefficientBatch(batch.luma), replace(STILL, erase=1.0))
    assert rectangles(grey.luma, batch.luma).any((1, 2)).all()


def to_rgb(batch: CoefficientBatch, index: int, luma: Tensor, chroma: Tensor) -> Tensor:
    from bandwise.color import ycbcr_to_rgb

    assert batch.chroma is not None
    levels = torch.cat(
        [batch.luma[index, :1][:, luma][:, 0], batch.chroma[index, ::64][:, chroma][:, 0]]
    )
    return ycbcr_to_rgb(levels.view(3, 1, 1) / 8 + 128)


def test_bands_are_dropped_whole_and_means_are_kept() -> None:
    batch = random_batch(images=40)
    dropped = changed(batch, STILL, band_dropout=0.3)
    for have, want in zip(dropped, batch, strict=True):
        assert have is not None
        assert want is not None
        zero = (have == 0).all((2, 3))
        torch.testing.assert_close(
            have, torch.where(zero[..., None, None], 0.0, want), rtol=1e-4, atol=1e-2
        )
        assert not zero[:, ::64].any()
        assert 0.25 < float(zero.float().mean()) < 0.35
        assert not torch.equal(zero[0], zero[1])


def test_mixing_keeps_probabilities_and_areas() -> None:
    planes = [
        torch.arange(6.0).view(6, 1, 1, 1).expand(6, 64 * c, s, s) for c, s in ((1, 16), (2, 8))
    ]
    batch, targets = CoefficientBatch(*planes), torch.eye(6)
    cut = blended = 0
    for seed in range(40):
        mixed, probabilities = mix_coefficients(batch, targets, 1.0, draws(6, seed))
        torch.testing.assert_close(probabilities.sum(1), torch.ones(6))
        for plane in mixed:
            assert plane is not None
            if torch.equal(plane, plane.round()):
                shares = torch.stack([(plane == v).float().mean((1, 2, 3)) for v in range(6)], 1)
                torch.testing.assert_close(shares, probabilities)
                cut += 1
            else:
                mean = plane.mean((1, 2, 3))
                torch.testing.assert_close(mean, probabilities @ torch.arange(6.0))
                blended += 1
    assert cut > 10
    assert blended > 10


def test_nothing_is_mixed_at_share_zero() -> None:
    batch, targets = random_batch(), torch.eye(3)
    mixed, probabilities = mix_coefficients(batch, targets, 0.0, draws(batch.images))
    assert mixed.luma is batch.luma
    assert mixed.chroma is batch.chroma
    assert probabilities is targets
