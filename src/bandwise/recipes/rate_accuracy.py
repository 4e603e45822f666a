"""Accuracy against real bytes: libjpeg, other codecs and learned profiles, on one data set.

    networks ──→ profiles ──→ frozen:    every codec and profile, the network as it was trained
                          ├─→ transfer:  the same for a network the tables were not learned for
                          └─→ retrained: the network trained on from the same start on the files of
                                         libjpeg and of jointly learned tables, seed by seed

Every step is kept as soon as it is done; the same call goes on where it was interrupted.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from torch import nn

from bandwise.data import Dataset, with_validation
from bandwise.errors import ConfigurationError
from bandwise.evaluation import (
    SPLITS,
    Codec,
    Conditions,
    EvaluationConfig,
    GuidedCodec,
    Ledger,
    ProfileCodec,
    Setting,
    baselines,
    check_folder,
    evaluate,
    example_rows,
    libjpeg_ladder,
    measure,
    original_row,
    profile_row,
    recode,
    sweep,
)
from bandwise.learning import joint_candidate, sensitivity_candidates, slope_label
from bandwise.measures import GUIDED, GUIDED_LIBJPEG, LIBJPEG
from bandwise.profile import Profile
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.recipes.learning import (
    BESIDE,
    METHODS,
    LearnConfig,
    learned_profiles,
    learning_row,
    problem_of,
    profile_of,
)
from bandwise.recipes.networks import check_reads, prepare_network
from bandwise.recipes.stages import Listener, measuring, silent, training
from bandwise.results import RESULTS_NAME, Row, read_rows
from bandwise.tasks import logits_of
from bandwise.tasks.networks import build_network
from bandwise.training import NetworkConfig, train_network

RETRAINED_QUALITIES = (8, 12, 18, 27)
"""libjpeg's qualities that networks are retrained for."""

RETRAINED_FAMILIES = ("libjpeg 4:2:0 smallest", "libjpeg smallest")
"""Its families, in colour and in grey: the coefficients are those of all others."""

LADDER_EVERY = 3
"""Of the profiles that were learned first, every third is a rung of the ladder for guided files."""

Files = tuple[Codec, Setting] | None
"""Files that a network is trained on: those of a codec's setting, or the originals for None."""


@dataclass(frozen=True, kw_only=True)
class RateAccuracyConfig:
    """What is learned and compared.

    Attributes
    ----------
    learn
        The network, and how tables are learned for it; ``methods`` replaces its method.
    gradient_slopes
        Prices of a bit for descent, which takes longer; those of ``learn`` if not given.
    codecs
        Baselines by name; every one that is installed if not given.
    every
        Of each family's settings of baselines other than libjpeg, measure every ``every``-th.
    libjpeg_every
        The same for libjpeg.
    transfer
        Another built-in network, on which the same files are measured; None: none.
    retrained_seeds
        Seeds of retraining; none: no joint learning and no retraining.
    joint_slopes
        Prices of a bit for which tables and network are learned together.
    retraining
        How a network is trained on from where it is.
    """

    learn: LearnConfig = field(default_factory=LearnConfig)
    methods: tuple[str, ...] = METHODS
    gradient_slopes: tuple[float, ...] | None = (4e-7, 1.6e-6, 4e-6, 1e-5)
    codecs: tuple[str, ...] | None = None
    every: int = 1
    libjpeg_every: int = 1
    transfer: str | None = "plain-cnn"
    retrained_seeds: tuple[int, ...] = ()
    joint_slopes: tuple[float, ...] = (1e-6, 2e-6, 4e-6, 8e-6)
    retraining: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(
            epochs=2, learning_rate=0.01, warm_up_epochs=0.2, small_share=0.0, averaging=0.98
        )
    )

    def __post_init__(self) -> None:
        if not self.methods or not set(self.methods) <= set(METHODS):
            raise ConfigurationError(
                f"methods are {' or '.join(METHODS)}, got {', '.join(self.methods) or 'none'}"
            )
        if self.every < 1 or self.libjpeg_every < 1:
            raise ConfigurationError(
                f"every and libjpeg_every are at least 1, got {self.every} and {self.libjpeg_every}"
            )
        if self.transfer == self.learn.network:
            raise ConfigurationError(
                f"tables are learned for {self.transfer}; name another network for transfer, "
                "or none"
            )


