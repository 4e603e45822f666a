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
    BaselineCodec,
    Codec,
    Conditions,
    EvaluationConfig,
    GuidedCodec,
    ProfileCodec,
    Setting,
    describe_profile,
    evaluate,
    examples,
    is_measured,
    libjpeg_ladder,
    measure,
    measure_original,
    recode,
    sweep,
)
from bandwise.evaluation.codecs.profiles import TOLERANCES
from bandwise.learning.joint import joint_candidate
from bandwise.learning.networks import check_reads, prepare_network
from bandwise.learning.profiles import (
    ALLOWED_ENTRIES,
    LearnConfig,
    learn_profiles,
    make_profile,
    profile_origin,
    sensitivity_input,
)
from bandwise.learning.sensitivity import lagrangian_label, sensitivity_candidates
from bandwise.models.classification import logits_of
from bandwise.models.networks.registry import build_network
from bandwise.profile import Profile
from bandwise.progress import ProgressCallback, ignore_progress
from bandwise.results import (
    GUIDED,
    GUIDED_LIBJPEG,
    LIBJPEG,
    ORIGINAL,
    SPLITS,
    Measurement,
    Results,
    check_output_folder,
)
from bandwise.training.networks import NetworkConfig, train_network

Files = tuple[Codec, Setting] | None
"""Files that a network is trained on: those of a codec's setting, or the originals for None."""


@dataclass(frozen=True, kw_only=True)
class RateAccuracyConfig:
    """What is learned and compared.

    Attributes
    ----------
    learn
        The network, and how tables are learned for it.
    codecs
        Baselines by name; every one that is installed if not given.
    every
        Of each family's settings of baselines other than libjpeg, measure every ``every``-th.
    libjpeg_every
        The same for libjpeg.
    ladder_every
        Of the learned profiles every so many-th is a rung of the ladder for guided files.
    tolerances
        Nats of divergence that a guided file may cause.
    transfer
        Another built-in network, on which the same files are measured; None: none.
    retrained_seeds
        Seeds of retraining; none: no joint learning and no retraining.
    retrained_qualities, retrained_families
        Settings of libjpeg that networks are retrained for. Families in colour and in grey: the
        coefficients are those of all others.
    joint_lagrangians
        λ for which tables and network are learned together.
    retraining
        How a network is trained on from where it is.
    """

    learn: LearnConfig = field(default_factory=LearnConfig)
    codecs: tuple[str, ...] | None = None
    every: int = 1
    libjpeg_every: int = 1
    ladder_every: int = 3
    tolerances: tuple[float, ...] = TOLERANCES
    transfer: str | None = "plain-cnn"
    retrained_seeds: tuple[int, ...] = ()
    retrained_qualities: tuple[int, ...] = (8, 12, 18, 27)
    retrained_families: tuple[str, ...] = ("libjpeg 4:2:0 smallest", "libjpeg smallest")
    joint_lagrangians: tuple[float, ...] = (1e-6, 2e-6, 4e-6, 8e-6)
    retraining: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(
            epochs=2, learning_rate=0.01, warm_up_epochs=0.2, small_share=0.0, averaging=0.98
        )
    )

    def __post_init__(self) -> None:
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
    config: RateAccuracyConfig,
    dataset: Dataset,
    out: Path,
    *,
    progress: ProgressCallback = ignore_progress,
) -> Results:
    """Run or resume the experiment.

    Raises `ConfigurationError` if ``out`` holds another experiment, or a codec or a network is not
    there; `OutputError` if ``out`` cannot be written or holds something else.
    """
    learn, device = config.learn, config.learn.device
    check_output_folder(out, allowed_entries=ALLOWED_ENTRIES)
    dataset = with_validation(dataset, seed=learn.seed)
    channels = dataset.image_shape[0]
    codecs = sweep(
        channels, names=config.codecs, every=config.every, libjpeg_every=config.libjpeg_every
    )
    if config.transfer is not None:  # what cannot work is found out before hours of work
        other = build_network(config.transfer, num_classes=dataset.num_classes, channels=channels)
        check_reads(other, config.transfer, dataset)
    network = prepare_network(learn, dataset, out / "networks", progress=progress)
    profiles, learning = learn_profiles(
        learn, dataset, network, out / "profiles", progress=progress
    )
    ladders = {
        GUIDED: profiles[:: config.ladder_every],
        GUIDED_LIBJPEG: libjpeg_ladder(channels),
    }
    ours: list[Codec] = [ProfileCodec(profiles)]
    ours += [
        GuidedCodec(ladder, network, name=name, device=device, tolerances=config.tolerances)
        for name, ladder in ladders.items()
    ]
    learned = [(codec, codec.settings()) for codec in ours]
    results = evaluate(
        EvaluationConfig(network=learn.network, seed=learn.seed, device=device),
        dataset,
        network,
        [*learned, *codecs],
        out,
        profiles=profiles,
        allowed_entries=ALLOWED_ENTRIES,
        progress=progress,
    )
    shown = examples(results, [*learned, *codecs], dataset.test, network=learn.network)
    results.add(learning, *shown)
    if config.transfer is not None:
        transfer = replace(learn, network=config.transfer, weights=None)
        evaluate(
            EvaluationConfig(network=config.transfer, seed=learn.seed, device=device),
            dataset,
            prepare_network(transfer, dataset, out / "networks", progress=progress),
            [*learned, *(pair for pair in codecs if pair[0].name == LIBJPEG)],
            results,
            progress=progress,
        )
    if config.retrained_seeds:
        joint = _learned_jointly(config, dataset, network, out / "profiles", progress)
        _retrain_all(config, dataset, network, joint, results, progress)
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


