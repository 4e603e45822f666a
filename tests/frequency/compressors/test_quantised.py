"""Learned tables against real files: same integers and pixels but for libjpeg's integer DCT."""

from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from bandwise import jpeg
from bandwise.errors import ConfigurationError, ShapeError
from bandwise.frequency.bands import make_bands, radial_bands, zigzag_bands
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.compressors import BandSteps, QuantisedBands
from bandwise.frequency.tables import QuantTable, TableSet, flat
from tests.frequency.rate.photographs import tiles

MEAN_LEVELS_MAX = 0.4
"""Mean difference from the decoded file: measured at most 0.33 of 255 levels on photographs."""

TWO_SCHEMES: tuple[Subsampling, ...] = ("4:4:4", "4:2:0")


def batch(height: int, width: int, *, grey: bool = False) -> tuple[list[NDArray[np.uint8]], Tensor]:
    """Tiles of photographs as arrays and as (N, C, H, W) in [0, 1]."""
    photographs = np.concatenate([tiles("china.jpg"), tiles("flower.jpg")])
    images = [np.ascontiguousarray(image[:height, :width]) for image in photographs]
    if grey:
        images = [np.ascontiguousarray(image[..., 1]) for image in images]
    stacked = torch.from_numpy(np.stack(images)).float() / 255
    return images, stacked[:, None] if grey else stacked.movedim(-1, 1)


@pytest.mark.parametrize("quality", [1, 30, 75, 95])
@pytest.mark.parametrize("size", [(128, 128), (37, 51), (9, 23)])
@pytest.mark.parametrize("scheme", [*TWO_SCHEMES, "grey"])
def test_evaluation_shows_what_real_files_show(
    scheme: Subsampling | Literal["grey"], size: tuple[int, int], quality: int
) -> None:
    images, pixels = batch(*size, grey=scheme == "grey")
    tables = TableSet.ijg(quality)
    if scheme == "grey":
        tables, scheme = TableSet(luma=tables.luma), "4:2:0"
    with torch.no_grad():
        shown = QuantisedBands(tables, subsampling=scheme).eval()(pixels)
    files = [jpeg.encode(image, tables, subsampling=scheme) for image in images]
    decoded = torch.stack([torch.from_numpy(jpeg.decode(data)) for data in files])
    decoded = decoded.movedim(-1, 1) if decoded.ndim == 4 else decoded[:, None]
    assert float((shown.pixels * 255 - decoded).abs().mean()) <= MEAN_LEVELS_MAX
    stored = [jpeg.read_coefficients(data) for data in files]
    for component, own in enumerate(shown.quantised):
        blocks = torch.from_numpy(np.stack([image.planes[component].blocks for image in stored]))
        assert own.shape == blocks.shape
        assert float((own != blocks).float().mean()) <= 0.02


def test_any_table_is_represented_exactly_by_coefficient_bands() -> None:
    rng = np.random.default_rng(0)
    extreme = rng.choice([1, 2, 254, 255], (8, 8))
    for luma in (extreme, rng.integers(1, 256, (8, 8)), np.full((8, 8), 255)):
        tables = TableSet(
            luma=QuantTable.from_array(luma),
            chroma=QuantTable.from_array(rng.integers(1, 256, (8, 8))),
        )
        assert QuantisedBands(tables).tables() == tables


@pytest.mark.parametrize("kind", ["radial", "zigzag", "coefficient"])
def test_steps_are_the_step_over_the_importance(kind: str) -> None:
    bands = make_bands(kind, 8, 8, count=5 if kind == "radial" else None)  # type: ignore[arg-type]
    steps = BandSteps(bands, flat(7))
    torch.testing.assert_close(steps(), torch.full((8, 8), 7.0))
    generator = torch.Generator().manual_seed(0)
    steps.logits.data = torch.randn(bands.count, generator=generator)
    steps.log_step.data = torch.tensor(20.0).log()
    weights = torch.softmax(steps.logits, 0) * bands.count
    scale = sum(w * mask for w, mask in zip(weights, bands.masks().float(), strict=True))
    torch.testing.assert_close(steps(), 20 / scale)


def test_bands_of_several_coefficients_start_at_their_mean() -> None:
    start = np.full((8, 8), 10)
    start[0, 1], start[1, 0] = 4, 9
    tables = TableSet(luma=QuantTable.from_array(start))
    steps = QuantisedBands(tables, bands=zigzag_bands(8, 8)).steps()[0]
    assert steps[0, 1].item() == pytest.approx(6)
    assert steps[1, 0].item() == pytest.approx(6)
    assert steps[5, 5].item() == pytest.approx(10)


@pytest.mark.parametrize("scheme", TWO_SCHEMES)
def test_training_gives_every_parameter_and_pixel_a_gradient(scheme: Subsampling) -> None:
    _, pixels = batch(40, 24)
    pixels.requires_grad_()
    model = QuantisedBands(TableSet.ijg(50), bands=radial_bands(8, 8, 4), subsampling=scheme)
    shown = model(pixels)
    assert shown.pixels.shape == pixels.shape
    assert all(bool((plane == plane.round()).all()) for plane in shown.quantised)
    shown.pixels.square().sum().backward()
    for tensor in (pixels, *model.parameters()):
        assert tensor.grad is not None
        assert bool(tensor.grad.isfinite().all())
        assert bool((tensor.grad != 0).any())


def test_straight_through_training_shows_what_evaluation_shows() -> None:
    _, pixels = batch(24, 24)
    model = QuantisedBands(TableSet.ijg(50))
    assert torch.equal(model.train()(pixels).pixels, model.eval()(pixels).pixels)


def test_steps_are_limited_and_the_gradient_passes() -> None:
    model = QuantisedBands(TableSet(luma=flat(200)))
    model.luma.log_step.data += 1
    steps = model.steps()[0]
    assert bool((steps == 255).all())
    steps.sum().backward()
    assert model.luma.log_step.grad is not None
    assert float(model.luma.log_step.grad) > 0
    model.luma.log_step.data -= 20
    assert model.tables() == TableSet(luma=flat(1))


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ShapeError, match="28×28"):
        QuantisedBands(TableSet.ijg(50), bands=radial_bands(28, 28, 8))
    with pytest.raises(ConfigurationError, match="4:2:2"):
        QuantisedBands(TableSet.ijg(50), subsampling="4:2:2")
    with pytest.raises(ShapeError, match=r"\(2, 1, 8, 8\)"):
        QuantisedBands(TableSet.ijg(50))(torch.zeros(2, 1, 8, 8))
