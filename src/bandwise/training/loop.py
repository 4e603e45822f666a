"""The training loop, one for all.

for each epoch:
    for each batch:      losses of the batch; every optimiser steps; an average follows the weights
                         write a checkpoint where one is due
    validate, keep the best epoch, write a checkpoint, report progress
leave the state of the best epoch, or the average of the last

What is trained is a `Trainable`: the paper's network with its band weights (`training.paper`), or
an image network (`training.networks`). A run is a function of its settings and data: all that is
drawn in an epoch follows from (seed, epoch), so that a run that was killed and resumed ends with
the same bits as one that was not.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from bandwise.checkpoint import Pace
from bandwise.data.batches import epoch_generator
from bandwise.errors import CheckpointError, DivergenceError
from bandwise.files import remove_temporaries
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.training.processes import ALONE, Processes
from bandwise.training.state import EpochRecord, RunState, Schedule, TrainingResult

Record = TypeVar("Record", bound=EpochRecord)

_REPORT_SECONDS = 0.25


class Step(NamedTuple):
    """One batch of an epoch.

    Attributes
    ----------
    number
        From 0.
    inputs, labels
        What this process reads of the batch, as its `Trainable` takes them; ``labels`` (n,).
    weight
        Factor of the mean loss of this process, so that the mean over processes is the batch's.
    """

    number: int
    inputs: Any
    labels: Tensor
    weight: float = 1.0


class Trainable(ABC, Generic[Record]):
    """What the loop trains, on what, and how an epoch is judged.

    Attributes
    ----------
    network
        What an average follows.
    modules
        All that learns, with the network: what a checkpoint holds, by name.
    record_type
        Of an epoch.
    schedule
        The settings.
    """

    record_type: type[Record]
    schedule: Schedule
    network: nn.Module
    modules: Mapping[str, nn.Module]

    @abstractmethod
    def optimisers(self) -> list[torch.optim.Optimizer]:
        """Optimisers of all parameters; the first follows the schedule's learning rate."""

    @abstractmethod
    def batches(
        self, epoch: int, generator: torch.Generator, *, start: int
    ) -> tuple[int, Iterator[Step]]:
        """Number of steps of an epoch (from 0), and those from ``start`` on."""

    @abstractmethod
    def losses(self, step: Step, generator: torch.Generator) -> Tensor:
        """(L,) mean losses of a batch; the gradient is that of the first."""

    @abstractmethod
    def record(self, run: RunState[Record]) -> Record:
        """Validate ``run.judged``, once the steps of an epoch are done."""


def run_epochs(
    trainable: Trainable[Record],
    *,
    processes: Processes = ALONE,
    checkpoint: Path | None = None,
    checkpoint_share: float = 0.01,
    identity: Mapping[str, Any] | None = None,
    stage: str = "training",
    progress: ProgressCallback = ignore_progress,
) -> TrainingResult[Record]:
    """Train in place, and leave the modules with the best epoch's state or the average of the last.

    Raises `CheckpointError` if ``checkpoint`` is damaged or belongs to another run, or processes
    have different ones; `DivergenceError` if the loss leaves the finite numbers.

    Parameters
    ----------
    checkpoint
        A file that is written after every epoch and in the middle of long ones and, where it
        exists, resumed from. Process 0 writes it, all read it.
    checkpoint_share
        Share of the time that writing it in the middle of an epoch may take, above 0.
    identity
        JSON-able settings and hash of the data; a checkpoint with others is refused.
    progress
        Called after every epoch with its record as ``detail``, and meanwhile in the unit "steps"
        with the mean loss.
    """
    schedule = trainable.schedule
    run = RunState(
        trainable.network,
        trainable.modules,
        trainable.optimisers(),
        schedule,
        trainable.record_type,
        identity or {},
    )
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint)
    if not processes.agree(f"{run.identity} {run.steps}"):
        raise CheckpointError(
            "the processes have different data, settings or checkpoints; all need the same files "
            f"and the same {checkpoint}"
        )
    written = checkpoint if processes.rank == 0 else None
    if written is not None:
        remove_temporaries(written.parent, {written.name})
    pace = Pace(checkpoint_share)

    def save() -> None:
        if written is not None:
            with pace.writing():
                run.save(written)

    def report(stage: str, done: int, total: int, unit: str, detail: Any) -> None:
        progress(Progress(stage=stage, done=done, total=total, unit=unit, detail=detail))

    while not run.finished:
        epoch = len(run.history)
        generator = epoch_generator(schedule.seed, epoch)
        count, steps = trainable.batches(epoch, generator, start=run.step)
        if run.step >= count:
            raise CheckpointError(
                f"the checkpoint is in the middle of an epoch, after step {run.step} of now "
                f"{count}; finish the epoch with as many processes as began it"
            )
        reported = time.monotonic()
        with torch.random.fork_rng(devices=[]):
            run.enter_epoch(generator)
            for module in trainable.modules.values():
                module.train()
            for step in steps:
                run.set_learning_rate(epoch + step.number / count)
                losses = trainable.losses(step, generator)
                for optimiser in run.optimisers:
                    optimiser.zero_grad()
                (losses[0] * step.weight).backward()
                for optimiser in run.optimisers:
                    optimiser.step()
                images = len(step.labels)
                sums = losses.new_tensor([*[0.0] * len(losses), images], dtype=torch.float64)
                sums[:-1] = losses.detach().double() * images
                run.after_step(processes.total(sums))
                if run.step < count and pace.due():
                    save()
                if time.monotonic() - reported > _REPORT_SECONDS:
                    reported = time.monotonic()
                    report(f"{stage}, epoch {epoch + 1}", run.step, count, "steps", run.losses()[0])
        processes.share_buffers(run.judged)
        record = trainable.record(run)
        if not math.isfinite(record.train_loss + record.validation_loss):
            raise DivergenceError(
                f"the loss is not finite in epoch {epoch + 1} (training {record.train_loss}, "
                f"validation {record.validation_loss}); lower the learning rate"
            )
        run.leave_epoch(record)
        save()
        report(stage, epoch + 1, schedule.epochs, "epochs", record)
    run.restore()
    return run.result
