"""Networks straight from JPEG: coefficients against pixels, and how many frequencies are needed.

    files ──→ twins:     the same network on coefficients and on pixels, seed by seed
          └─→ selection: a smaller one on every frequency, then on fewer, chosen by what the first
                         loses without them, by energy, or by their place alone

Every run trains from scratch. Rows also say how large the test files are with the frequencies that
are not read set to zero, which changes nothing for the network. Finished runs are kept; the same
call goes on where it was interrupted.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import torch

from bandwise import jpeg
from bandwise.data.files import FileDataset, LabelledFiles, load_files
from bandwise.dct_domain import FREQUENCIES
from bandwise.encoding import requantise
from bandwise.errors import ConfigurationError
from bandwise.evaluation import check_folder
from bandwise.frequencies import Frequencies
from bandwise.inference import Model, Reads
from bandwise.profile import Profile
from bandwise.recipes.pool import Tell, work_through
from bandwise.recipes.stages import Event, Listener, silent
from bandwise.recipes.training import (
    RULES,
    TrainConfig,
    choose_frequencies,
    correct_on_test,
    train_on_files,
    training_for,
)
from bandwise.results import (
    RESULTS_NAME,
    SCHEMA,
    Row,
    digest,
    machine,
    now,
    read_rows,
    versions,
    write_rows,
)
from bandwise.tables import BLOCK, TableSet
from bandwise.tasks.networks import build_coefficient_network, build_network
from bandwise.training import NetworkConfig, NetworkEpoch

RECIPE = "straight-from-jpeg"
MODELS = "models"


@dataclass(frozen=True, kw_only=True)
class StraightConfig:
    """What is trained.

    Attributes
    ----------
    twins
        Networks that are trained on coefficients and on pixels.
    selected
        Network that is trained on fewer frequencies.
    kept
        How many it reads.
    rules
        How they are chosen.
    training
        The same for every run, but for its seed; by the kind of images if not given.
    """

    twins: tuple[str, ...] = ("resnet",)
    selected: str = "resnet-small"
    kept: tuple[int, ...] = (64, 24, 12)
    rules: tuple[str, ...] = RULES
    seeds: tuple[int, ...] = (0, 1, 2)
    training: NetworkConfig | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.seeds or not (self.twins or self.kept):
            raise ConfigurationError("there is nothing to train; give seeds, and twins or numbers")
        if unknown := set(self.rules) - set(RULES):
            raise ConfigurationError(
                f"frequencies are kept by {', '.join(RULES)}, not {', '.join(sorted(unknown))}"
            )


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: a network on pixels, on coefficients, or on some of them by a rule."""

    network: str
    reads: Reads
    seed: int
    kept: int | None = None
    rule: str | None = None

    @property
    def name(self) -> str:
        """Such as ``resnet-small-coefficients-24-energy-seed-0``."""
        chosen = () if self.kept is None else (str(self.kept), str(self.rule))
        return "-".join((self.network, self.reads, *chosen, "seed", str(self.seed)))

    @property
    def whole(self) -> Job:
        """The run on every frequency that this one's are chosen with."""
        return Job(network=self.network, reads=self.reads, seed=self.seed)


def jobs(config: StraightConfig) -> tuple[list[Job], list[Job]]:
    """Runs on everything, and the runs on fewer frequencies that follow."""
    forms: tuple[Reads, ...] = ("coefficients", "pixels")
    whole = [
        Job(network=network, reads=reads, seed=seed)
        for seed in config.seeds
        for network in config.twins
        for reads in forms
    ]
    fewer = [
        Job(network=config.selected, reads="coefficients", seed=seed, kept=kept, rule=rule)
        for seed in config.seeds
        for kept in config.kept
        for rule in config.rules
    ]
    return list(dict.fromkeys([*(job.whole for job in fewer), *whole])), list(dict.fromkeys(fewer))


def run(
    config: StraightConfig,
    data: FileDataset,
    out: Path,
    *,
    workers: int = 1,
    listener: Listener = silent,
) -> Path:
    """Train every run that is not finished; the path of the results.

    Raises
    ------
    ConfigurationError
        If ``out`` holds another experiment, or a network is not there.
    OutputError
        If ``out`` cannot be written or holds something else.
    """
    check_folder(out, beside=(MODELS,))
    _check_networks(config, data)
    path = out / RESULTS_NAME
    experiment = _experiment_row(config, data)
    rows = _resumed(path, experiment) if path.exists() else [experiment]
    write_rows(path, rows)
    task = _Training(config, data, out / MODELS)
    done = {_job(row) for row in rows[1:]}
    waves = [[job for job in wave if job not in done] for wave in jobs(config)]
    epochs = sum(len(wave) for wave in waves) * (config.training or training_for(data)).epochs
    reached: dict[Job, int] = {}
    for wave in waves:
        with closing(work_through(task, wave, workers=workers)) as events:
            for event in events:
                if event.done:
                    rows.append(event.body)
                    write_rows(path, rows)
                elif event.body is not None:
                    reached[event.job] = event.body.epoch
                    so_far = sum(reached.values())
                    listener(Event(stage="training", unit="epochs", done=so_far, total=epochs))
    return path


