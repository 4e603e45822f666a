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
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar, cast

from bandwise.errors import BandwiseError, ConfigurationError, WorkerError
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.system import available_cores, keep_freed_memory

IN_FLIGHT_PER_WORKER = 4

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


@dataclass(frozen=True)
class _Workers:
    """What does tasks: `submit` starts one of `at_once`, `receive` waits for what they send."""

    submit: Callable[[int, Any], object]
    receive: Callable[[], Iterable[_Message]]
    at_once: int
    in_flight: int


class Executor(Protocol):
    """Does tasks."""

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order; closing the generator ends what is under way.

        Raises what a task raises, and `WorkerError` when a process that does tasks dies.
        """
        ...


class _Pooled(Executor):
    """Does tasks by workers that last as long as `map`.

    Raises `ConfigurationError` for less than one of them.
    """

    workers: Any

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ConfigurationError(
                f"workers is at least 1, got {self.workers}; leave it out: one a core"
            )

    def map(
        self,
        work: Callable[[In], Out],
        tasks: Iterable[In],
        *,
        progress: ProgressCallback = ignore_progress,
    ) -> Generator[Out]:
        """Results in order."""
        with self._open(work) as workers:
            yield from _in_order(workers, tasks, progress)

    @abstractmethod
    def _open(self, work: Callable[[Any], Any]) -> AbstractContextManager[_Workers]:
        """Start workers, and end them."""


def report(progress: Progress) -> None:
    """Report progress from within a task, to the `progress` that `Executor.map` was given.

    Outside of a task, and on Ray, nobody receives it.
    """
    _progress.get()(progress)


def prepare_torch_worker() -> None:
    """Give PyTorch one thread: as many processes as cores are faster than threads in one."""
    import torch

    torch.set_num_threads(1)
    keep_freed_memory()


def training_workers(workers: int) -> Processes:
    """Processes of one thread each, so that numbers do not depend on how many there are.

    Raises `ConfigurationError` for less than one worker.
    """
    return Processes(workers, initializer=prepare_torch_worker)


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
class Threads(_Pooled):
    """A pool of threads; tasks that have not begun when a run ends are left."""

    workers: int

    @contextmanager
    def _open(self, work: Callable[[Any], Any]) -> Iterator[_Workers]:
        messages = SimpleQueue[_Message]()
        pool = ThreadPoolExecutor(self.workers)

        def do(number: int, task: object) -> None:
            outcome: Any = _Failed(WorkerError(f"a thread ended within a task; {_GO_ON}"))
            try:
                outcome = _outcome(work, task, lambda now: messages.put((number, now)))
            finally:
                messages.put((number, outcome))

        at_once = self.workers * IN_FLIGHT_PER_WORKER
        try:
            yield _Workers(
                submit=lambda number, task: pool.submit(do, number, task),
                receive=lambda: [messages.get()],
                at_once=at_once,
                in_flight=at_once,
            )
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Processes(_Pooled):
    """Processes of this machine, which end at once with the generator and with this process.

    They are started as tasks need them, and each calls `initializer` first, which has to be
    picklable.
    """

    workers: int
    initializer: Callable[[], object] | None = None

    @contextmanager
    def _open(self, work: Callable[[Any], Any]) -> Iterator[_Workers]:
        context = get_context("spawn")
        processes: dict[Connection, SpawnProcess] = {}
        idle: deque[Connection] = deque()

        def start() -> Connection:
            ours, theirs = context.Pipe()
            arguments = (theirs, work, self.initializer)
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            theirs.close()
            processes[ours] = process
            return ours

        def submit(number: int, task: object) -> None:
            connection = idle.popleft() if idle else start()
            try:
                connection.send((number, task))
            except OSError as error:
                raise _death(processes[connection]) from error

        def receive() -> Iterator[_Message]:
            for connection in cast(list[Connection], wait(set(processes) - set(idle))):
                try:
                    number, message = connection.recv()
                except (EOFError, OSError) as error:
                    raise _death(processes[connection]) from error
                if not isinstance(message, Progress):
                    idle.append(connection)
                yield number, message

        try:
            in_flight = self.workers * IN_FLIGHT_PER_WORKER
            yield _Workers(submit, receive, at_once=self.workers, in_flight=in_flight)
        finally:
            for process in processes.values():
                process.terminate()
            for connection, process in processes.items():
                process.join(timeout=_SECONDS_TO_END)
                process.kill()
                process.join()
                connection.close()


@dataclass(frozen=True)
class Ray(_Pooled):
    """Tasks on the Ray cluster at $RAY_ADDRESS, or on one that is started on this machine.

    Tasks whose machine fails are done again, a few times. The folders of sources and output have to
    be the same on all machines. `workers` is the number of tasks at once; None: one a processor.
    What tasks report is lost. Raises `ConfigurationError` when Ray is not installed.
    """

    workers: int | None = None

    @contextmanager
    def _open(self, work: Callable[[Any], Any]) -> Iterator[_Workers]:
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

            yield _Workers(
                submit=lambda number, task: pending.update({one.remote(shared, task): number}),
                receive=receive,
                at_once=at_once,
                in_flight=at_once * IN_FLIGHT_PER_WORKER,
            )
        except ray.exceptions.RayError as error:
            raise WorkerError(f"Ray lost a task ({error}); {_GO_ON}") from error
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)
            if started:
                ray.shutdown()


def executor_of(engine: str, workers: int | None) -> Executor:
    """Executor by name: "local" (processes), "threads" or "ray". `workers`: None for one a core.

    Raises `ConfigurationError` for another name, and for less than one worker.
    """
    if engine == "ray":
        return Ray(workers)
    if engine not in ("local", "threads"):
        raise ConfigurationError(f"engine {engine!r}; choose local, threads or ray")
    count = available_cores() if workers is None else workers
    if engine == "threads":
        return Threads(count)
    return InProcess() if count == 1 else Processes(count)


def _in_order(
    workers: _Workers, tasks: Iterable[Any], progress: ProgressCallback
) -> Generator[Any]:
    """Results in the order of tasks, of which few are done or under way ahead of it."""
    rest = enumerate(tasks)
    finished: dict[int, Any] = {}
    awaited = sent = running = 0
    while True:
        room = min(workers.in_flight - (sent - awaited), workers.at_once - running)
        for number, task in islice(rest, room):
            workers.submit(number, task)
            sent, running = sent + 1, running + 1
        if awaited in finished:
            yield finished.pop(awaited)
            awaited += 1
            continue
        if not running:
            return
        for number, message in workers.receive():
            if isinstance(message, Progress):
                progress(message)
            elif isinstance(message, _Failed):
                raise message.error
            else:
                finished[number] = message
                running -= 1


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


def _death(process: SpawnProcess) -> WorkerError:
    process.join(timeout=_SECONDS_TO_END)
    return WorkerError(
        f"a worker process ended with exit code {process.exitcode} (-9 often means out of "
        f"memory: try fewer --workers); {_GO_ON}"
    )


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
