"""Statistics of an image against the library's own DCT, and what a policy makes of them."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bandwise.color import rgb_to_ycbcr
from bandwise.dct import block_dct2
from bandwise.errors import ProfileError
from bandwise.policy import CELLS, Policy, statistics_count, statistics_of
from tests.jpeg.images import picture

BIASES = np.log([0.01, 0.1, 1.0, 4000, 2000, 500])
"""Of three rungs: divergence, then bytes."""


def policy(channels: int = 1, ladders: int = 2, rungs: int = 3, **changes: Any) -> Policy:
    """A policy with random numbers."""
    rng = np.random.default_rng(0)
    size = statistics_count(channels)
    values = {
        "mean": rng.normal(size=size),
        "deviation": rng.uniform(0.5, 2, size),
        "centroids": rng.normal(size=(ladders, size)),
        "hidden_weight": rng.normal(size=(size, 5)) / size**0.5,
        "hidden_bias": rng.normal(size=5),
        "output_weight": 0.1 * rng.normal(size=(5, 2 * rungs)),
        "output_bias": rng.normal(size=2 * rungs),
    }
    return Policy(**(values | changes))


def luma_blocks(pixels_u8: NDArray[np.uint8]) -> torch.Tensor:
    """Coefficients (blocks_y, blocks_x, 8, 8) of an image whose sides are multiples of 8."""
    pixels = torch.tensor(np.atleast_3d(pixels_u8)).permute(2, 0, 1).float()
    luma = pixels[0] if len(pixels) == 1 else rgb_to_ycbcr(pixels[None])[0, 0]
    return block_dct2(luma - 128)


@pytest.mark.parametrize("grey", [True, False])
def test_the_spectrum_and_the_means_are_those_of_the_blocks(grey: bool) -> None:
    pixels = picture(64, 64, grey=grey)  # as many blocks as cells
    found = statistics_of(pixels)
    assert found.shape == (statistics_count(1 if grey else 3),)
    blocks = luma_blocks(pixels)
    spectrum = blocks.abs().mean((0, 1)).flatten()[1:]
    np.testing.assert_allclose(found[:63], np.log(spectrum.numpy() + 0.1), atol=1e-3)
    means = blocks[..., 0, 0].flatten().numpy() / 800
    np.testing.assert_allclose(found[63 : 63 + CELLS**2], means, atol=1e-3)


def test_colour_is_seen_in_the_chroma_cells_alone() -> None:
    grey = picture(64, 80, grey=True)
    shown = np.repeat(grey[..., None], 3, axis=2)
    plain, coloured = statistics_of(shown), statistics_of(shown)
    np.testing.assert_allclose(plain[:319], statistics_of(grey), atol=1e-3)
    tinted = shown.copy()
    tinted[..., 0] = np.minimum(tinted[..., 0], 200) + 40
    assert np.abs(statistics_of(tinted)[319:] - coloured[319:]).max() > 0.1


@given(height=st.integers(1, 70), width=st.integers(1, 70), grey=st.booleans())
def test_any_size_has_finite_statistics(height: int, width: int, grey: bool) -> None:
    found = statistics_of(picture(height, width, grey=grey))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_blocks_are_evenly_spaced_over_the_whole_image() -> None:
    pixels = np.zeros((160, 160), np.uint8)
    before = statistics_of(pixels)
    for corner in ((0, 0), (0, 152), (152, 0), (152, 152)):
        pixels[:] = 0
        pixels[corner[0] : corner[0] + 8, corner[1] : corner[1] + 8] = 255
        assert not np.array_equal(statistics_of(pixels), before)


def test_an_image_gets_the_ladder_of_the_nearest_centroid() -> None:
    ours = policy(ladders=6)
    for seed in range(8):
        seen = statistics_of(picture(40, 40, grey=True, seed=seed))
        standardised = torch.from_numpy((seen - ours.mean) / ours.deviation)
        distances = torch.cdist(standardised[None], torch.tensor(ours.centroids))
        assert ours.ladder(seen) == int(distances.argmin())


def test_what_is_predicted_is_a_layer_of_relu() -> None:
    ours = policy()
    seen = statistics_of(picture(40, 40, grey=True))
    layers = torch.nn.Sequential(
        torch.nn.Linear(len(seen), 5), torch.nn.ReLU(), torch.nn.Linear(5, 6)
    )
    for layer, weight, bias in (
        (layers[0], ours.hidden_weight, ours.hidden_bias),
        (layers[2], ours.output_weight, ours.output_bias),
    ):
        layer.weight.data, layer.bias.data = torch.tensor(weight.T), torch.tensor(bias)
    expected = layers(torch.from_numpy((seen - ours.mean) / ours.deviation)).exp().detach().numpy()
    divergence, size = ours.predicted(seen)
    np.testing.assert_allclose(np.concatenate([divergence, size]), expected, rtol=1e-4)


def test_the_price_of_a_bit_moves_the_choice_from_faithful_to_small() -> None:
    ours = policy(output_weight=np.zeros((5, 6)), output_bias=BIASES)
    pixels = picture(40, 40, grey=True)
    rungs = [ours.choice(pixels, slope)[1] for slope in (0, 4e-6, 1e-5, 1e-3)]
    costs = [np.exp(BIASES[:3]) + slope * 8 * np.exp(BIASES[3:]) for slope in (0, 4e-6, 1e-5, 1e-3)]
    assert rungs == [int(cost.argmin()) for cost in costs]
    assert (rungs[0], rungs[-1]) == (0, 2)
    assert len(set(rungs)) > 2


@pytest.mark.parametrize("rungs", [1, 3, 10])
def test_between_rungs_logarithms_are_interpolated(rungs: int) -> None:
    ours = policy(rungs=rungs)
    seen = statistics_of(picture(40, 40, grey=True))
    at = np.arange((rungs - 1) * 4 + 1) / 4
    for known, found in zip(ours.predicted(seen), ours.predicted(seen, 4), strict=True):
        assert found.shape == at.shape
        np.testing.assert_allclose(found, np.exp(np.interp(at, range(rungs), np.log(known))), 1e-5)


@given(positions=st.integers(1, 20), slope=st.floats(0, 1e-3), seed=st.integers(0, 3))
def test_finer_positions_never_cost_more_as_predicted(
    positions: int, slope: float, seed: int
) -> None:
    ours = policy(ladders=4, rungs=7)
    pixels = picture(40, 40, grey=True, seed=seed)

    def cost(positions: int) -> float:
        ladder, rung = ours.choice(pixels, slope, positions)
        assert ladder == ours.choice(pixels, slope)[0]
        assert 0 <= rung <= 6
        nats, size = ours.predicted(statistics_of(pixels), positions)
        return float((nats + slope * 8 * size)[round(rung * positions)])

    assert cost(positions) <= cost(1) * (1 + 1e-5)


def test_json_gives_the_same_choices() -> None:
    ours = policy(3, ladders=4, rungs=7)
    back = Policy.from_json(json.loads(json.dumps(ours.to_json())))
    assert (back.channels, back.ladders, back.rungs) == (3, 4, 7)
    assert Policy.from_json(back.to_json()).to_json() == back.to_json()
    for seed in range(6):
        pixels = picture(32, 48, seed=seed)
        assert back.choice(pixels, 1e-5) == ours.choice(pixels, 1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deviation": np.zeros(319)}, "deviation is not above 0"),
        ({"deviation": np.ones(5)}, "deviation has shape"),
        ({"mean": [1.0, float("nan")]}, "mean .* finite"),
        ({"mean": "many"}, "mean .* no array"),
        ({"mean": [10**400]}, "mean .* no array"),
        ({"centroids": np.zeros((0, 319))}, "at least one ladder"),
        ({"hidden_weight": np.zeros((319, 4))}, "hidden_weight has shape"),
        ({"output_bias": np.zeros(5), "output_weight": np.zeros((5, 5))}, "two outputs a rung"),
        (
            {
                "mean": np.zeros(7),
                "deviation": np.ones(7),
                "centroids": np.zeros((1, 7)),
                "hidden_weight": np.zeros((7, 5)),
            },
            "reads 7 statistics",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        policy(**changes)


def test_an_object_of_other_entries_is_no_policy() -> None:
    others: tuple[Any, ...] = ([], {}, policy().to_json() | {"more": 1})
    for value in others:
        with pytest.raises(ProfileError, match="a policy is an object with centroids"):
            Policy.from_json(value)


def test_multiplications_are_counted() -> None:
    ours = policy(ladders=2, rungs=3)
    products = 64 * (64 * 64 + 64 * 3) + 2 * 319 + 319 * 5 + 5 * 6
    assert ours.multiplications == products