class _Training:
    """Does jobs in a worker process, which reads the files once."""

    def __init__(self, config: StraightConfig, data: FileDataset, models: Path) -> None:
        self._config, self._models = config, models
        rows, columns = data.grid
        self._root, self._size = data.root, (BLOCK * rows, BLOCK * columns)

    @functools.cached_property
    def _data(self) -> FileDataset:
        return load_files(self._root, image_size=self._size)

    def __call__(self, job: Job, tell: Tell) -> Row:
        data, config = self._data, self._config
        frequencies = None
        if job.kept is not None and job.rule is not None:
            path = self._models / f"{job.whole.name}.safetensors"
            whole = Model.load(path, own_network=job.network)
            frequencies = choose_frequencies(job.rule, job.kept, data, model=whole)
        model, history = train_on_files(
            TrainConfig(
                network=job.network,
                reads=job.reads,
                frequencies=frequencies,
                training=replace(config.training or training_for(data), seed=job.seed),
                device=config.device,
            ),
            data,
            checkpoint=self._models / f"{job.name}.checkpoint.safetensors",
            on_epoch=tell,
        )
        model.save(self._models / f"{job.name}.safetensors")
        correct = correct_on_test(model, data, device=config.device)
        return _row(job, model, history, correct, data.splits["test"])


def truncated(data: bytes, frequencies: Frequencies | None) -> bytes:
    """File of the same image that holds some frequencies alone, in the smallest container.

    Tables, sampling and integers stay. Networks read chroma at 4:2:0: what is stored at another
    sampling keeps all of it.
    """
    image = jpeg.read_coefficients(data)
    subsampling = "4:2:0" if image.subsampling == "grey" else image.subsampling
    profile = Profile(
        name="as it is",
        tables=TableSet(luma=image.planes[0].table, chroma=image.planes[-1].table),
        subsampling=subsampling,
        frequencies=frequencies if subsampling == "4:2:0" else _with_all_chroma(frequencies),
    )
    return requantise(data, profile)


def _with_all_chroma(frequencies: Frequencies | None) -> Frequencies | None:
    if frequencies is None or not frequencies.chroma:
        return frequencies
    return Frequencies((*frequencies.luma, *Frequencies.whole(3).kept[FREQUENCIES:]))


def _row(
    job: Job,
    model: Model,
    history: Sequence[NetworkEpoch],
    correct: torch.Tensor,
    test: LabelledFiles,
) -> Row:
    """Row "trained": a run with what it reads, how fast it was trained, and what it recognises."""
    kept = model.frequencies if job.kept is not None else None
    return {
        "record": "trained",
        **asdict(job),
        "frequencies": None if model.frequencies is None else list(model.frequencies.kept),
        "parameters": sum(value.numel() for value in model.module.parameters()),
        "epochs": len(history),
        "train_loss": history[-1].train_loss,
        "validation_accuracy": history[-1].validation_accuracy,
        "validation_curve": [epoch.validation_accuracy for epoch in history],
        "train_seconds": [epoch.train_seconds for epoch in history],
        "images": history[-1].images,
        "test_correct": correct.int().tolist(),
        "test_accuracy": float(correct.float().mean()),
        "test_bytes": [len(truncated(data, kept)) for data in test.files],
    }


def _check_networks(config: StraightConfig, data: FileDataset) -> None:
    """Build each once: what is not there is not found out when others have been trained."""
    build = functools.partial(build_coefficient_network, num_classes=data.num_classes)
    for name in config.twins:
        build(name, frequencies=Frequencies.whole(data.channels))
        build_network(name, num_classes=data.num_classes, channels=data.channels)
    for kept in config.kept:
        build(config.selected, frequencies=Frequencies.triangle(kept, channels=data.channels))


def _experiment_row(config: StraightConfig, data: FileDataset) -> Row:
    training = config.training or training_for(data)
    return {
        "record": "experiment",
        "schema": SCHEMA,
        "recipe": RECIPE,
        "created": now(),
        "dataset": {
            "name": data.name,
            "sha256": data.sha256,
            "classes": list(data.classes),
            "grid": list(data.grid),
            "channels": data.channels,
            **{name: len(files) for name, files in data.splits.items()},
        },
        "settings": {"training": asdict(training), "device": config.device},
        "versions": versions(),
        "machine": machine(),
    }


def _resumed(path: Path, experiment: Row) -> list[Row]:
    """Rows of an experiment that this one goes on with."""
    rows = read_rows(path)
    for name, of in (
        ("recipe", lambda row: row["recipe"]),
        ("data set", lambda row: row["dataset"]["sha256"]),
        ("training", lambda row: digest(row["settings"]["training"])),
    ):
        if of(rows[0]) != of(experiment):
            raise ConfigurationError(
                f"{path.parent} holds another experiment: its {name} is another; choose another "
                "output folder, or the same settings to resume"
            )
    return rows


def _job(row: Row) -> Job:
    return Job(**{name.name: row[name.name] for name in fields(Job)})
