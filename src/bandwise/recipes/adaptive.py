"""Tables and a rate for each image: what each part of it saves, and what there was to save.

Measured on real files, for every seed:

    one table               one ladder for all images, one rung for all
    scale                   the middle table, scaled for each image, continuously
    rate                    one ladder, a rung for each image
    continuous rate         the same ladder, tables between two rungs as well
    codebook of M           a ladder for each kind of images, one rung for all
    codebook of M + rate    both
    8 bands, ...            one rung for all of tables whose bands, steps or both are learned

and once: the one ladder with the network asked for each image, and an oracle with the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from torch import nn

from bandwise.adaptive import AdaptiveProfile
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
)
from bandwise.learning import Part, slope_label
from bandwise.measures import (
    ADAPTIVE,
    CONTINUOUS,
    GUIDED,
    ORACLE,
    SCALE,
    bands_family,
    codebook_family,
)
from bandwise.profile import Profile
from bandwise.recipes.codebooks import BANDS, POSITIONS, CodebookConfig, Material, learned_codebook
from bandwise.recipes.learning import BESIDE, SLOPES, LearnConfig
from bandwise.recipes.networks import prepare_network
from bandwise.recipes.stages import Listener, measuring, silent
from bandwise.results import RESULTS_NAME, Row, read_rows

ASKED = SLOPES[::2]
"""Prices of a bit at which everything is measured."""


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
            *(
                replace(self.codebook, size=1, rate=True, positions=POSITIONS, scaled=scaled)
                for scaled in (False, True)
            ),
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
    """Family of the rows of a codebook."""
    if book.bands is not None:
        return bands_family(BANDS, "edges + weights" if book.bands == "both" else book.bands)
    if book.scaled:
        return SCALE
    return CONTINUOUS if book.positions > 1 else codebook_family(book.size, rate=book.rate)


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
    """Yield rows "choices": the ladder and the rung, from 0, of each image at each setting.

    Between two rungs lie fractions.
    """
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
