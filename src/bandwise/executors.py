"""Where tasks are done: in this process, on threads, in processes of this machine, on a cluster.

    for result in Processes(8).map(work, tasks, progress=show):
        ...

All are one seam, `Executor.map`: results in the order of the tasks, and never more than a few tasks
under way, so that neither tasks nor results pile up. Work for other processes has to be picklable.
A task may be done twice where a machine failed, so it has to be idempotent. Work that takes long
calls `report`, which reaches the `progress` of whoever started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar, cast

from bandwise.errors import BandwiseError, ConfigurationError, WorkerError
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.system import available_cores

IN_FLIGHT_PER_WORKER = 4

ALLOCATOR = {
    # glibc gives large blocks back to the system and takes them again, page by page, in every
    # step of a training; a worker keeps them. Other allocators ignore these.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_TOP_PAD_": "67108864",
}
"""Environment for workers that train networks."""

_SECONDS_TO_END = 5
_GO_ON = "what is finished is kept; resume the run"

In = TypeVar("In")
Out = TypeVar("Out")

_Message = tuple[int, Any]
"""Number of a task, and its `Progress` or outcome."""

_progress: ContextVar[ProgressCallback] = ContextVar("_progress", default=ignore_progress)


@dataclass(frozen=True)
class _Failed:
    error: Exception


class Executor(Protocol):
    """Does tasks."""

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order; closing the generator ends what is under way, and raises its errors."""
        ...


def report(progress: Progress) -> None:
    """Report progress from within a task, to the `progress` that `Executor.map` was given.

    Outside of a task, and on Ray, nobody receives it.
    """
    _progress.get()(progress)


def use_one_torch_thread() -> None:
    """Start workers of PyTorch so: as many processes as cores are faster than threads in one."""
    import torch

    torch.set_num_threads(1)


def training_workers(workers: int) -> Processes:
    """Processes of one thread each, so that numbers do not depend on how many there are.

    Raises `ConfigurationError` for less than one worker.
    """
    check_workers(workers)
    return Processes(workers, environment=ALLOCATOR, initializer=use_one_torch_thread)


@dataclass(frozen=True)
class InProcess:
    """One task after the other."""

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order."""
        for task in tasks:
            with _reporting_to(progress):
                result = work(task)
            yield result


@dataclass(frozen=True)
class Threads:
    """A pool of threads; tasks that have not begun when a run ends are left."""

    workers: int

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order."""
        messages = SimpleQueue[_Message]()
        pool = ThreadPoolExecutor(self.workers)

        def do(number: int, task: In) -> None:
            outcome: Any = _Failed(WorkerError(f"a thread ended within a task; {_GO_ON}"))
            try:
                outcome = _outcome(work, task, lambda now: messages.put((number, now)))
            finally:
                messages.put((number, outcome))

        try:
            yield from _in_order(
                tasks,
                submit=lambda number, task: pool.submit(do, number, task),
                receive=lambda: [messages.get()],
                room=lambda running: self.workers * IN_FLIGHT_PER_WORKER - running,
                in_flight=self.workers * IN_FLIGHT_PER_WORKER,
                progress=progress,
            )
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Processes:
    """Processes of this machine, which end at once with the generator and with this process.

    They are started as tasks need them, with variables of `environment` that are not set already,
    and each calls `initializer` first, which has to be picklable.

    Raises
    ------
    WorkerError
        When one of them dies.
    BandwiseError
        What a task raises.
    """

    workers: int
    environment: Mapping[str, str] = field(default_factory=dict)
    initializer: Callable[[], object] | None = None

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order."""
        with _Pool(self, work) as pool:
            yield from _in_order(
                tasks,
                submit=pool.submit,
                receive=pool.receive,
                room=lambda running: self.workers - running,
                in_flight=self.workers * IN_FLIGHT_PER_WORKER,
                progress=progress,
            )


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

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order; what tasks report is lost."""
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
        pending: dict[Any, int] = {}
        try:
            shared = ray.put(work)
            one = ray.remote(num_cpus=1, max_retries=3)(_outcome_on_ray)
            at_once = self.workers or 2 * int(ray.cluster_resources()["CPU"])

            def receive() -> list[_Message]:
                ready, _ = ray.wait(list(pending))
                return [(pending.pop(each), ray.get(each)) for each in ready]

            yield from _in_order(
                tasks,
                submit=lambda number, task: pending.update({one.remote(shared, task): number}),
                receive=receive,
                room=lambda running: at_once - running,
                in_flight=at_once * IN_FLIGHT_PER_WORKER,
                progress=progress,
            )
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


