"""Every executor does the same: results in order, bounded, errors as they are, no worker left."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bandwise.errors import ConfigurationError, CorruptDataError, WorkerError
from bandwise.executors import (
    IN_FLIGHT_PER_WORKER,
    Executor,
    InProcess,
    Processes,
    Ray,
    Threads,
    executor_of,
    prepare_torch_worker,
    report,
)
from bandwise.progress import Progress


def slow_square(number: int) -> int:
    time.sleep(0.02 if number % 3 == 0 else 0)
    return number * number


def failing(number: int) -> int:
    if number == 3:
        raise CorruptDataError(f"number {number} is bad")
    return number


def broken(number: int) -> int:
    return number // 0


def pid_of(number: int) -> int:
    return os.getpid()


def killed(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def half_way(number: int) -> int:
    report(Progress(stage=f"task {number}", done=1, total=2))
    return number


def torch_threads(number: int) -> int:
    import torch  # here, since every process imports this module

    return torch.get_num_threads()


def noted(task: tuple[Path, float]) -> None:
    path, seconds = task
    path.write_text(str(os.getpid()))
    time.sleep(seconds)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_come_in_order(executor: Executor) -> None:
    assert list(executor.map(slow_square, range(30))) == [number**2 for number in range(30)]
    assert list(executor.map(slow_square, [])) == []


def test_tasks_are_taken_as_they_are_needed(executor: Executor) -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with closing(executor.map(slow_square, tasks())) as results:
        for expected in range(5):
            assert next(results) == expected**2
    assert len(taken) <= 5 + 2 * IN_FLIGHT_PER_WORKER


def test_an_error_arrives_as_it_is(executor: Executor) -> None:
    with pytest.raises(CorruptDataError, match="number 3 is bad"):
        list(executor.map(failing, range(9)))


def test_an_error_that_nobody_foresaw_says_where_it_was(executor: Executor) -> None:
    with pytest.raises((RuntimeError, ZeroDivisionError), match=r"division|modulo"):
        list(executor.map(broken, range(9)))


def test_processes_are_others_and_as_many_as_asked_for() -> None:
    pids = set(Processes(2).map(pid_of, range(50)))
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


def test_a_worker_that_dies_is_an_error_that_says_how_to_go_on(elsewhere: Executor) -> None:
    with pytest.raises(WorkerError, match=r"(?s)(exit code -9|Ray lost a task).*resume"):
        list(elsewhere.map(killed, range(9)))


@pytest.mark.parametrize("executor", [InProcess(), Threads(2), Processes(2)], ids=str)
def test_what_tasks_report_arrives_in_the_thread_that_started_them(executor: Executor) -> None:
    received: list[tuple[str, int]] = []

    def receive(progress: Progress) -> None:
        received.append((progress.stage, threading.get_ident()))

    assert list(executor.map(half_way, range(20), progress=receive)) == list(range(20))
    here = threading.get_ident()
    assert sorted(received) == sorted((f"task {number}", here) for number in range(20))
    report(Progress(stage="outside", done=1, total=1))
    assert len(received) == 20


def test_processes_are_prepared_by_their_initializer() -> None:
    workers = Processes(1, initializer=prepare_torch_worker)
    assert list(workers.map(torch_threads, [0])) == [1]


def test_no_more_processes_are_started_than_there_are_tasks() -> None:
    with closing(Processes(4).map(pid_of, [0])) as results:
        next(results)
        assert len(multiprocessing.active_children()) == 1
    assert multiprocessing.active_children() == []


def test_closing_ends_what_is_under_way(elsewhere: Executor, tmp_path: Path) -> None:
    tasks = [(tmp_path / "quick", 0), (tmp_path / "slow", 600)]
    results = elsewhere.map(noted, tasks)
    next(results)
    while not (tmp_path / "slow").exists() or not (tmp_path / "slow").read_text():
        time.sleep(0.01)
    pid = int((tmp_path / "slow").read_text())
    assert is_alive(pid)
    results.close()
    for _ in range(3000):  # Ray ends it a moment later
        if not is_alive(pid):
            return
        time.sleep(0.01)
    pytest.fail("the worker is still alive")


def test_executors_by_name() -> None:
    assert executor_of("local", 1) == InProcess()
    assert executor_of("local", 3) == Processes(3)
    assert executor_of("threads", 1) == Threads(1)
    assert executor_of("ray", None) == Ray(None)
    for engine, workers, message in (
        ("local", 0, "workers is at least 1"),
        ("ray", -1, "workers is at least 1"),
        ("spark", None, "choose local, threads or ray"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            executor_of(engine, workers)