def run(
    config: RateAccuracyConfig, dataset: Dataset, out: Path, *, listener: Listener = silent
) -> Path:
    """Run or resume the experiment and return the path of its results.

    Raises
    ------
    ConfigurationError
        If ``out`` holds another experiment, or a codec or a network is not there.
    OutputError
        If ``out`` cannot be written or holds something else.
    """
    check_folder(out, beside=BESIDE)
    dataset = with_validation(dataset, seed=config.learn.seed)
    channels = dataset.image_shape[0]
    codecs = sweep(
        channels, names=config.codecs, every=config.every, libjpeg_every=config.libjpeg_every
    )
    if config.transfer is not None:  # what cannot work is said before hours of work
        other = build_network(config.transfer, num_classes=dataset.num_classes, channels=channels)
        check_reads(other, config.transfer, dataset)
    network = prepare_network(config.learn, dataset, out / "networks", listener=listener)
    ladder: list[Profile] = []
    profiles: list[Profile] = []
    rows: list[Row] = []
    for method in config.methods:
        learn = replace(config.learn, method=method)
        if method == "gradient":
            learn = replace(learn, slopes=config.gradient_slopes or learn.slopes)
        folder = out / "profiles"
        found = learned_profiles(learn, dataset, network, folder, listener=listener)
        profiles += found
        ladder = ladder or found[::LADDER_EVERY]
        rows.append(learning_row(learn, folder))
    ladders = {GUIDED: ladder, GUIDED_LIBJPEG: libjpeg_ladder(channels)}
    ours: list[Codec] = [ProfileCodec(profiles)]
    ours += [
        GuidedCodec(steps, network, name=name, device=config.learn.device)
        for name, steps in ladders.items()
    ]
    learned = [(codec, codec.settings()) for codec in ours]
    results = evaluate(
        EvaluationConfig(
            network=config.learn.network, seed=config.learn.seed, device=config.learn.device
        ),
        dataset,
        network,
        [*learned, *codecs],
        out,
        profiles=profiles,
        beside=BESIDE,
        listener=measuring(listener),
    )
    ledger = _ledger(results)
    shown = example_rows(
        ledger.rows(),
        [*learned, *codecs],
        dataset.test,
        dataset.classes,
        network=config.learn.network,
    )
    ledger.add(*rows, *shown)
    ledger.flush()
    if config.transfer is not None:
        transfer = replace(config.learn, network=config.transfer, weights=None)
        evaluate(
            EvaluationConfig(
                network=config.transfer,
                seed=config.learn.seed,
                device=config.learn.device,
                estimates=False,
            ),
            dataset,
            prepare_network(transfer, dataset, out / "networks", listener=listener),
            [*learned, *(pair for pair in codecs if pair[0].name == LIBJPEG)],
            out,
            beside=BESIDE,
            listener=measuring(listener),
        )
    if config.retrained_seeds:
        _retrain_all(config, dataset, network, out, listener)
    return results


def retrain(
    config: NetworkConfig,
    network: nn.Module,
    dataset: Dataset,
    files: Files,
    *,
    device: str = "cpu",
    stage: str = "training",
    progress: ProgressCallback = ignore_progress,
) -> nn.Module:
    """Train a copy of ``network`` on, with files as they decode, or with the originals."""
    train, validation = dataset.train, dataset.split("validation")
    if files is not None:
        train, validation = (recode(*files, images) for images in (train, validation))
    retrained = copy.deepcopy(network).requires_grad_(True)
    train_network(
        retrained,
        train,
        validation=validation,
        num_classes=dataset.num_classes,
        config=config,
        device=device,
        stage=stage,
        progress=progress,
    )
    return retrained


def retrained_settings(settings: Sequence[Setting]) -> list[Setting]:
    """Libjpeg's settings that networks are retrained for."""
    return [
        setting
        for setting in settings
        if setting.family in RETRAINED_FAMILIES
        and setting.options["quality"] in RETRAINED_QUALITIES
    ]


def _ledger(results: Path) -> Ledger:
    return Ledger.open(results.parent, read_rows(results)[0], beside=BESIDE)


def _retrain_all(
    config: RateAccuracyConfig,
    dataset: Dataset,
    network: nn.Module,
    out: Path,
    listener: Listener,
) -> None:
    """Add the points of networks that were trained on with the files that they are measured on."""
    name, device = config.learn.network, config.learn.device
    joint = _learned_jointly(config, dataset, network, out / "profiles", listener)
    ledger = _ledger(out / RESULTS_NAME)
    ledger.add(*(profile_row(profile, name) for profile in joint))
    libjpeg, learned = baselines(dataset.image_shape[0])[LIBJPEG], ProfileCodec(joint)
    work: list[Files] = [None]
    work += [(libjpeg, setting) for setting in retrained_settings(libjpeg.settings())]
    work += [(learned, setting) for setting in learned.settings()]
    total = len(work) * len(config.retrained_seeds)
    for number, (seed, files) in enumerate(product(config.retrained_seeds, work), start=1):
        conditions = [
            Conditions(split=split, network=name, seed=seed, protocol="retrained")
            for split in SPLITS
        ]
        if all(_is_measured(ledger, files, each) for each in conditions):
            continue
        named = "originals" if files is None else f"{files[1].family} {files[1].label}"
        stage = f"retraining {number}/{total} on {named}, seed {seed}:"
        retrained = retrain(
            replace(config.retraining, seed=seed),
            network,
            dataset,
            files,
            device=device,
            stage=stage,
            progress=training(listener),
        )
        for each in conditions:
            images = dataset.split(each.split)
            logits = logits_of(retrained, images.pixels_u8, device=device)
            if files is None:
                ledger.add(original_row(images, logits, each))
                continue
            codec, setting = files
            rows = measure(
                codec,
                [setting],
                images,
                retrained,
                original_logits=logits,
                conditions=each,
                device=device,
            )
            ledger.add(*rows)
    ledger.flush()


def _learned_jointly(
    config: RateAccuracyConfig,
    dataset: Dataset,
    network: nn.Module,
    folder: Path,
    listener: Listener,
) -> list[Profile]:
    """Learn tables together with the network, one profile a slope, or load those there are."""
    paths = {slope: folder / f"joint-{slope_label(slope)}.json" for slope in config.joint_slopes}
    missing = [slope for slope, path in paths.items() if not path.exists()]
    problem = problem_of(config.learn, dataset, network)
    for start in sensitivity_candidates(problem, missing) if missing else ():
        candidate, _ = joint_candidate(
            start,
            network,
            dataset.train,
            validation=dataset.split("validation"),
            num_classes=dataset.num_classes,
            config=config.retraining,
            device=config.learn.device,
            stage=f"learning tables and network together, slope {start.label}:",
            progress=training(listener),
        )
        profile_of(candidate, config.learn, dataset, network).save(paths[start.slope])
    return [Profile.load(path) for path in paths.values()]


def _is_measured(ledger: Ledger, files: Files, conditions: Conditions) -> bool:
    if files is None:
        return ledger.has_original(conditions)
    return ledger.has(*files, conditions)
