from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import entropy

from bandwise.search.answers import Keep, features

scores = arrays(np.float32, 5, elements=st.floats(-20, 20, width=32))


def of(rows: Any) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


@given(scores, scores)
def test_divergence_is_the_relative_entropy(clean: np.ndarray, seen: np.ndarray) -> None:
    expected = entropy(softmax(clean.astype(float)), softmax(seen.astype(float)))
    assert Keep().distances(clean, seen[None])[0] == pytest.approx(expected, abs=1e-6)


@given(scores)
def test_the_same_answer_has_no_distance(clean: np.ndarray) -> None:
    for keep in (Keep(), Keep(kind="decision")):
        assert keep.distances(clean, clean[None])[0] == pytest.approx(0, abs=1e-6)


@given(scores, scores)
def test_within_the_limit_of_a_decision_the_class_stays(
    clean: np.ndarray, seen: np.ndarray
) -> None:
    keep = Keep(kind="decision", tolerance=0.1)
    first, second = np.sort(clean)[::-1][:2]
    if first - second > 1e-3 and keep.distances(clean, seen[None])[0] <= keep.limit(clean):
        assert seen.argmax() == clean.argmax()


def test_a_sure_decision_may_lose_all_but_the_margin() -> None:
    keep, clean = Keep(kind="decision", tolerance=0.5), of([4, 0, -1])
    assert keep.distances(clean, of([[0.51, 0, -9]]))[0] < keep.limit(clean)
    assert keep.distances(clean, of([[0.49, 0, -9]]))[0] > keep.limit(clean)
    assert keep.distances(clean, of([[0, 1, -9]]))[0] > 1


def test_features_of_a_sure_and_of_an_unsure_answer() -> None:
    sure, unsure = features(of([20, 0, 0, 0])), features(of([0, 0, 0, 0]))
    assert sure[0] < unsure[0]
    assert unsure[1] == pytest.approx(np.log(4))
    assert (sure[2], unsure[2]) == (pytest.approx(20), pytest.approx(0))
