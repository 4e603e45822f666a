import numpy as np
import pytest

from bandwise.statistics.bootstrap import RESAMPLES, bootstrap, resampled_means


def test_the_interval_of_a_share_is_the_binomial_one() -> None:
    hits = np.repeat([1.0, 0.0], [300, 100])
    (interval,) = bootstrap(hits[:, None], lambda means: [means[..., 0]])
    half_width = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert interval.value == 0.75
    assert interval.low == pytest.approx(0.75 - half_width, abs=0.004)
    assert interval.high == pytest.approx(0.75 + half_width, abs=0.004)


def test_columns_are_resampled_together() -> None:
    values = np.random.default_rng(1).random(50)
    means = resampled_means(np.stack([values, 2 * values + 1], axis=1))
    assert means.shape == (RESAMPLES, 2)
    np.testing.assert_allclose(means[:, 1], 2 * means[:, 0] + 1)
    assert means[:, 0].std() > 0


def test_calls_see_the_same_resamples_whatever_the_columns() -> None:
    values = np.random.default_rng(1).random((7, 3))
    alone = resampled_means(values[:, :1])
    np.testing.assert_allclose(resampled_means(values)[:, :1], alone, rtol=1e-12)
