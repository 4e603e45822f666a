"""Tables and a rate for each image: what each part of it saves, and what there was to save.

network, images ──→ kinds ──→ a ladder each ──rung costs──→ policy ──→ adaptive profile

measured on real files, for every seed:
one table            one ladder for all images, one rung for all
scale                the middle table, scaled for each image
rate                 one ladder, a rung for each image
codebook of M        a ladder for each kind, one rung for all
codebook of M + rate both
and once: the same ladder with the network asked for each image, and an oracle with the labels.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from bandwise.adaptive import AdaptiveProfile, load_profile
from bandwise.data import Dataset, LabelledImages, with_validation
from bandwise.errors import ConfigurationError
from bandwise.evaluation import (
    SPLITS,
    AdaptiveCodec,
    CodebookCodec,
    Codec,
    EvaluationConfig,
    GuidedCodec,
    Ledger,
    OracleCodec,
    as_array,
    check_folder,
    end_rows,
    evaluate,
    rung_costs,
)
from bandwise.learning import (
    Part,
    PolicyConfig,
    band_tables,
    codebook_candidates,
    fisher_by_image,
    fit_policy,
    kinds_alone,
    kinds_of,
    slope_label,
)
from bandwise.measures import ADAPTIVE, GUIDED, ORACLE
from bandwise.policy import Floats, statistics_of
from bandwise.profile import Profile
from bandwise.recipes.learning import BESIDE, SLOPES, LearnConfig, problem_of
from bandwise.recipes.networks import prepare_network
from bandwise.recipes.stages import Event, Listener, measuring, silent
from bandwise.results import RESULTS_NAME, Row, now, read_rows, versions
from bandwise.tables import QuantTable, TableSet
from bandwise.tasks.networks import network_sha256

LADDER = SLOPES[::4]
"""Prices of a bit of a ladder's rungs."""

ASKED = SLOPES[::2]
"""Prices of a bit at which everything is measured."""

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
    bands: Part | None = None
    slopes: tuple[float, ...] = LADDER
    images: int = 4000
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class AdaptiveConfig:
    """What is learned and compared.

    Attributes
    ----------
    learn
        The network, and what else tables are learned with.
    sizes
        Codebooks that are measured at one rung for all images; 1 is the baseline.
    with_rate
        Codebooks that are measured with a rung for each image as well.
    band_parts
        What is learned of tables of few bands.
    slopes
        Prices of a bit at which everything is measured.
    """

    learn: LearnConfig = field(default_factory=LearnConfig)
    codebook: CodebookConfig = field(default_factory=CodebookConfig)
    sizes: tuple[int, ...] = (1, 2, 4, 8, 16)
    with_rate: tuple[int, ...] = (1, 8)
    band_parts: tuple[Part, ...] = ("edges", "weights", "both")
    seeds: tuple[int, ...] = (0, 1, 2)
    slopes: tuple[float, ...] = ASKED

    def __post_init__(self) -> None:
        if 1 not in self.sizes or not self.seeds or not set(self.with_rate) <= set(self.sizes):
            raise ConfigurationError(
                "codebooks of 1 and at least one seed are needed, and every codebook with a rate "
                f"also without; got sizes {self.sizes}, with a rate {self.with_rate}, "
                f"seeds {self.seeds}"
            )

    @property
    def tables(self) -> CodebookConfig:
        """One ladder for all images, with a rung for each price that is asked: the baseline."""
        return replace(self.codebook, size=1, rate=False, slopes=self.slopes)

    @property
    def books(self) -> tuple[CodebookConfig, ...]:
        """Codebooks to be learned, each once."""
        return (
            *(replace(self.tables, size=size) for size in self.sizes),
            *(replace(self.tables, bands=part) for part in self.band_parts),
            *(replace(self.codebook, size=size, rate=True) for size in self.with_rate),
            replace(self.codebook, size=1, scaled=True, rate=True),
        )


