"""An evaluation of many codecs, written after every setting and resumed where it stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from bandwise.data import Dataset, with_validation
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs import Codec, Setting, family_of
from bandwise.evaluation.measuring import Conditions, measure, measure_original
from bandwise.models.classification import logits_of
from bandwise.models.networks.registry import network_sha256
from bandwise.profile import Profile
from bandwise.progress import Progress, ProgressCallback, ignore_progress
from bandwise.results import (
    PROTOCOLS,
    SPLITS,
    DatasetInfo,
    Experiment,
    LearnedTables,
    Measurement,
    Protocol,
    Results,
    Split,
)
from bandwise.system import machine, now, versions


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """What is measured, apart from codecs and data.

    Parameters
    ----------
    network
        Name of the network in the rows.
    seed
        The seed that the network was trained with. Where the data has no validation split of its
        own, it holds out the same fifth of the training images as training does.
    protocol
        ``"frozen"``: the network learned from originals; ``"retrained"``: from compressed images.
    splits
        ``"validation"``, ``"test"`` or both; choosing a setting and judging it need both.
    """

    network: str
    seed: int = 0
    protocol: Protocol = "frozen"
    splits: Sequence[Split] = SPLITS
    device: str = "cpu"
    batch_size: int = 64
    threads: int | None = None

    def __post_init__(self) -> None:
        if not self.splits or not set(self.splits) <= set(SPLITS):
            raise ConfigurationError(
                f"splits are any of {', '.join(SPLITS)}, got {', '.join(self.splits) or 'none'}"
            )
        if self.protocol not in PROTOCOLS:
            raise ConfigurationError(
                f"the protocol is one of {', '.join(PROTOCOLS)}, got {self.protocol!r}"
            )

    def conditions(self, split: Split) -> Conditions:
        """What is the same for every setting on a split."""
        return Conditions(split=split, network=self.network, seed=self.seed, protocol=self.protocol)


def evaluate(
    config: EvaluationConfig,
    dataset: Dataset,
    network: nn.Module,
    codecs: Sequence[tuple[Codec, Sequence[Setting]]],
    out: Path | Results,
    *,
    profiles: Iterable[Profile] = (),
    allowed_entries: Collection[str] = (),
    progress: ProgressCallback = ignore_progress,
) -> Results:
    """Measure every setting of every codec on each split.

    Settings that the results already hold under the same conditions are not measured again.

    Parameters
    ----------
    out
        Folder of the results, or results of the same data to which measurements are added.
    profiles
        Their tables are added to the results.
    allowed_entries
        What else a new folder may hold.
    progress
        Report progress in images, each counted once a setting, over the whole evaluation; a
        finished setting's `Measurement` is the ``detail``.

    Raises
    ------
    OutputError
        If `out` cannot be written or holds something else.
    ConfigurationError
        If `out` holds results of other data, or of another network of the same name.
    EvaluationError
        If a codec fails; finished settings are kept and the same call resumes.
    """
    dataset = with_validation(dataset, seed=config.seed)
    weights = {f"{config.network}, {config.protocol}, seed {config.seed}": network_sha256(network)}
    if isinstance(out, Results):
        results, there = out, out.experiment
        results.add(replace(there, networks={**there.networks, **weights}))
    else:
        results = Results.open(
            out, _experiment(config, dataset, weights), allowed_entries=allowed_entries
        )
    results.add(*(describe_profile(profile, config.network) for profile in profiles))
    work = [
        (split, codec, [s for s in settings if not is_measured(results, codec, s, conditions)])
        for split in config.splits
        for conditions in [config.conditions(split)]
        for codec, settings in codecs
    ]
    total = sum(len(dataset.split(split)) * len(settings) for split, _, settings in work)
    done = 0

    def report(images: int, finished: Measurement | None = None) -> None:
        progress(Progress(stage="measuring", done=done + images, total=total, detail=finished))

    logits = {
        split: logits_of(
            network,
            dataset.split(split).pixels_u8,
            batch_size=config.batch_size,
            device=config.device,
            num_classes=dataset.num_classes,
        )
        for split in config.splits
    }
    for split, of_split in logits.items():
        original = measure_original(dataset.split(split), of_split, config.conditions(split))
        results.add(original)
    for split, codec, settings in work:
        measurements = measure(
            codec,
            settings,
            dataset.split(split),
            network,
            original_logits=logits[split],
            conditions=config.conditions(split),
            threads=config.threads,
            batch_size=config.batch_size,
            device=config.device,
            progress=lambda step: report(step.done),
        )
        for measurement in measurements:
            results.add(measurement)
            done += measurement.images
            report(0, measurement)
    return results


def is_measured(results: Results, codec: Codec, setting: Setting, conditions: Conditions) -> bool:
    """Whether a setting with the same options was measured under the same conditions."""
    key = conditions.key_of(codec.name, setting.family, setting.label)
    found = results.find(Measurement, *key)
    return found is not None and found.setting == dict(setting.options)


def describe_profile(profile: Profile, network: str) -> LearnedTables:
    """Tables of a profile, what they were learned from and which frequencies they keep."""
    optimised = profile.rate_distortion
    return LearnedTables(
        name=profile.name,
        family=family_of(profile),
        label=profile.name,
        network=network,
        tables=profile.tables,
        subsampling=profile.subsampling,
        importance=None if optimised is None else optimised.sensitivity,
        frequencies=profile.frequencies,
    )


def _experiment(config: EvaluationConfig, dataset: Dataset, weights: dict[str, str]) -> Experiment:
    channels, height, width = dataset.image_shape
    return Experiment(
        recipe="evaluate",
        created=now(),
        dataset=DatasetInfo(
            name=dataset.name,
            source=dataset.source,
            sha256=dataset.sha256,
            classes=tuple(dataset.classes),
            image_shape=(channels, height, width),
            validation=len(dataset.split("validation")),
            test=len(dataset.test),
        ),
        networks=weights,
        settings={"batch_size": config.batch_size, "device": config.device},
        versions=versions(),
        machine=machine(),
    )
