"""Run the jobs of the paper's experiment and keep the results file current.

Workers write checkpoints; this process alone writes the results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from bandwise.data import Dataset
from bandwise.errors import ConfigurationError, OutputError
from bandwise.recipes import pool
from bandwise.recipes.pool import Tell, work_through
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

Event = pool.Event[Job]
"""What is heard of a job; a `StepProgress`, an `EpochResult`, and at the end a row."""

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
    with closing(work_through(_Training(config, out), jobs(config), workers=workers)) as events:
        for event in events:
            if isinstance(event.body, EpochResult):
                ledger.add_epoch(event.job, event.body)
            elif event.done:
                ledger.add_run(event.job, event.body)
            listener(event)
    return ledger.path


class _Training:
    """Does jobs in a worker process, which reads the data set once."""

    def __init__(self, config: ReproduceConfig, out: Path) -> None:
        self._config, self._out = config, out
        self._dataset: Dataset | None = None

    def __call__(self, job: Job, tell: Tell) -> Row:
        if self._dataset is None:
            self._dataset = self._config.load_dataset()
        folder = self._out / "runs" / job.name
        return run_job(job, self._config, self._dataset, folder, _Reporter(tell))


class _Reporter(Observer):
    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def on_step(self, progress: StepProgress) -> None:
        self._tell(progress)

    def on_epoch(self, result: EpochResult) -> None:
        self._tell(result)


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