def run(
    config: AdaptiveConfig, dataset: Dataset, out: Path, *, listener: Listener = silent
) -> Path:
    """Run or resume the experiment and return the path of its results.

    Raises
    ------
    ConfigurationError
        If ``out`` holds another experiment.
    OutputError
        If ``out`` cannot be written or holds something else.
    """
    check_folder(out, beside=BESIDE)
    dataset = with_validation(dataset, seed=config.learn.seed)
    network = prepare_network(config.learn, dataset, out / "networks", listener=listener)
    results = out / RESULTS_NAME
    labels = [slope_label(slope) for slope in config.slopes]
    for seed in config.seeds:
        material = Material(
            config.learn,
            dataset,
            network,
            images=config.codebook.images,
            seed=seed,
            listener=listener,
        )
        books = {
            each: learned_codebook(replace(each, seed=seed), material, out / "profiles")
            for each in config.books
        }
        policies = [
            AdaptiveCodec(book, config.slopes, name=ADAPTIVE, family=family_name(each))
            for each, book in books.items()
            if each.rate
        ]
        codecs: list[Codec] = [
            CodebookCodec(book, labels, name=ADAPTIVE, family=family_name(each))
            for each, book in books.items()
            if not each.rate
        ]
        codecs += policies
        if seed == config.seeds[0]:
            ladder = books.get(replace(config.codebook, size=1, rate=True)) or books[config.tables]
            codecs += _bounds(ladder.profiles, network, dataset, config)
        results = evaluate(
            EvaluationConfig(
                network=config.learn.network,
                seed=seed,
                device=config.learn.device,
                estimates=False,
            ),
            dataset,
            network,
            [(codec, codec.settings()) for codec in codecs],
            out,
            beside=BESIDE,
            listener=measuring(listener),
        )
        ledger = Ledger.open(out, read_rows(results)[0], beside=BESIDE)
        ledger.add(*(codebook_row(each, seed, book) for each, book in books.items()))
        for codec, split in product(policies, SPLITS):
            ledger.add(*choice_rows(codec, dataset.split(split), split, seed))
        if seed == config.seeds[0]:
            ledger.add(*_ends(policies[0], ledger.rows(), dataset, config))
        ledger.flush()
    return results


def _bounds(
    ladder: Sequence[Profile], network: nn.Module, dataset: Dataset, config: AdaptiveConfig
) -> list[Codec]:
    """What choosing a rung for each image could give: the network asked, and the label known."""
    shown, device = [dataset.split(split) for split in SPLITS], config.learn.device
    return [
        GuidedCodec(ladder, network, name=GUIDED, device=device),
        OracleCodec(ladder, network, shown, name=ORACLE, device=device),
    ]


def _ends(
    codec: AdaptiveCodec, rows: Sequence[Row], dataset: Dataset, config: AdaptiveConfig
) -> Iterator[Row]:
    """Rows "example" of the images at both ends of the rungs, at a middle price of a bit."""
    settings = codec.settings()
    return end_rows(
        [row for row in rows if row.get("seed") == config.seeds[0]],
        codec,
        settings[len(settings) // 2],
        dataset.test,
        dataset.classes,
        network=config.learn.network,
    )


def family_name(book: CodebookConfig) -> str:
    """Family of the rows of a codebook, with a rung for each image or one for all."""
    if book.bands is not None:
        learned = "edges + weights" if book.bands == "both" else book.bands
        part = f"{BANDS} bands, {learned}"
    elif book.scaled:
        part = "scale"
    elif book.size == 1:
        part = "rate" if book.rate else "one table"
    else:
        part = f"codebook of {book.size}" + (" + rate" if book.rate else "")
    return f"{ADAPTIVE}: {part}"


def codebook_row(book: CodebookConfig, seed: int, learned: AdaptiveProfile) -> Row:
    """Row "codebook": the tables of every ladder, and what learning took."""
    return {
        "record": "codebook",
        "family": family_name(book),
        "seed": seed,
        "codebook": [[tables.to_json() for tables in ladder] for ladder in learned.codebook],
        "slopes": list(book.slopes),
        "multiplications": learned.policy.multiplications,
        **learned.provenance["record"],
    }


def choice_rows(
    codec: AdaptiveCodec, images: LabelledImages, split: str, seed: int
) -> Iterator[Row]:
    """Yield rows "choices": the ladder and the rung, from 0, of each image at each setting."""
    arrays = [as_array(pixels_u8) for pixels_u8 in images.pixels_u8]
    for setting in codec.settings():
        profile = codec.profile(setting.label)
        ladders, rungs = zip(*(profile.choice(array) for array in arrays), strict=True)
        yield {
            "record": "choices",
            "codec": codec.name,
            "family": setting.family,
            "label": setting.label,
            "split": split,
            "seed": seed,
            "ladders": list(ladders),
            "rungs": list(rungs),
        }


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
    if path.exists():
        found = load_profile(path)
        if isinstance(found, AdaptiveProfile) and found.provenance["learned_from"] == wanted:
            return found
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
        record["edges"] = [
            {name: [asdict(rings) for rings in history] for name, history in each.history.items()}
            for each in found_bands
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
    book = AdaptiveProfile(
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
    book.save(path)
    return book


def scaled_ladder(tables: TableSet) -> list[TableSet]:
    """The tables with their steps times each of `SCALES`."""
    return [
        TableSet(
            luma=QuantTable.from_steps(scale * tables.luma.array),
            chroma=tables.chroma and QuantTable.from_steps(scale * tables.chroma.array),
        )
        for scale in SCALES
    ]


def _provenance(config: CodebookConfig, material: Material) -> dict[str, Any]:
    wanted = {
        "dataset": material.dataset.name,
        "dataset_sha256": material.dataset.sha256,
        "network": material.learn.network,
        "network_sha256": network_sha256(material.problem.network),
        "subsampling": material.learn.subsampling,
        "settings": {name: value for name, value in asdict(config).items() if value is not None},
    }
    # As it is read back: tuples become lists.
    return dict(json.loads(json.dumps(wanted)))
