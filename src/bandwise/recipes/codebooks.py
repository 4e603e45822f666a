"""Learn the tables and the policy of an adaptive profile, from what is measured on images once.

images ──→ statistics ──→ kinds ──→ a ladder each ──rung costs──→ policy ──→ profile
└────→ sensitivity ────────────────┘
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from bandwise.adaptive import AdaptiveProfile, load_profile
from bandwise.data import Dataset
from bandwise.evaluation import as_array, rung_costs
from bandwise.learning import (
    Part,
    PolicyConfig,
    band_tables,
    codebook_candidates,
    fisher_by_image,
    fit_policy,
    kinds_alone,
    kinds_of,
)
from bandwise.policy import Floats, statistics_of
from bandwise.profile import Profile
from bandwise.recipes.learning import SLOPES, LearnConfig, problem_of
from bandwise.recipes.stages import Event, Listener, silent
from bandwise.results import Row, now, versions
from bandwise.tables import QuantTable, TableSet
from bandwise.tasks.networks import network_sha256

LADDER = SLOPES[::4]
"""Prices of a bit of a ladder's rungs."""

POSITIONS = 16
"""Positions from one rung to the next, where a rate is continuous."""

BANDS = 8
"""Bands of tables that have few."""

SCALES = tuple(2 ** (step / 2) for step in range(-5, 5))
"""Of the middle table, in place of a ladder that was learned."""


@dataclass(frozen=True, kw_only=True)
class CodebookConfig:
    """How tables for each image are learned.

    Attributes
    ----------
    size
        Kinds of images, at most; each has a ladder of its own. One by default: on photographs more
        kinds saved nothing that could be measured.
    scaled
        Whether a ladder is its middle table scaled, instead of one learned for each price.
    rate
        Whether the policy says what each rung does to an image; kinds alone otherwise.
    positions
        Positions from one rung to the next; 1 for rungs alone.
    bands
        Learn tables of `BANDS` bands, and this of them; None for a step a coefficient.
    slopes
        Prices of a bit of the rungs.
    images
        Training images, at most, that tables and policy are learned from.
    seed
        Of the images that are drawn, the kinds, the sampled gradients and the policy.
    """

    size: int = 1
    scaled: bool = False
    rate: bool = True
    positions: int = 1
    bands: Part | None = None
    slopes: tuple[float, ...] = LADDER
    images: int = 4000
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    seed: int = 0


class Material:
    """What codebooks of one seed are learned from, measured when it is first needed."""

    def __init__(
        self,
        learn: LearnConfig,
        dataset: Dataset,
        network: nn.Module,
        *,
        images: int,
        seed: int,
        listener: Listener = silent,
    ) -> None:
        self.learn, self.dataset, self.seed = learn, dataset, seed
        self.problem = problem_of(replace(learn, images=images, seed=seed), dataset, network)
        self._listener = listener

    @cached_property
    def statistics(self) -> Floats:
        """Statistics (N, F) of the images."""
        return np.stack([statistics_of(as_array(each)) for each in self.problem.pixels_u8])

    @cached_property
    def sensitivity(self) -> dict[str, Tensor]:
        """Fisher information (N, 8, 8) a component, image by image."""
        return fisher_by_image(self.problem, seed=self.seed, listener=self.hear)

    def hear(self, stage: str, done: int, total: int) -> None:
        """Pass on how far a stage is."""
        stage = f"seed {self.seed}: {stage}"
        self._listener(Event(stage=stage, done=done, total=total))


def learned_codebook(config: CodebookConfig, material: Material, folder: Path) -> AdaptiveProfile:
    """Learn an adaptive profile, or load the one in ``folder`` that was learned the same way."""
    kind = "codebook" if config.rate else f"bands-{config.bands}" if config.bands else "tables"
    name = f"{'scaled' if config.scaled else kind}-{config.size}"
    path = folder / f"{name}-seed-{config.seed}.json"
    wanted = _provenance(config, material)
    if (found := _kept(path, wanted)) is None:
        _learned(config, material, name, wanted).save(path)
        # As it is read back, its numbers rounded: places between rungs cost nearly the same, and a
        # run that goes on later chooses as this one does.
        found = _kept(path, wanted)
    assert found is not None
    return replace(found, positions=config.positions)


def _kept(path: Path, wanted: Row) -> AdaptiveProfile | None:
    """The profile in a file, if it was learned as is wanted."""
    found = load_profile(path) if path.exists() else None
    if isinstance(found, AdaptiveProfile) and found.provenance["learned_from"] == wanted:
        return found
    return None


def _learned(config: CodebookConfig, material: Material, name: str, wanted: Row) -> AdaptiveProfile:
    problem, statistics, learn = material.problem, material.statistics, material.learn
    sensitivity = material.sensitivity
    started = time.perf_counter()
    kinds = kinds_of(statistics, config.size, seed=config.seed)
    record: Row = {}
    if config.bands is None:
        candidates = codebook_candidates(problem, sensitivity, kinds, config.slopes)
        ladders = [[candidate.tables for candidate in ladder] for ladder in candidates]
    else:
        means = {name: values.mean(0) for name, values in sensitivity.items()}
        found_bands = [
            band_tables(problem, means, slope, count=BANDS, learned=config.bands)
            for slope in config.slopes
        ]
        ladders = [[each.tables for each in found_bands]]
        record["rings"] = [
            {name: asdict(rings) for name, rings in each.rings.items()} for each in found_bands
        ]
    if config.scaled:
        ladders = [scaled_ladder(ladder[len(ladder) // 2]) for ladder in ladders]
    if config.rate:
        costs = rung_costs(
            [
                [Profile(name="rung", tables=each, subsampling=learn.subsampling) for each in rungs]
                for rungs in ladders
            ],
            kinds.members.tolist(),
            problem.pixels_u8,
            problem.network,
            device=learn.device,
            progress=lambda done: material.hear(f"files of {name}", done, len(statistics)),
        )
        fitting = replace(config.policy, seed=config.seed)
        policy = fit_policy(statistics, kinds, costs.divergence, costs.size_bytes, fitting)
    else:
        policy = kinds_alone(kinds, len(ladders[0]))
    return AdaptiveProfile(
        name=name,
        codebook=tuple(map(tuple, ladders)),
        policy=policy,
        slope=config.slopes[len(config.slopes) // 2],
        subsampling=learn.subsampling,
        provenance={
            "learned_from": wanted,
            "record": {
                **record,
                "seconds": round(time.perf_counter() - started, 2),
                "kinds": np.bincount(kinds.members).tolist(),
            },
            "num_classes": material.dataset.num_classes,
            "versions": versions(),
            "created": now(),
        },
    )


def scaled_ladder(tables: TableSet) -> list[TableSet]:
    """The tables with their steps times each of `SCALES`."""
    return [
        TableSet(
            luma=QuantTable.from_steps(scale * tables.luma.array),
            chroma=tables.chroma and QuantTable.from_steps(scale * tables.chroma.array),
        )
        for scale in SCALES
    ]


def _provenance(config: CodebookConfig, material: Material) -> Row:
    settings = {name: value for name, value in asdict(config).items() if value is not None}
    del settings["positions"]  # nothing is learned differently
    wanted = {
        "dataset": material.dataset.name,
        "dataset_sha256": material.dataset.sha256,
        "network": material.learn.network,
        "network_sha256": network_sha256(material.problem.network),
        "subsampling": material.learn.subsampling,
        "settings": settings,
    }
    # As it is read back: tuples become lists.
    return dict(json.loads(json.dumps(wanted)))
