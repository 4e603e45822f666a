"""Jobs in worker processes: everything is heard, and an error of one is one error here."""

import multiprocessing
import os
from typing import Any

import pytest
import torch

from bandwise.errors import BandwiseError, ConfigurationError, JpegError
from bandwise.recipes.pool import ALLOCATOR, Event, Tell, work_through

UNSET, SET = list(ALLOCATOR)[:2]
SURROUNDINGS = (1, ALLOCATOR[UNSET], "99")
"""Threads of a worker, and settings of the allocator that the user has not made, and has."""


class Counting:
    """Says half of a number, then gives its square, how many it has done, and surroundings."""

    def __init__(self) -> None:
        self.jobs = 0

    def __call__(self, job: int, tell: Tell) -> tuple[Any, ...]:
        tell(job / 2)
        self.jobs += 1
        surroundings = (torch.get_num_threads(), os.environ.get(UNSET), os.environ.get(SET))
        return job**2, self.jobs, surroundings


def failing(job: int, tell: Tell) -> int:
    if job == 2:
        raise JpegError("item 2 is damaged")
    if job == 3:
        os._exit(7)
    return job


def heard(task: Any, jobs: list[Any], *, workers: int) -> list[Event[Any]]:
    events = list(work_through(task, jobs, workers=workers))
    assert multiprocessing.active_children() == []
    return events


def test_one_worker_does_jobs_in_order_with_one_copy_of_the_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(UNSET, raising=False)
    monkeypatch.setenv(SET, "99")
    task = Counting()
    assert heard(task, [3, 5], workers=1) == [
        Event(3),
        Event(3, 1.5),
        Event(3, (9, 1, SURROUNDINGS), done=True),
        Event(5),
        Event(5, 2.5),
        Event(5, (25, 2, SURROUNDINGS), done=True),
    ]
    assert task.jobs == 0
    assert (os.environ.get(UNSET), os.environ[SET]) == (None, "99")


def test_several_workers_do_each_job_once() -> None:
    events = heard(Counting(), [1, 2, 3, 4, 5], workers=2)
    assert sorted(event.body[0] for event in events if event.done) == [1, 4, 9, 16, 25]
    for job in range(1, 6):
        bodies = [event.body for event in events if event.job == job]
        assert bodies[:2] == [None, job / 2]
        assert len(bodies) == 3


@pytest.mark.parametrize(
    ("jobs", "error", "message"),
    [
        ([1, 2, 1], JpegError, "^item 2 is damaged$"),
        ([3], BandwiseError, r"exit code 7 \(1 runs unfinished.*run the same command again"),
    ],
)
def test_an_error_of_a_worker_is_raised_here(
    jobs: list[int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        list(work_through(failing, jobs, workers=1))
    assert "\n" not in str(caught.value)
    assert multiprocessing.active_children() == []


def test_who_stops_listening_stops_the_workers() -> None:
    events = work_through(Counting(), list(range(100_000)), workers=1)
    next(events)
    assert len(multiprocessing.active_children()) == 1
    events.close()
    assert multiprocessing.active_children() == []


def test_nothing_is_started_for_nothing() -> None:
    assert heard(Counting(), [], workers=4) == []
    with pytest.raises(ConfigurationError, match="at least one worker is needed, got 0"):
        heard(Counting(), [1], workers=0)
