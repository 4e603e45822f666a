"""Run the jobs of a recipe in worker processes and keep the results file current.

Every worker is one process with one thread: runs are independent, so two of them side by side use
two cores better than one run with two threads, and a run's numbers do not depend on how many cores
there are. Workers write checkpoints; this process alone writes the results.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import torch

from bandwise.data import Dataset
from bandwise.errors import BandwiseError, ConfigurationError, OutputError
from bandwise.recipes.reproduce import (
    Job,
    ReproduceConfig,
    experiment_row,
    jobs,
    run_job,
    sample_rows,
)
from bandwise.results import RESULTS_NAME, Row, read_rows, write_rows
from bandwise.training import EpochResult, Observer, StepProgress

ALLOCATOR = {
    # glibc gives large blocks back to the system and takes them again, page by page, in every
    # step; a worker keeps them. Other allocators ignore these.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_TOP_PAD_": "67108864",
}


@dataclass(frozen=True)
class Event:
    """What a worker says of a job.

    ``body`` is a :class:`StepProgress`, an :class:`EpochResult`, the finished run's row, an error,
    or ``None`` when the job starts.
    """

    job: Job
    body: StepProgress | EpochResult | Row | BandwiseError | None


Listener = Callable[[Event], None]


def run(
    config: ReproduceConfig,
    dataset: Dataset,
    out: Path,
    *,
    workers: int,
    listener: Listener = lambda _: None,
) -> Path:
    """Run or resume all jobs of ``config`` and return the path of the results file.

    Raises
    ------
    OutputError
        If ``out`` cannot be written or holds something else.
    ConfigurationError
        If ``out`` holds an experiment with other settings or data.
    BandwiseError
        If a run fails; finished epochs are kept and the same call resumes.
    """
    if workers < 1:
        raise ConfigurationError(f"at least one worker is needed, got {workers}")
    ledger = Ledger.open(out, experiment_row(config, dataset), sample_rows(dataset))
    pending = jobs(config)
    with _pool(config, pending, out, min(workers, len(pending))) as (processes, events):
        unfinished = set(pending)
        while unfinished:
            try:
                event: Event = events.get(timeout=1.0)
            except queue.Empty:
                _check_alive(processes, unfinished)
                continue
            if isinstance(event.body, BandwiseError):
                raise event.body
            if isinstance(event.body, EpochResult):
                ledger.add_epoch(event.job, event.body)
            elif isinstance(event.body, dict):
                ledger.add_run(event.job, event.body)
                unfinished.discard(event.job)
            listener(event)
    return ledger.path


class Ledger:
    """The results file of one experiment, rewritten after every epoch of any run."""

    def __init__(self, path: Path, head: list[Row], runs: dict[tuple[str, int], list[Row]]) -> None:
        self.path = path
        self._head = head
        self._runs = runs

    @classmethod
    def open(cls, out: Path, experiment: Row, samples: Sequence[Row]) -> Ledger:
        """Start a results file in ``out``, or go on with the one of the same experiment."""
        path = out / RESULTS_NAME
        if not path.exists():
            if out.exists() and (not out.is_dir() or any(out.iterdir())):
                raise OutputError(
                    f"{out} is not empty and holds no bandwise results; "
                    "choose a new or empty output folder"
                )
            ledger = cls(path, [experiment, *samples], {})
            ledger.flush()
            return ledger
        rows = read_rows(path)
        _check_same(path, rows[0], experiment)
        runs: dict[tuple[str, int], list[Row]] = {}
        for row in rows:
            if row["record"] in ("epoch", "run"):
                runs.setdefault((row["variant"], row["seed"]), []).append(row)
        head = [row for row in rows if row["record"] in ("experiment", "sample")]
        ledger = cls(path, head, runs)
        ledger.flush()
        return ledger

    def add_epoch(self, job: Job, result: EpochResult) -> None:
        """Record an epoch; an epoch heard of again replaces what stood there."""
        if result.epoch == 1:
            self._runs[job.variant, job.seed] = []
        row = {"record": "epoch", "variant": job.variant, "seed": job.seed, **asdict(result)}
        self._runs[job.variant, job.seed].append(row)
        self.flush()

    def add_run(self, job: Job, row: Row) -> None:
        """Record a finished run."""
        self._runs[job.variant, job.seed].append(row)
        self.flush()

    def flush(self) -> None:
        """Write the file."""
        ordered = sorted(self._runs, key=lambda key: (key[1], key[0]))
        write_rows(self.path, [*self._head, *(row for key in ordered for row in self._runs[key])])


def _check_same(path: Path, found: Row, wanted: Row) -> None:
    identity = ("recipe", "bands", "settings")
    differences = [
        f"{name}: {found.get(name)} there, {wanted[name]} asked for"
        for name in identity
        if found.get(name) != wanted[name]
    ]
    there, here = found.get("dataset", {}), wanted["dataset"]
    if there.get("sha256") != here["sha256"]:
        differences.append(f"data set: {there.get('name')} there, {here['name']} asked for")
    if differences:
        raise ConfigurationError(
            f"{path.parent} holds another experiment ({'; '.join(differences)}); "
            "choose another output folder, or the same settings to resume"
        )


class _Reporter(Observer):
    def __init__(self, job: Job, events: Queue[Event]) -> None:
        self._job, self._events = job, events

    def on_step(self, progress: StepProgress) -> None:
        self._events.put(Event(self._job, progress))

    def on_epoch(self, result: EpochResult) -> None:
        self._events.put(Event(self._job, result))


def _work(
    config: ReproduceConfig, out: Path, todo: Queue[Job | None], events: Queue[Event]
) -> None:
    """Body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    dataset: Dataset | None = None
    for job in iter(todo.get, None):
        events.put(Event(job, None))
        try:
            dataset = dataset or config.load_dataset()
            folder = out / "runs" / job.name
            row = run_job(job, config, dataset, folder, _Reporter(job, events))
            events.put(Event(job, row))
        except BandwiseError as error:
            events.put(Event(job, error))
            return


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _pool(
    config: ReproduceConfig, pending: Sequence[Job], out: Path, workers: int
) -> Iterator[tuple[list[SpawnProcess], Queue[Event]]]:
    context = get_context("spawn")
    todo: Queue[Any] = context.Queue()
    events: Queue[Event] = context.Queue()
    for job in [*pending, *[None] * workers]:
        todo.put(job)
    processes = [
        context.Process(target=_work, args=(config, out, todo, events)) for _ in range(workers)
    ]
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


def _check_alive(processes: Sequence[SpawnProcess], unfinished: set[Job]) -> None:
    dead = [process for process in processes if process.exitcode not in (None, 0)]
    if dead:
        raise BandwiseError(
            f"a worker process ended with exit code {dead[0].exitcode} "
            f"({len(unfinished)} runs unfinished; -9 often means out of memory); "
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
