"""Codebooks of tables: learned once, on digits."""

from dataclasses import replace
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.adaptive import AdaptiveProfile
from bandwise.data import Dataset, with_validation
from bandwise.learning import PolicyConfig
from bandwise.recipes.codebooks import (
    SCALES,
    CodebookConfig,
    Material,
    learned_codebook,
    scaled_ladder,
)
from bandwise.recipes.learning import LearnConfig
from bandwise.recipes.networks import prepare_network
from bandwise.tables import TableSet

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


def test_another_way_of_learning_is_learned_anew(few_digits: Dataset, tmp_path: Path) -> None:
    learn = LearnConfig(network="small-cnn", epochs=1)
    codebook = CodebookConfig(
        images=200, slopes=(1e-5, 1e-4, 1e-3), policy=PolicyConfig(epochs=1, hidden=4)
    )
    data = with_validation(few_digits, seed=0)
    network = prepare_network(learn, data, tmp_path)

    def learned(config: CodebookConfig) -> AdaptiveProfile:
        material = Material(learn, data, network, images=config.images, seed=config.seed)
        return learned_codebook(config, material, tmp_path)

    first = learned(codebook)
    assert learned(codebook).to_json() == first.to_json()
    longer = replace(codebook, policy=replace(codebook.policy, epochs=2))
    second = learned(longer)
    assert second.codebook == first.codebook
    assert second.policy.to_json() != first.policy.to_json()


def test_scaled_tables_are_between_1_and_255() -> None:
    ladder = scaled_ladder(TableSet.ijg(10))
    assert len(ladder) == len(SCALES)
    middle = ladder[SCALES.index(1.0)]
    assert middle == TableSet.ijg(10)
    means = [tables.luma.array.mean() for tables in ladder]
    assert means == sorted(means)
    assert (scaled_ladder(TableSet(luma=TableSet.ijg(10).luma))[0].chroma) is None
