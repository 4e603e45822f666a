"""Kinds of images, their tables, and a policy that is fitted to what files did."""

import numpy as np
import pytest
import torch

from bandwise.errors import ConfigurationError
from bandwise.learning import (
    PolicyConfig,
    Problem,
    codebook_candidates,
    fisher_by_image,
    fisher_information,
    fit_policy,
    kinds_alone,
    kinds_of,
    sensitivity_candidates,
)
from bandwise.learning.codebook import KIND_IMAGES_MIN
from bandwise.policy import Floats, statistics_count

SIZE = statistics_count(1)


def statistics(images: int = 200, seed: int = 0) -> Floats:
    """Statistics of two kinds of images, far apart; the first says how hard an image is."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(images, SIZE))
    found[images // 2 :, 1:] += 6
    return found.astype(np.float32)


def test_kinds_are_what_is_near() -> None:
    kinds = kinds_of(statistics(), 2)
    assert sorted(np.bincount(kinds.members)) == [100, 100]
    assert len(set(kinds.members[:100])) == len(set(kinds.members[100:])) == 1
    np.testing.assert_allclose(kinds.mean, statistics().mean(0), rtol=1e-5)


def test_a_kind_of_few_images_is_given_up() -> None:
    found = statistics()
    found[:5] += 100
    kinds = kinds_of(found, 3)
    assert len(kinds.centroids) < 3
    assert np.bincount(kinds.members).min() >= KIND_IMAGES_MIN


def test_more_kinds_than_images_allow_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="codebook of 13 needs 16 images an entry"):
        kinds_of(statistics(), 13)
    with pytest.raises(ConfigurationError, match="codebook of 0"):
        kinds_of(statistics(), 0)


def test_sensitivity_by_image_has_the_mean_of_all(problem: Problem) -> None:
    each = fisher_by_image(problem)["luma"]
    assert each.shape == (24, 8, 8)
    assert each.dtype == torch.float64
    assert torch.allclose(each.mean(0), fisher_information(problem)["luma"])
    pair = Problem(network=problem.network, pixels_u8=problem.pixels_u8[:10], batch_size=10)
    torch.testing.assert_close(fisher_by_image(pair)["luma"], each[:10], rtol=1e-4, atol=1e-12)


def test_each_kind_has_the_tables_of_its_own_images(problem: Problem) -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(32, SIZE)).astype(np.float32)
    seen[::2] += 9
    images = problem.pixels_u8[torch.arange(32) % 24].clone()
    images[::2] = images[::2] // 4 + 96  # of an eighth of the rate
    problem = Problem(network=problem.network, pixels_u8=images)
    sensitivity = fisher_by_image(problem)
    kinds = kinds_of(seen, 2)
    ladders = list(codebook_candidates(problem, sensitivity, kinds, [1e-6, 1e-4]))
    assert [len(ladder) for ladder in ladders] == [2, 2]
    for kind, ladder in enumerate(ladders):
        members = torch.from_numpy(np.flatnonzero(kinds.members == kind))
        alone = Problem(network=problem.network, pixels_u8=images[members])
        own = {name: values[members].mean(0) for name, values in sensitivity.items()}
        expected = sensitivity_candidates(alone, [1e-6, 1e-4], sensitivity=own)
        assert [c.tables for c in ladder] == [c.tables for c in expected]
    assert ladders[0][0].tables != ladders[1][0].tables


def test_the_policy_predicts_the_mean_and_tells_the_hard_from_the_easy() -> None:
    seen = statistics(1200)
    rng = np.random.default_rng(1)
    mean = 0.01 * np.exp(seen[:, :1] * 0.8) * np.array([[1.0, 4.0]])
    divergence = torch.from_numpy(mean * rng.exponential(size=mean.shape))  # noisy, of that mean
    size_bytes = torch.from_numpy(900 * np.exp(0.2 * seen[:, :1]) * np.array([[1.0, 0.4]])).long()
    ours = fit_policy(
        seen, kinds_of(seen, 2), divergence, size_bytes, PolicyConfig(epochs=40, hidden=16)
    )
    assert (ours.ladders, ours.rungs) == (2, 2)
    fresh = statistics(300, seed=5)
    predicted = [ours.predicted(each) for each in fresh]
    nats = np.array([each[0] for each in predicted])
    sizes = np.array([each[1] for each in predicted])
    truth = 0.01 * np.exp(fresh[:, :1] * 0.8) * np.array([[1.0, 4.0]])
    assert np.corrcoef(np.log(nats[:, 0]), fresh[:, 0])[0, 1] > 0.7
    assert nats.mean(0) == pytest.approx(truth.mean(0), rel=0.3)
    assert np.median(sizes, 0) == pytest.approx([900, 360], rel=0.15)


def test_the_same_seed_gives_the_same_policy() -> None:
    seen = statistics(64)
    kinds = kinds_of(seen, 1)
    costs = torch.rand(64, 3), torch.full((64, 3), 500)
    quick, other = (PolicyConfig(epochs=2, hidden=4, seed=seed) for seed in (0, 1))
    state = torch.get_rng_state()
    first, second = (fit_policy(seen, kinds, *costs, quick).to_json() for _ in range(2))
    assert first == second
    assert fit_policy(seen, kinds, *costs, other).to_json() != first
    assert torch.equal(torch.get_rng_state(), state)


def test_kinds_alone_say_nothing_of_rungs() -> None:
    ours = kinds_alone(kinds_of(statistics(), 2), 5)
    divergence, size = ours.predicted(statistics()[0])
    assert (divergence.tolist(), size.tolist()) == ([1] * 5, [1] * 5)
    assert {ours.ladder(each) for each in statistics()} == {0, 1}
