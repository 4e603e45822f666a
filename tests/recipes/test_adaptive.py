"""Tables for each image, part by part, on digits."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bandwise import jpeg
from bandwise.adaptive import AdaptiveProfile, load_profile
from bandwise.data import Dataset
from bandwise.errors import ConfigurationError
from bandwise.learning import PolicyConfig
from bandwise.measures import ADAPTIVE, GUIDED, ORACLE, ORIGINAL
from bandwise.recipes.adaptive import AdaptiveConfig, run
from bandwise.recipes.codebooks import POSITIONS, SCALES, CodebookConfig
from bandwise.recipes.learning import LearnConfig
from bandwise.recipes.stages import Event
from bandwise.results import Row, read_rows

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)

SLOPES = (1e-5, 1e-4, 1e-3)
CONFIG = AdaptiveConfig(
    learn=LearnConfig(network="small-cnn", epochs=1),
    codebook=CodebookConfig(
        images=200, slopes=SLOPES, policy=PolicyConfig(epochs=1, hidden=4), size=2
    ),
    sizes=(1, 2),
    with_rate=(1, 2),
    band_parts=("both",),
    seeds=(0, 1),
    slopes=(1e-5, 1e-3),
)


@pytest.fixture(scope="module")
def out(few_digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adaptive") / "out"
    run(CONFIG, few_digits, folder)
    return folder


def rows(out: Path, record: str) -> list[Row]:
    return [row for row in read_rows(out / "results.jsonl") if row["record"] == record]


def test_every_part_is_measured_for_every_seed_and_the_bounds_once(out: Path) -> None:
    found = Counter(
        (row["family"], row["seed"]) for row in rows(out, "point") if row["split"] == "test"
    )
    for seed in (0, 1):
        assert found.pop((f"{ADAPTIVE}: one table", seed)) == 2
        assert found.pop((f"{ADAPTIVE}: codebook of 2", seed)) == 2
        for policy in ("rate", "continuous rate", "codebook of 2 + rate", "scale"):
            assert found.pop((f"{ADAPTIVE}: {policy}", seed)) == 2
        assert found.pop((f"{ADAPTIVE}: 8 bands, edges + weights", seed)) == 2
        assert found.pop((ORIGINAL, seed)) == 1
    assert set(found) == {(GUIDED, 0), (ORACLE, 0)}


def test_the_oracle_spends_what_it_may_and_is_right_more_often(out: Path) -> None:
    oracle = [row for row in rows(out, "point") if (row["codec"], row["split"]) == (ORACLE, "test")]
    assert [row["bytes"] for row in oracle] == sorted(row["bytes"] for row in oracle)
    rungs = [
        row["accuracy"]
        for row in rows(out, "point")
        if row["family"] == f"{ADAPTIVE}: one table" and row["split"] == "test" and not row["seed"]
    ]
    assert oracle[-1]["accuracy"] >= max(rungs)


def test_rows_say_what_was_learned_and_chosen(out: Path) -> None:
    books = {(row["family"], row["seed"]): row for row in rows(out, "codebook")}
    assert len(books) == 2 * 7
    assert (
        books[f"{ADAPTIVE}: rate", 0]["codebook"]
        == books[f"{ADAPTIVE}: continuous rate", 0]["codebook"]
    )
    book = books[f"{ADAPTIVE}: codebook of 2 + rate", 1]
    assert len(book["codebook"]) == len(book["kinds"]) <= 2
    assert [len(ladder) for ladder in book["codebook"]] == [3] * len(book["kinds"])
    assert sum(book["kinds"]) == 200
    assert book["seconds"] > 0
    assert book["multiplications"] > 64**3
    scaled = books[f"{ADAPTIVE}: scale", 0]["codebook"][0]
    assert len(scaled) == len(SCALES)
    rings = books[f"{ADAPTIVE}: 8 bands, edges + weights", 0]["rings"]
    assert len(rings) == 2
    assert len(rings[0]["luma"]["edges"]) == 7
    choices = rows(out, "choices")
    assert len(choices) == 4 * 2 * 2 * 2  # families, prices, splits, seeds
    for row in choices:
        assert len(row["ladders"]) == len(row["rungs"])
        assert max(row["rungs"]) <= (len(SCALES) if row["family"].endswith("scale") else 3) - 1
        assert all((rung * POSITIONS).is_integer() for rung in row["rungs"])
    between = {row["family"] for row in choices if any(rung % 1 for rung in row["rungs"])}
    assert between == {f"{ADAPTIVE}: scale", f"{ADAPTIVE}: continuous rate"}


def test_profiles_are_kept_and_the_same_call_does_nothing_again(
    few_digits: Dataset, out: Path
) -> None:
    before = (out / "results.jsonl").read_bytes()
    book = load_profile(out / "profiles" / "codebook-2-seed-1.json")
    assert isinstance(book, AdaptiveProfile)
    assert book.provenance["num_classes"] == 10
    heard: list[Event] = []
    run(CONFIG, few_digits, out, listener=heard.append)
    assert heard == []
    assert (out / "results.jsonl").read_bytes() == before


def test_settings_that_cannot_be_compared_are_refused() -> None:
    for changes in ({"sizes": (2,)}, {"seeds": ()}, {"with_rate": (4,)}):
        with pytest.raises(ConfigurationError, match="codebooks of 1 and at least one seed"):
            replace(CONFIG, **changes)
