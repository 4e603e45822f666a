"""Run the jobs of a recipe in worker processes.

Every worker is one process with one thread: runs are independent, so two of them side by side use
two cores better than one run with two threads, and a run's numbers do not depend on how many cores
there are.
"""

from __future__ import annotations

import functools
import os
import queue
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from typing import Any, Generic, TypeVar

import torch

from bandwise.errors import BandwiseError, ConfigurationError

ALLOCATOR = {
    # glibc gives large blocks back to the system and takes them again, page by page, in every
    # step; a worker keeps them. Other allocators ignore these.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_TOP_PAD_": "67108864",
}

Job = TypeVar("Job")
Tell = Callable[[Any], None]

Task = Callable[[Job, Tell], Any]
"""Does a job and returns its result; tells of it meanwhile. Has to be picklable; every worker has
its own copy, which may keep what the next job needs again."""


@dataclass(frozen=True)
class Event(Generic[Job]):
    """What a worker says of a job: None when it starts, its result when it is ``done``."""

    job: Job
    body: Any = None
    done: bool = False


def work_through(task: Task[Job], jobs: Sequence[Job], *, workers: int) -> Generator[Event[Job]]:
    """Do all jobs, in their order as far as workers are free, and yield what is heard of them.

    Workers end with the generator: close it where it is left early (`contextlib.closing`).

    Raises
    ------
    ConfigurationError
        For fewer than one worker.
    BandwiseError
        What a job raises, or if a worker dies; the others are stopped.
    """
    if workers < 1:
        raise ConfigurationError(f"at least one worker is needed, got {workers}")
    if not jobs:
        return
    with _pool(task, jobs, min(workers, len(jobs))) as (processes, events):
        unfinished = len(jobs)
        while unfinished:
            try:
                event = events.get(timeout=1.0)
            except queue.Empty:
                _check_alive(processes, unfinished)
                continue
            if isinstance(event, BandwiseError):
                raise event
            unfinished -= event.done
            yield event


def _work(task: Task[Any], todo: Queue[Any], events: Queue[Any]) -> None:
    """Body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    for job in iter(todo.get, None):
        events.put(Event(job))
        try:
            result = task(job, functools.partial(_tell, events, job))
            events.put(Event(job, result, done=True))
        except BandwiseError as error:
            events.put(error)
            return


def _tell(events: Queue[Any], job: Any, news: Any) -> None:
    events.put(Event(job, news))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _pool(
    task: Task[Job], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[list[SpawnProcess], Queue[Any]]]:
    context = get_context("spawn")
    todo: Queue[Any] = context.Queue()
    events: Queue[Any] = context.Queue()
    for job in [*jobs, *[None] * workers]:
        todo.put(job)
    processes = [context.Process(target=_work, args=(task, todo, events)) for _ in range(workers)]
    with _environment(ALLOCATOR):
        for process in processes:
            process.start()
    try:
        yield processes, events
    finally:
        for process in processes:
            process.join(timeout=2)
            process.terminate()
            process.join()
        for channel in (todo, events):
            channel.cancel_join_thread()
            channel.close()


def _check_alive(processes: Sequence[SpawnProcess], unfinished: int) -> None:
    dead = [process for process in processes if process.exitcode not in (None, 0)]
    if dead:
        raise BandwiseError(
            f"a worker process ended with exit code {dead[0].exitcode} "
            f"({unfinished} runs unfinished; -9 often means out of memory); "
            "finished epochs are kept, run the same command again to resume"
        )


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: value for name, value in values.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