def _retrain_all(
    config: RateAccuracyConfig,
    dataset: Dataset,
    network: nn.Module,
    joint: Sequence[Profile],
    results: Results,
    progress: ProgressCallback,
) -> None:
    """Measure networks that were trained on with the files that they are measured on."""
    name, device = config.learn.network, config.learn.device
    results.add(*(describe_profile(profile, name) for profile in joint))
    libjpeg, learned = BaselineCodec(LIBJPEG, channels=dataset.image_shape[0]), ProfileCodec(joint)
    work: list[Files] = [None]
    work += [
        (libjpeg, setting)
        for setting in libjpeg.settings()
        if setting.family in config.retrained_families
        and setting.options["quality"] in config.retrained_qualities
    ]
    work += [(learned, setting) for setting in learned.settings()]
    total = len(work) * len(config.retrained_seeds)
    for number, (seed, files) in enumerate(product(config.retrained_seeds, work), start=1):
        conditions = [
            Conditions(split=split, network=name, seed=seed, protocol="retrained")
            for split in SPLITS
        ]
        if all(_is_measured(results, files, each) for each in conditions):
            continue
        named = "originals" if files is None else f"{files[1].family} {files[1].label}"
        retrained = retrain(
            replace(config.retraining, seed=seed),
            network,
            dataset,
            files,
            device=device,
            stage=f"retraining {number}/{total} on {named}, seed {seed}:",
            progress=progress,
        )
        for each in conditions:
            images = dataset.split(each.split)
            logits = logits_of(retrained, images.pixels_u8, device=device)
            if files is None:
                results.add(measure_original(images, logits, each))
                continue
            codec, setting = files
            measured = measure(
                codec,
                [setting],
                images,
                retrained,
                original_logits=logits,
                conditions=each,
                device=device,
            )
            results.add(*measured)


def _learned_jointly(
    config: RateAccuracyConfig,
    dataset: Dataset,
    network: nn.Module,
    folder: Path,
    progress: ProgressCallback,
) -> list[Profile]:
    """Learn tables together with the network, one profile a λ, or load those there are."""
    paths = {
        value: folder / f"joint-{lagrangian_label(value)}.json"
        for value in config.joint_lagrangians
    }
    missing = [value for value, path in paths.items() if not path.exists()]
    if missing:
        given = sensitivity_input(config.learn, dataset, network)
        origin = profile_origin(config.learn, dataset, network)
        for start in sensitivity_candidates(given, missing):
            candidate, _ = joint_candidate(
                start,
                network,
                dataset.train,
                validation=dataset.split("validation"),
                num_classes=dataset.num_classes,
                config=config.retraining,
                device=config.learn.device,
                stage=f"learning tables and network together, slope {start.label}:",
                progress=progress,
            )
            profile = make_profile(candidate, config.learn, origin)
            profile.save(paths[start.lagrangian])
    return [Profile.load(path) for path in paths.values()]


def _is_measured(results: Results, files: Files, conditions: Conditions) -> bool:
    if files is not None:
        return is_measured(results, *files, conditions)
    key = conditions.key_of(ORIGINAL, ORIGINAL, ORIGINAL)
    return results.find(Measurement, *key) is not None
