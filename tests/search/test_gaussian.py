import numpy as np

from bandwise.search.gaussian import Gaussian


def samples(count: int, size: int = 6, factors: int = 2) -> np.ndarray:
    generator = np.random.default_rng(0)
    loadings = generator.normal(size=(factors, size))
    noise = 0.3 * generator.normal(size=(count, size))
    return 5 + generator.normal(size=(count, factors)) @ loadings + noise


def test_conditional_is_that_of_the_joint_normal_distribution() -> None:
    fitted = Gaussian.fit(samples(500), rank=2)
    noise = np.clip(1 - np.square(fitted.loadings).sum(1), 0.02, None)
    scale = np.diag(fitted.deviation)
    joint = scale @ (fitted.loadings @ fitted.loadings.T + np.diag(noise)) @ scale
    known, rest = [0, 3], [1, 2, 4, 5]
    values = fitted.mean[known] + [0.7, -1.1]
    gain = joint[np.ix_(rest, known)] @ np.linalg.inv(joint[np.ix_(known, known)])
    expected = fitted.mean[rest] + gain @ (values - fitted.mean[known])
    covariance = joint[np.ix_(rest, rest)] - gain @ joint[np.ix_(known, rest)]
    mean, deviation = fitted.given(known, list(values))
    assert np.allclose(mean[rest], expected)
    assert np.allclose(deviation[rest], np.sqrt(np.diag(covariance)))


def test_looks_make_the_rest_better_known() -> None:
    data = samples(600)
    fitted, held_out = Gaussian.fit(data[:500], rank=2), data[500:]
    mean, deviation = zip(*(fitted.given([0, 1], list(row[:2])) for row in held_out), strict=True)
    error = np.abs(np.array(mean)[:, 2:] - held_out[:, 2:]).mean()
    assert error < 0.8 * np.abs(held_out[:, 2:] - fitted.mean[2:]).mean()
    score = (np.array(mean)[:, 2:] - held_out[:, 2:]) / np.array(deviation)[:, 2:]
    assert 0.8 < score.std() < 1.25
