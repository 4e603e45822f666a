"""Bands, images and spectra, read back from the figures' artists."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bandwise.bands import Bands, Rings, make_bands, radial_bands
from bandwise.dct import dct2, idct2
from bandwise.report import planes
from bandwise.report.planes import Weighting
from bandwise.report.records import Sample

WITH_AN_EMPTY_BAND = Rings(edges=(0.3, 0.3001, 0.6), exponent=1.5).bands(8, 8)
WEIGHTS = [0.4, 0.2, 0.15, 0.1, 0.06, 0.04, 0.03, 0.02]


def sample(*shape: int) -> Sample:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Sample(class_name="a", pixels_u8=pixels)


def test_plane_is_coloured_by_relative_weight_and_labelled() -> None:
    bands = radial_bands(28, 28, 8)
    axes = planes.band_planes({"adaptive": Weighting(bands, WEIGHTS)}).axes[0]
    drawn = np.asarray(axes.images[0].get_array())
    assert drawn[0, 0] == pytest.approx(0.4 * 8)
    assert drawn[27, 27] == pytest.approx(0.02 * 8)
    labels = [text.get_text() for text in axes.texts]
    assert labels[0] == "1: 3.20"
    assert len(labels) == 8


@pytest.mark.parametrize(
    "bands",
    [radial_bands(28, 28, 8), radial_bands(8, 8, 8), radial_bands(12, 40, 5), WITH_AN_EMPTY_BAND],
    ids=["square", "small", "wide", "with an empty band"],
)
def test_labels_lie_in_their_band(bands: Bands) -> None:
    positions = planes._label_positions(bands)
    assert list(positions) == sorted(set(bands.plane.flat))
    for band, (row, column) in positions.items():
        assert bands.plane[round(row), round(column)] == band


def test_many_bands_are_not_labelled() -> None:
    bands = make_bands("zigzag", 8, 8)
    weighting = Weighting(bands, np.linspace(2, 1, 15).tolist())
    axes = planes.band_planes({"adaptive": weighting}).axes[0]
    assert not axes.texts


def test_weighted_image_is_the_inverse_dct_of_weighted_coefficients() -> None:
    bands, image = radial_bands(8, 8, 8), sample(1, 8, 8)
    weightings = {"static": Weighting(bands, [0.125] * 8), "adaptive": Weighting(bands, WEIGHTS)}
    figure = planes.weighted_images([image], weightings)
    centred = torch.tensor(image.pixels_u8[0]).double() / 255 - 0.5
    scale = torch.tensor(WEIGHTS, dtype=torch.float64)[bands.index]
    expected = idct2(dct2(centred) * scale).numpy()
    drawn = np.asarray(figure.axes[2].images[0].get_array())
    stretched = (expected - expected.min()) / np.ptp(expected)
    assert drawn == pytest.approx(stretched, abs=1e-9)
    wanted = f"{expected.min():.2f} … {expected.max():.2f}".replace("-", "−")
    assert figure.axes[2].get_xlabel() == wanted
    assert [axes.get_title() for axes in figure.axes] == ["original", "static", "adaptive"]


def test_colour_images_stay_coloured() -> None:
    figure = planes.weighted_images(
        [sample(3, 8, 8)], {"static": Weighting(radial_bands(8, 8, 8), [0.125] * 8)}
    )
    assert np.asarray(figure.axes[0].images[0].get_array()).shape == (8, 8, 3)


def test_spectra_share_one_scale() -> None:
    weighting = Weighting(radial_bands(8, 8, 8), [0.125] * 8)
    figure = planes.weighted_spectra([sample(1, 8, 8)], {"static": weighting})
    before, after = (axes.images[0] for axes in figure.axes[:2])
    assert before.get_clim() == after.get_clim()
    difference = np.asarray(before.get_array()) - np.asarray(after.get_array())
    assert np.median(difference) == pytest.approx(np.log10(8), abs=0.01)


def test_the_plane_of_a_weighting_has_weights_where_bands_are() -> None:
    bands = radial_bands(8, 8, 8)
    plane = Weighting(bands, WEIGHTS).plane
    for band, weight in enumerate(WEIGHTS):
        assert np.all(plane[bands.plane == band] == weight)
