"""Processes that train together, started once for many tests."""

import multiprocessing
import traceback
import warnings
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from bandwise.training.processes import Processes

Result = TypeVar("Result")
Job = Callable[[Processes], Result]


class Team:
    """Runs functions on several processes at once; a context manager."""

    def __init__(self, store: Path, size: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(size)]
        self._ends = [here for here, _ in pipes]
        self._processes = [
            context.Process(target=_work, args=(rank, size, store, there), daemon=True)
            for rank, (_, there) in enumerate(pipes)
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.join()

    def run(self, job: Job[Result]) -> list[Result]:
        """What the job returns, by rank."""
        for end in self._ends:
            end.send(job)
        results = [end.recv() for end in self._ends]
        for result in results:
            if isinstance(result, _Failure):
                raise AssertionError(result.trace)
        return results


class _Failure:
    def __init__(self, trace: str) -> None:
        self.trace = trace


def _work(rank: int, size: int, path: Path, pipe: Connection) -> None:
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    store, rank, size = next(rendezvous(f"file://{path}", rank, size))
    dist.init_process_group(
        "gloo", store=store, rank=rank, world_size=size, timeout=timedelta(minutes=1)
    )
    group = Processes(rank=rank, world_size=size, store=store)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            break
        try:
            pipe.send(job(group))
        except Exception:
            pipe.send(_Failure(traceback.format_exc()))
    dist.destroy_process_group()
