from dataclasses import replace

import torch

from bandwise.learning import GradientConfig, Problem, gradient_candidates, sensitivity_candidates
from bandwise.learning.gradient import descend, objective
from bandwise.tables import TableSet, flat
from tests.learning.conftest import READ

CONFIG = GradientConfig(steps=60, batch_size=12, learning_rate=0.05)
EVERY = torch.arange(24)


def test_descent_saves_bits_where_the_network_does_not_look(problem: Problem) -> None:
    (start,) = sensitivity_candidates(problem, [1e-5])
    start = replace(start, tables=TableSet(luma=flat(20)))
    tables = descend(problem, start, CONFIG)
    before = objective(problem, start.tables, start.slope, EVERY)
    assert objective(problem, tables, start.slope, EVERY) < 0.9 * before
    steps = tables.luma.array
    assert steps.mean() > 30
    assert steps[READ] < 0.5 * steps.mean()


def test_a_start_that_cannot_be_beaten_is_kept(problem: Problem) -> None:
    (start,) = sensitivity_candidates(problem, [1e-4])
    wild = GradientConfig(steps=3, batch_size=12, learning_rate=3.0)
    (candidate,) = gradient_candidates(problem, [start], wild)
    assert candidate.tables == start.tables
    assert candidate.family == "gradient"


def test_candidates_are_never_worse_than_their_start_on_images_kept_aside(
    problem: Problem,
) -> None:
    starts = list(sensitivity_candidates(problem, [1e-5, 1e-4]))
    found = list(gradient_candidates(problem, starts, CONFIG))
    generator = torch.Generator().manual_seed(CONFIG.seed)
    aside = torch.randperm(24, generator=generator)[:6]
    for start, candidate in zip(starts, found, strict=True):
        ours = objective(problem, candidate.tables, start.slope, aside)
        assert ours <= objective(problem, start.tables, start.slope, aside)
        assert candidate.slope == start.slope


def test_progress_reaches_all_steps(problem: Problem) -> None:
    heard: list[tuple[str, int, int]] = []
    starts = list(sensitivity_candidates(problem, [1e-5, 1e-4]))
    config = replace(CONFIG, steps=3)
    list(gradient_candidates(problem, starts, config, listener=lambda *w: heard.append(w)))
    assert heard == [("descending", step, 6) for step in range(1, 7)]
