"""An evaluation of many codecs, written after every setting and resumed where it stopped."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from bandwise.data import Dataset, with_validation
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs import Codec, Setting, family_of
from bandwise.evaluation.ledger import Ledger
from bandwise.evaluation.points import Conditions, measure, original_row
from bandwise.profile import Profile
from bandwise.results import SCHEMA, Row, machine, now, versions
from bandwise.tasks import logits_of
from bandwise.tasks.networks import network_sha256

SPLITS = ("validation", "test")
PROTOCOLS = ("frozen", "retrained")


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
        ``"validation"``, ``"test"`` or both; measures need both.
    estimates
        Whether rows say what learning would take the payload for. It does not depend on the
        network, so that one network's rows are enough.
    """

    network: str
    seed: int = 0
    protocol: str = "frozen"
    splits: Sequence[str] = SPLITS
    device: str = "cpu"
    batch_size: int = 64
    threads: int | None = None
    estimates: bool = True

    def __post_init__(self) -> None:
        if not self.splits or not set(self.splits) <= set(SPLITS):
            raise ConfigurationError(
                f"splits are any of {', '.join(SPLITS)}, got {', '.join(self.splits) or 'none'}"
            )
        if self.protocol not in PROTOCOLS:
            raise ConfigurationError(
                f"the protocol is one of {', '.join(PROTOCOLS)}, got {self.protocol!r}"
            )

    def conditions(self, split: str) -> Conditions:
        """Entries of the rows of a split."""
        return Conditions(split=split, network=self.network, seed=self.seed, protocol=self.protocol)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a listener hears: how far a setting is, and its row once it is measured.

    `images_left` is what remains of the whole evaluation, each image counted once a setting.
    """

    split: str
    setting: Setting
    images_done: int
    images: int
    images_left: int
    row: Row | None = None


Listener = Callable[[Step], None]


def evaluate(
    config: EvaluationConfig,
    dataset: Dataset,
    network: nn.Module,
    codecs: Sequence[tuple[Codec, Sequence[Setting]]],
    out: Path,
    *,
    profiles: Sequence[Profile] = (),
    beside: Collection[str] = (),
    listener: Listener = lambda _: None,
) -> Path:
    """Measure every setting of every codec on each split; returns the path of the results.

    Settings that `out` already holds under the same conditions are not measured again. `profiles`
    are described in rows "profile"; `beside` names what else `out` may hold.

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
    images = {split: dataset.split(split) for split in config.splits}
    ledger = Ledger.open(out, experiment_row(config, dataset, network), beside=beside)
    ledger.add(*(profile_row(profile, config.network) for profile in profiles))
    work = [
        (split, codec, [s for s in settings if not ledger.has(codec, s, config.conditions(split))])
        for split in config.splits
        for codec, settings in codecs
    ]
    left = sum(len(images[split]) * len(settings) for split, _, settings in work)

    def hear(split: str, setting: Setting, images_done: int, row: Row | None = None) -> None:
        listener(
            Step(
                split=split,
                setting=setting,
                images_done=images_done,
                images=len(images[split]),
                images_left=left if row else left - images_done,
                row=row,
            )
        )

    logits = {
        split: logits_of(
            network,
            images[split].pixels_u8,
            batch_size=config.batch_size,
            device=config.device,
            num_classes=dataset.num_classes,
        )
        for split in config.splits
    }
    try:
        for split in config.splits:
            ledger.add(original_row(images[split], logits[split], config.conditions(split)))
        for split, codec, settings in work:
            rows = measure(
                codec,
                settings,
                images[split],
                network,
                original_logits=logits[split],
                conditions=config.conditions(split),
                threads=config.threads,
                batch_size=config.batch_size,
                device=config.device,
                estimates=config.estimates,
                progress=functools.partial(hear, split),
            )
            for setting, row in zip(settings, rows, strict=True):
                ledger.add(row)
                left -= len(images[split])
                hear(split, setting, len(images[split]), row)
    finally:
        ledger.flush()
    return ledger.path


def experiment_row(config: EvaluationConfig, dataset: Dataset, network: nn.Module) -> Row:
    """Describe the experiment for the results."""
    return {
        "record": "experiment",
        "schema": SCHEMA,
        "recipe": "evaluate",
        "created": now(),
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "sha256": dataset.sha256,
            "classes": list(dataset.classes),
            "image_shape": list(dataset.image_shape),
            "validation": len(dataset.split("validation")),
            "test": len(dataset.test),
        },
        "networks": {
            f"{config.network}, {config.protocol}, seed {config.seed}": network_sha256(network)
        },
        "settings": {"batch_size": config.batch_size, "device": config.device},
        "versions": versions(),
        "machine": machine(),
    }


def profile_row(profile: Profile, network: str) -> Row:
    """Row "profile": its tables, what it was learned from and what it keeps, where it says so."""
    optimised = profile.rate_distortion
    return {
        "record": "profile",
        "name": profile.name,
        "family": family_of(profile),
        "label": profile.name,
        "network": network,
        "tables": profile.tables.to_json(),
        "subsampling": profile.subsampling,
        "importance": None if optimised is None else optimised.to_json()["sensitivity"],
        "frequencies": None if profile.frequencies is None else list(profile.frequencies.kept),
    }
