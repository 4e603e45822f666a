"""Every change of coefficients is what the same change of pixels does to them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bandwise.errors import ShapeError
from bandwise.frequency.dct import block_dct2, block_idct2
from bandwise.frequency.dct_domain import (
    CoefficientBatch,
    adjust_contrast,
    adjust_saturation,
    concatenate,
    fill_to_even,
    fit,
    halve,
    keep_frequencies,
    resample,
    show_windows,
    window_matrices,
)


def from_samples(samples: Tensor) -> Tensor:
    """(N, C, H, W), levels 0..255, to a plane (N, 64·C, h, w) as a batch holds it."""
    blocks = block_dct2(samples - 128)
    return blocks.permute(0, 2, 3, 1, 4, 5).flatten(3).permute(0, 3, 1, 2)


def to_samples(plane: Tensor) -> Tensor:
    blocks = plane.permute(0, 2, 3, 1).unflatten(3, (-1, 8, 8))
    return block_idct2(blocks.permute(0, 3, 1, 2, 4, 5)) + 128


def samples_of(batch: CoefficientBatch) -> list[Tensor]:
    return [to_samples(plane) for plane in batch if plane is not None]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return 255 * torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def random_batch(rows: int = 4, columns: int = 6, *, images: int = 3) -> CoefficientBatch:
    luma = noise(images, 1, 8 * rows, 8 * columns)
    chroma = noise(images, 2, 4 * rows, 4 * columns, seed=1)
    return CoefficientBatch(from_samples(luma), from_samples(chroma))


def assert_like(batch: CoefficientBatch, samples: list[Tensor]) -> None:
    found = samples_of(batch)
    assert len(found) == len(samples)
    for have, want in zip(found, samples, strict=True):
        torch.testing.assert_close(have, want, rtol=1e-4, atol=1e-2)
    for plane in batch:
        assert plane is None or plane.is_contiguous(memory_format=torch.channels_last)


def per_image(*values: float) -> Tensor:
    return torch.tensor(values)


def test_fitting_crops_and_pads_about_the_centre() -> None:
    batch = random_batch(4, 8)
    luma, chroma = samples_of(batch)
    wider = fit(batch, 8, 4)
    assert wider.grid == (8, 4)
    assert_like(
        wider,
        [
            F.pad(luma[:, :, :, 16:48], (0, 0, 16, 16), value=128),
            F.pad(chroma[:, :, :, 8:24], (0, 0, 8, 8), value=128),
        ],
    )
    assert fit(batch, 4, 8) is batch
    with pytest.raises(ShapeError, match="even numbers"):
        fit(batch, 3, 4)
    assert fit(CoefficientBatch(batch.luma), 3, 5).grid == (3, 5)


def test_odd_planes_are_filled_to_even() -> None:
    plane = from_samples(noise(2, 1, 24, 48))
    filled = to_samples(fill_to_even(plane))
    want = F.pad(to_samples(plane), (0, 0, 0, 8), value=128)
    torch.testing.assert_close(filled, want, rtol=1e-4, atol=1e-2)
    even = random_batch(4, 6).luma
    assert fill_to_even(even) is even


@pytest.mark.parametrize("factor", [1.5, per_image(0.5, 1.0, 2.0)])
@pytest.mark.parametrize("about", [None, 0.0, 128, per_image(0, 100, 255)])
def test_contrast_scales_about_a_level(
    factor: Tensor | float, about: Tensor | float | None
) -> None:
    batch = random_batch()
    luma, chroma = samples_of(batch)
    scale = torch.as_tensor(factor).view(-1, 1, 1, 1)
    level = luma.mean((1, 2, 3)) if about is None else torch.as_tensor(about)
    level = level.view(-1, 1, 1, 1)
    changed = adjust_contrast(batch, factor, about=about)
    assert_like(changed, [level + scale * (luma - level), 128 + scale * (chroma - 128)])
    assert adjust_contrast(CoefficientBatch(batch.luma), factor).chroma is None


def test_saturation_scales_chroma() -> None:
    batch = random_batch()
    luma, chroma = samples_of(batch)
    factors = per_image(0, 1, 1.5)
    want = 128 + factors.view(-1, 1, 1, 1) * (chroma - 128)
    assert_like(adjust_saturation(batch, factors), [luma, want])
    grey = CoefficientBatch(batch.luma)
    assert adjust_saturation(grey, 2.0) is grey


def test_frequencies_are_kept_or_dropped() -> None:
    batch = random_batch()
    assert batch.chroma is not None
    means = torch.zeros(64)
    means[0] = 1
    kept = keep_frequencies(batch, means)
    blocks = F.avg_pool2d(to_samples(batch.luma), 8)
    assert_like(
        kept, [blocks.repeat_interleave(8, 2).repeat_interleave(8, 3), samples_of(batch)[1]]
    )
    masks = (noise(3, 128) > 100).float()
    dropped = keep_frequencies(batch, torch.ones(64), masks).chroma
    assert dropped is not None
    assert torch.equal(dropped, torch.where(masks[..., None, None] > 0, batch.chroma, 0.0))


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("columns", [False, True])
def test_halving_averages_neighbouring_samples(rows: bool, columns: bool) -> None:
    samples = noise(2, 2, 32, 48)
    want = F.avg_pool2d(samples, (1 + rows, 1 + columns))
    halved = halve(from_samples(samples), rows=rows, columns=columns)
    torch.testing.assert_close(to_samples(halved), want, rtol=1e-4, atol=1e-2)
    assert halved.is_contiguous(memory_format=torch.channels_last)


def test_halving_fills_odd_sides_with_grey() -> None:
    samples = noise(1, 2, 24, 8)
    want = F.avg_pool2d(F.pad(samples, (0, 8, 0, 8), value=128), 2)
    halved = halve(from_samples(samples), rows=True, columns=True)
    torch.testing.assert_close(to_samples(halved), want, rtol=1e-4, atol=1e-2)


def test_resampling_applies_any_matrices_to_samples_less_128() -> None:
    samples = noise(3, 2, 16, 24)
    rows, columns = torch.randn(3, 24, 16), torch.randn(3, 8, 24)
    want = rows[:, None] @ (samples - 128) @ columns[:, None].mT + 128
    plane = resample(from_samples(samples), rows, columns)
    torch.testing.assert_close(to_samples(plane), want, rtol=1e-4, atol=0.05)


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 8), (16, 8), (8, 24), (1, 8)])
def test_window_matrices_are_those_of_grid_sample(inputs: int, outputs: int) -> None:
    size = per_image(1, -1, 0.4, -0.7, 1.3, -2.5, 0.01, 5)
    centre = per_image(0, 0, 0.6, -0.5, 0.3, 0.9, -0.99, 1.7)
    matrices = window_matrices(size, centre, inputs=inputs, outputs=outputs)
    affine = torch.zeros(8, 2, 3)
    affine[:, 0, 0], affine[:, 0, 2], affine[:, 1, 1] = size, centre, 1
    signal = torch.eye(inputs).view(1, inputs, 1, inputs).expand(8, -1, -1, -1)
    grid = F.affine_grid(affine, [8, inputs, 1, outputs], align_corners=False)
    want = F.grid_sample(signal, grid, "bilinear", "reflection", align_corners=False)
    torch.testing.assert_close(matrices, want[:, :, 0].mT, rtol=0, atol=2e-5)


@pytest.mark.parametrize(("rows", "columns"), [(4, 6), (2, 8)])
def test_windows_are_those_of_grid_sample(rows: int, columns: int) -> None:
    batch = random_batch()
    sizes = torch.tensor([[1, 1], [0.6, -0.8], [1.2, -1.1]])
    centres = torch.tensor([[0, 0], [0.3, -0.1], [-0.2, 0.4]])
    affine = torch.zeros(3, 2, 3)
    affine[:, 0, 0], affine[:, 1, 1], affine[:, :, 2] = sizes[:, 1], sizes[:, 0], centres.flip(1)
    want = []
    for samples, side in zip(samples_of(batch), (8, 4), strict=True):
        shape = [*samples.shape[:2], side * rows, side * columns]
        grid = F.affine_grid(affine, shape, align_corners=False)
        want.append(F.grid_sample(samples, grid, "bilinear", "reflection", align_corners=False))
    assert_like(show_windows(batch, sizes, centres, rows=rows, columns=columns), want)
    grey = show_windows(CoefficientBatch(batch.luma), sizes, centres, rows=1, columns=3)
    assert grey.grid == (1, 3)


def test_batches_are_put_together_and_taken_apart() -> None:
    batch = random_batch()
    assert (batch.images, batch.grid) == (3, (4, 6))
    first, rest = batch.select(slice(0, 1)), batch.select(torch.tensor([1, 2]))
    assert_like(concatenate([first, rest]), samples_of(batch))
    grey = CoefficientBatch(batch.luma)
    assert concatenate([grey, grey]).chroma is None
    mixed = concatenate([grey, batch])
    luma, chroma = samples_of(batch)
    assert_like(mixed, [torch.cat([luma, luma]), torch.cat([torch.full_like(chroma, 128), chroma])])
    assert_like(batch.to("cpu"), samples_of(batch))
