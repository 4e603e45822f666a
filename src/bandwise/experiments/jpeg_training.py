"""Networks straight from JPEG: coefficients against pixels, and how many frequencies are needed.

    files ──→ twins:     the same network on coefficients and on pixels, seed by seed
          └─→ selection: a smaller one on every frequency, then on fewer, chosen by what the first
                         loses without them, by energy, or by their place alone

Result      clothing128 (10 classes) in files of 2.2 kB, test accuracy, mean and standard deviation
            of 3 seeds: resnet on coefficients 54.12 ± 1.62 %, on pixels 43.10 ± 0.68 %, with 1.46
            times as many images a second; resnet-small on all 192 frequencies 50.99 ± 3.02 %, on
            the 12 of most energy 59.86 ± 2.55 %.
Hardware    2 cores of a Xeon at 2.5 GHz, one run on each.
Runs        36 of 16 epochs, from scratch. So few epochs do not say where either form ends.

Rows also say how large the test files are with the frequencies that are not read set to zero, which
changes nothing for the network. Finished runs are kept; the same call goes on where it stopped.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from bandwise import jpeg
from bandwise.data.files import FileDataset, load_files
from bandwise.encoding import requantise
from bandwise.errors import ConfigurationError
from bandwise.executors import Executor, report, training_workers
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import BLOCK, FREQUENCIES, TableSet
from bandwise.learning.jpeg_network import (
    RULES,
    TrainConfig,
    choose_frequencies,
    correct_on_test,
    train_on_files,
    training_for,
)
from bandwise.models.classification import Reads
from bandwise.models.model import Model
from bandwise.models.networks.registry import build_coefficient_network, build_network
from bandwise.profile import Profile
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.results import DatasetInfo, Experiment, Results, Trained
from bandwise.system import machine, now, versions
from bandwise.training.networks import NetworkConfig
from bandwise.training.state import EpochRecord

RECIPE = "straight-from-jpeg"
MODELS = "models"


@dataclass(frozen=True, kw_only=True)
class JpegTrainingConfig:
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


def jobs(config: JpegTrainingConfig) -> tuple[list[Job], list[Job]]:
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
    config: JpegTrainingConfig,
    data: FileDataset,
    out: Path,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    progress: ProgressCallback = ignore_progress,
) -> Results:
    """Train every run that is not finished.

    Raises `ConfigurationError` if ``out`` holds another experiment, or a network is not there;
    `OutputError` if ``out`` cannot be written or holds something else.

    Parameters
    ----------
    executor
        Where runs are done; in so many ``workers`` of one thread if not given.
    progress
        Called after every epoch of any run: how many epochs of all that were left are done, with an
        `EpochRecord` as ``detail``.
    """
    executor = executor or training_workers(workers)
    _check_networks(config, data)
    results = Results.open(out, experiment_of(config, data), allowed_entries=(MODELS,))
    waves = [[job for job in wave if not _is_done(results, job)] for wave in jobs(config)]
    epochs = sum(len(wave) for wave in waves) * (config.training or training_for(data)).epochs
    reached: dict[str, int] = {}

    def count(epoch: Progress) -> None:
        if isinstance(epoch.detail, EpochRecord):
            reached[epoch.stage] = epoch.done
            done = sum(reached.values())
            progress(replace(epoch, stage="training", done=done, total=epochs))

    for wave in waves:
        for trained in executor.map(_Work(config, data, out / MODELS), wave, progress=count):
            results.add(trained)
    return results


class _Work:
    """Does jobs in a worker, which reads the files once."""

    def __init__(self, config: JpegTrainingConfig, data: FileDataset, models: Path) -> None:
        self._config, self._models = config, models
        rows, columns = data.grid
        self._root, self._size = data.root, (BLOCK * rows, BLOCK * columns)

    @functools.cached_property
    def _data(self) -> FileDataset:
        return load_files(self._root, image_size=self._size)

    def __call__(self, job: Job) -> Trained:
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
            progress=lambda epoch: report(replace(epoch, stage=job.name)),
        )
        model.save(self._models / f"{job.name}.safetensors")
        correct = correct_on_test(model, data, device=config.device)
        files = data.splits["test"].files
        return Trained(
            **asdict(job),
            frequencies=model.frequencies,
            parameters=sum(value.numel() for value in model.module.parameters()),
            epochs=len(history),
            train_loss=history[-1].train_loss,
            validation_accuracy=history[-1].validation_accuracy,
            validation_curve=tuple(epoch.validation_accuracy for epoch in history),
            train_seconds=tuple(epoch.train_seconds for epoch in history),
            images=history[-1].images,
            test_correct=correct.long().numpy(),
            test_accuracy=float(correct.float().mean()),
            test_bytes=np.array([len(truncated(file, frequencies)) for file in files]),
        )


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


def _check_networks(config: JpegTrainingConfig, data: FileDataset) -> None:
    """Build each once: what is not there is not found out when others have been trained."""
    build = functools.partial(build_coefficient_network, num_classes=data.num_classes)
    for name in config.twins:
        build(name, frequencies=Frequencies.whole(data.channels))
        build_network(name, num_classes=data.num_classes, channels=data.channels)
    for kept in config.kept:
        build(config.selected, frequencies=Frequencies.zigzag(kept, channels=data.channels))


def experiment_of(config: JpegTrainingConfig, data: FileDataset) -> Experiment:
    """Describe the experiment."""
    training = config.training or training_for(data)
    return Experiment(
        recipe=RECIPE,
        created=now(),
        dataset=DatasetInfo(
            name=data.name,
            sha256=data.sha256,
            classes=data.classes,
            grid=data.grid,
            channels=data.channels,
            train=len(data.splits["train"]),
            validation=len(data.splits["validation"]),
            test=len(data.splits["test"]),
        ),
        settings={"training": asdict(training), "device": config.device},
        versions=versions(),
        machine=machine(),
    )


def _is_done(results: Results, job: Job) -> bool:
    return results.find(Trained, *(getattr(job, name) for name in Trained.identity)) is not None