def _in_order(
    tasks: Iterable[Any],
    *,
    submit: Callable[[int, Any], object],
    receive: Callable[[], Iterable[_Message]],
    room: Callable[[int], int],
    in_flight: int,
    progress: ProgressCallback,
) -> Generator[Any]:
    """Results in the order of tasks, of which `in_flight` are done or under way ahead of it.

    `room` says how many more tasks can be submitted beside those that are running.
    """
    rest = enumerate(tasks)
    finished: dict[int, Any] = {}
    awaited = sent = running = 0
    while True:
        for number, task in islice(rest, min(in_flight - (sent - awaited), room(running))):
            submit(number, task)
            sent, running = sent + 1, running + 1
        if awaited in finished:
            yield finished.pop(awaited)
            awaited += 1
            continue
        if not running:
            return
        for number, message in receive():
            if isinstance(message, Progress):
                progress(message)
                continue
            if isinstance(message, _Failed):
                raise message.error
            finished[number] = message
            running -= 1


class _Pool:
    """Worker processes of one `map`."""

    def __init__(self, settings: Processes, work: Callable[..., Any]) -> None:
        self._settings = settings
        self._work = work
        self._context = get_context("spawn")
        self._workers: dict[Connection, SpawnProcess] = {}
        self._idle: deque[Connection] = deque()

    def submit(self, number: int, task: object) -> None:
        if not self._idle:
            self._idle.append(self._start())
        connection = self._idle.popleft()
        try:
            connection.send((number, task))
        except OSError as error:
            raise self._death(connection) from error

    def receive(self) -> Iterator[_Message]:
        busy = [each for each in self._workers if each not in self._idle]
        for connection in cast(list[Connection], wait(busy)):
            try:
                number, message = connection.recv()
            except (EOFError, OSError) as error:
                raise self._death(connection) from error
            if not isinstance(message, Progress):
                self._idle.append(connection)
            yield number, message

    def _start(self) -> Connection:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._work, self._settings.initializer), daemon=True
        )
        with _environment(self._settings.environment):
            process.start()
        theirs.close()
        self._workers[ours] = process
        return ours

    def _death(self, connection: Connection) -> WorkerError:
        process = self._workers[connection]
        process.join(timeout=_SECONDS_TO_END)
        return WorkerError(
            f"a worker process ended with exit code {process.exitcode} (-9 often means out of "
            f"memory: try fewer --workers); {_GO_ON}"
        )

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._workers.values():
            process.terminate()
        for connection, process in self._workers.items():
            process.join(timeout=_SECONDS_TO_END)
            process.kill()
            process.join()
            connection.close()


def _serve(
    connection: Connection,
    work: Callable[[Any], Any],
    initializer: Callable[[], object] | None,
) -> None:
    """Body of a worker process: do tasks until there are no more, or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # Pillow's, of oddities in metadata; the pixels are what counts
    if initializer is not None:
        initializer()
    while True:
        try:
            number, task = connection.recv()
        except EOFError:
            return
        reply = _sender(connection, number)
        reply(_outcome(work, task, reply))


def _sender(connection: Connection, number: int) -> Callable[[object], None]:
    return lambda message: connection.send((number, message))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _outcome(
    work: Callable[[In], Out], task: In, progress: ProgressCallback = ignore_progress
) -> Out | _Failed:
    """Result of a task or its error, since not every error can travel on its own."""
    try:
        with _reporting_to(progress):
            return work(task)
    except BandwiseError as error:
        return _Failed(error)
    except MemoryError:
        return _Failed(WorkerError(f"a worker found no memory: try fewer --workers; {_GO_ON}"))
    except Exception:
        return _Failed(RuntimeError(traceback.format_exc()))


def _outcome_on_ray(work: Callable[[In], Out], task: In) -> Out | _Failed:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _outcome(work, task)


@contextmanager
def _reporting_to(progress: ProgressCallback) -> Iterator[None]:
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that are not set, and take them away again."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
