"""Where tasks are done: in this process, on threads, in processes of this machine, on a cluster.

All are one seam, `Executor.map`: results in the order of the tasks, and never more than a few tasks
under way, so that neither tasks nor results pile up. Work for other processes has to be picklable.
A task may be done twice where a machine failed, so it has to be idempotent.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol, TypeVar, cast

from bandwise.errors import BandwiseError, ConfigurationError, WorkerError
from bandwise.results import available_cores

IN_FLIGHT_PER_WORKER = 4

_SECONDS_TO_END = 5
_GO_ON = "what is finished is kept, the same command with --resume goes on"

In = TypeVar("In")
Out = TypeVar("Out")

_Workers = dict[Connection, SpawnProcess]


@dataclass(frozen=True)
class _Failed:
    error: Exception


class Executor(Protocol):
    """Does tasks."""

    def map(self, work: Callable[[In], Out], tasks: Iterable[In]) -> Generator[Out]:
        """Results in order; closing the generator ends what is under way, and raises its errors."""
        ...


@dataclass(frozen=True)
class InProcess:
    """One task after the other."""

    def map(self, work: Callable[[In], Out], tasks: Iterable[In]) -> Generator[Out]:
        """Results in order."""
        for task in tasks:
            yield work(task)


@dataclass(frozen=True)
class Threads:
    """A pool of threads; tasks that have not begun when a run ends are left."""

    workers: int

    def map(self, work: Callable[[In], Out], tasks: Iterable[In]) -> Generator[Out]:
        """Results in order."""
        rest = iter(tasks)
        with ThreadPoolExecutor(self.workers) as pool:
            first = islice(rest, IN_FLIGHT_PER_WORKER * self.workers)
            pending: deque[Future[Out]] = deque(pool.submit(work, task) for task in first)
            try:
                while pending:
                    yield pending.popleft().result()
                    pending.extend(pool.submit(work, task) for task in islice(rest, 1))
            finally:
                for future in pending:
                    future.cancel()


@dataclass(frozen=True)
class Processes:
    """Processes of this machine, which end at once with the generator and with this process.

    Raises
    ------
    WorkerError
        When one of them dies.
    BandwiseError
        What a task raises.
    """

    workers: int

    def map(self, work: Callable[[In], Out], tasks: Iterable[In]) -> Generator[Out]:
        """Results in order."""
        rest = enumerate(tasks)
        finished: dict[int, Out] = {}
        awaited = sent = 0
        with _pool(work, self.workers) as workers:
            idle = deque(workers)
            while True:
                room = self.workers * IN_FLIGHT_PER_WORKER - (sent - awaited)
                for number, task in islice(rest, min(room, len(idle))):
                    _send(workers, idle.popleft(), (number, task))
                    sent += 1
                if awaited in finished:
                    yield finished.pop(awaited)
                    awaited += 1
                    continue
                busy = [each for each in workers if each not in idle]
                if not busy:
                    return
                for connection in cast(list[Connection], wait(busy)):
                    number, outcome = _receive(workers, connection)
                    finished[number] = _result(outcome)
                    idle.append(connection)


@dataclass(frozen=True)
class Ray:
    """Tasks on the Ray cluster at $RAY_ADDRESS, or on one that is started on this machine.

    Tasks whose machine fails are done again, a few times. The folders of sources and output have to
    be the same on all machines. `workers` is the number of tasks at once; None: one a processor.

    Raises
    ------
    ConfigurationError
        When Ray is not installed.
    WorkerError
        When a task's process dies again and again, or the cluster is lost.
    BandwiseError
        What a task raises.
    """

    workers: int | None = None

    def map(self, work: Callable[[In], Out], tasks: Iterable[In]) -> Generator[Out]:
        """Results in order."""
        try:
            import ray
        except ImportError as error:
            raise ConfigurationError(
                "--engine ray needs Ray; install bandwise[ray], or leave the engine out"
            ) from error
        started = not ray.is_initialized()
        if started:
            local = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": self.workers}
            ray.init(log_to_driver=False, logging_level="error", include_dashboard=False, **local)
        rest = enumerate(tasks)
        pending: dict[Any, int] = {}
        finished: dict[int, Out] = {}
        awaited = sent = 0
        try:
            shared = ray.put(work)
            one = ray.remote(num_cpus=1, max_retries=3)(_outcome)
            at_once = self.workers or 2 * int(ray.cluster_resources()["CPU"])
            while True:
                room = at_once * IN_FLIGHT_PER_WORKER - (sent - awaited)
                for number, task in islice(rest, min(room, at_once - len(pending))):
                    pending[one.remote(shared, task)] = number
                    sent += 1
                if awaited in finished:
                    yield finished.pop(awaited)
                    awaited += 1
                    continue
                if not pending:
                    return
                for reference in ray.wait(list(pending))[0]:
                    finished[pending.pop(reference)] = _result(ray.get(reference))
        except ray.exceptions.RayError as error:
            raise WorkerError(f"Ray lost a task ({error}); {_GO_ON}") from error
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)
            if started:
                ray.shutdown()


def executor_of(engine: str, workers: int | None) -> Executor:
    """Executor by name, "local" or "ray". `workers`: None for one a core.

    Raises `ConfigurationError` for another name, and for less than one worker.
    """
    check_workers(workers)
    if engine == "ray":
        return Ray(workers)
    if engine != "local":
        raise ConfigurationError(f"engine {engine!r}; choose local or ray")
    count = workers or available_cores()
    return InProcess() if count == 1 else Processes(count)


def check_workers(workers: int | None) -> None:
    """Raise `ConfigurationError` for less than one worker."""
    if workers is not None and workers < 1:
        raise ConfigurationError(f"workers is at least 1, got {workers}; leave it out: one a core")


@contextmanager
def _pool(work: Callable[..., Any], count: int) -> Iterator[_Workers]:
    context = get_context("spawn")
    workers: _Workers = {}
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, work), daemon=True)
            process.start()
            theirs.close()
            workers[ours] = process
        yield workers
    finally:
        for process in workers.values():
            process.terminate()
        for connection, process in workers.items():
            process.join(timeout=_SECONDS_TO_END)
            process.kill()
            process.join()
            connection.close()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """Body of a worker process: do tasks until there are no more, or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            number, task = connection.recv()
        except EOFError:
            return
        connection.send((number, _outcome(work, task)))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _outcome(work: Callable[[In], Out], task: In) -> Out | _Failed:
    """Result of a task or its error, since not every error can travel on its own."""
    # Pillow warns of oddities in metadata; the pixels are what counts.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return work(task)
        except BandwiseError as error:
            return _Failed(error)
        except MemoryError:
            return _Failed(WorkerError(f"a worker found no memory: try fewer --workers; {_GO_ON}"))
        except Exception:
            return _Failed(RuntimeError(traceback.format_exc()))


def _result(outcome: Any) -> Any:
    if isinstance(outcome, _Failed):
        raise outcome.error
    return outcome


def _send(workers: _Workers, connection: Connection, message: object) -> None:
    try:
        connection.send(message)
    except OSError as error:
        raise _death(workers[connection]) from error


def _receive(workers: _Workers, connection: Connection) -> tuple[int, Any]:
    try:
        number, outcome = connection.recv()
    except (EOFError, OSError) as error:
        raise _death(workers[connection]) from error
    return number, outcome


def _death(process: SpawnProcess) -> WorkerError:
    process.join(timeout=_SECONDS_TO_END)
    return WorkerError(
        f"a worker process ended with exit code {process.exitcode} (-9 often means out of memory: "
        f"try fewer --workers); {_GO_ON}"
    )
