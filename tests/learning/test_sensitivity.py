import pytest
import torch

from bandwise.learning.sensitivity import (
    SensitivityInput,
    fisher_information,
    sensitivity_candidates,
)
from bandwise.progress import Progress
from tests.learning.conftest import READ, OneFrequency


def test_only_what_is_read_is_important(problem: SensitivityInput) -> None:
    (importance,) = fisher_information(problem).values()
    assert importance.shape == (8, 8)
    assert float(importance[READ]) > 0
    others = importance.clone()
    others[READ] = 0
    assert float(others.max()) < 1e-6 * float(importance[READ])


def test_information_is_the_curvature_of_the_divergence(problem: SensitivityInput) -> None:
    # Two logits ±m/400 of the mean m over 16 blocks: F about one block's coefficient is
    # (2/400/16)² p(1 - p), where p depends on the image.
    network = OneFrequency(scale=400)
    p = torch.softmax(network(problem.pixels_u8.float() / 255), 1)[:, 0]
    expected = float(((2 / 400 / 16) ** 2 * p * (1 - p)).mean())
    many = SensitivityInput(network=network, pixels_u8=problem.pixels_u8.repeat(20, 1, 1, 1))
    assert float(fisher_information(many)["luma"][READ]) == pytest.approx(expected, rel=0.05)


def test_a_dearer_bit_gives_smaller_files_and_keeps_what_is_read(problem: SensitivityInput) -> None:
    candidates = list(sensitivity_candidates(problem, [1e-6, 1e-5, 1e-4]))
    curve = problem.rates["luma"].bits
    bits = [
        float(curve.gather(1, torch.tensor(c.tables.luma.values)[:, None] - 1).sum())
        for c in candidates
    ]
    assert bits == sorted(bits, reverse=True)
    assert len(set(bits)) == 3
    steps = candidates[0].tables.luma.array
    assert steps[READ] == steps.min()
    assert steps[READ] < 64
    assert candidates[0].tables.chroma is None
    assert [c.label for c in candidates] == ["1e-06", "1e-05", "0.0001"]


def test_colour_gets_two_tables(colour_problem: SensitivityInput) -> None:
    assert colour_problem.components == ("luma", "cb", "cr")
    (candidate,) = sensitivity_candidates(colour_problem, [1e-6])
    assert candidate.tables.chroma is not None
    assert set(candidate.sensitivity) == {"luma", "cb", "cr"}


def test_the_same_seed_gives_the_same_tables(problem: SensitivityInput) -> None:
    first, second = (next(sensitivity_candidates(problem, [1e-5])) for _ in range(2))
    assert first.tables == second.tables


def test_progress_reaches_all_images(problem: SensitivityInput) -> None:
    reported: list[Progress] = []
    fisher_information(problem, progress=reported.append)
    assert [(each.done, each.total) for each in reported] == [(10, 24), (20, 24), (24, 24)]
