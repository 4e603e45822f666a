"""What is said of learned edges and of weights for each image follows from the rows."""

from __future__ import annotations

import pytest

from bandwise.report.blocks import Picture
from bandwise.report.records import parse_records
from bandwise.report.sections.background import provenance_section
from bandwise.report.sections.extensions import edges_section, input_section
from bandwise.report.sections.gain import gain_section
from bandwise.report.summary import Summary, summarise
from bandwise.report.variants import CONTROLS, EXTENSIONS, PAPER

from ..conftest import Row, synthetic_rows
from .test_sections import words


def rows_of(*variants: str, seeds: tuple[int, ...] = (0, 1)) -> list[Row]:
    return synthetic_rows(variants=variants, seeds=seeds, epochs=3)


def summary_of(*variants: str, seeds: tuple[int, ...] = (0, 1)) -> Summary:
    return summarise(parse_records(rows_of(*variants, seeds=seeds)))


def test_edges_are_shown_as_they_were_learned() -> None:
    section = edges_section(summary_of("adaptive", "edges"))
    assert section is not None
    pictures = [block.name for block in section.blocks if isinstance(block, Picture)]
    assert pictures == ["edges", "edges-bands"]
    text = words(section)
    assert "Edge-adaptive is" in text or "Edge-adaptive and adaptive cannot" in text
    assert "it starts at 2." in text
    assert "and starts at 0.125: bands of large weight" in text
    assert "neighbours are 0.125 apart" in text
    assert "without a coefficient" not in text


def test_movement_is_that_of_the_rows() -> None:
    rows = rows_of("edges", seeds=(0,))
    for row in rows:
        if row["record"] == "run":
            row["band_edges"] = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.625 + 0.25 + 0.07]
            row["band_exponent"] = 1.25
    text = words(edges_section(summarise(parse_records(rows))))
    assert "Edges end 0.010 from where they start, on average, and 0.070 at most" in text
    assert "The exponent ends at 1.25 (1.25 to 1.25)" in text


def test_the_mean_weight_of_a_coefficient_is_that_of_the_rows() -> None:
    rows = rows_of("edges", seeds=(0,))
    for row in rows:
        if row["record"] == "run":
            row["band_edges"] = [1.0] * 7
            row["band_weights"] = [0.86, *[0.02] * 7]
    text = words(edges_section(summarise(parse_records(rows))))
    # Only the highest of 784 coefficients, at a distance of 1, is in the last band.
    assert f"ends at {(783 * 0.86 + 0.02) / 784:.3f} (" in text


def test_empty_bands_are_said() -> None:
    rows = rows_of("edges", seeds=(0,))
    for row in rows:
        if row["record"] == "run":
            row["band_edges"] = [0.1, 0.2, 0.2, 0.4, 0.5, 0.6, 0.7]
    text = words(edges_section(summarise(parse_records(rows))))
    assert "Bands that end without a coefficient: 1 of 8, run by run" in text


def test_epochs_alone_show_edges_and_nothing_else() -> None:
    rows = [row for row in rows_of("edges") if row["record"] != "run"]
    section = edges_section(summarise(parse_records(rows)))
    assert section is not None
    assert [block.name for block in section.blocks if isinstance(block, Picture)] == ["edges"]


def test_spread_over_images_is_that_of_the_rows() -> None:
    rows = rows_of("adaptive", "input")
    for row in rows:
        if row["record"] == "run" and row["variant"] == "input":
            row["band_weights"] = [0.3, *[0.1] * 7]
            row["band_weights_std"] = [0.003, *[0.02] * 6, 0.04]
    text = words(input_section(summarise(parse_records(rows))))
    assert "1.0 % of its mean in band 1, where it is least, and 40.0 % in band 8" in text
    assert "input-adaptive" in text.lower()


@pytest.mark.parametrize("build", [edges_section, input_section])
def test_nothing_is_said_of_what_was_not_run(build: object) -> None:
    assert callable(build)
    assert build(summary_of("static", "adaptive")) is None


def test_extensions_are_set_against_adaptive() -> None:
    text = words(gain_section(summary_of("static", "adaptive", "edges", "input")))
    assert "edge-adaptive − adaptive" in text
    assert "input-adaptive − adaptive" in text


@pytest.mark.parametrize(
    ("variants", "flags"),
    [
        ((*PAPER, *EXTENSIONS), "--extensions --bands"),
        ((*PAPER, *CONTROLS, *EXTENSIONS), "--controls --extensions --bands"),
        ((*PAPER, *CONTROLS, "edges"), "shuffled edges --bands"),
        (PAPER, "--seeds 0 1 --bands"),
    ],
)
def test_the_command_runs_the_same_variants(variants: tuple[str, ...], flags: str) -> None:
    assert flags in words(provenance_section(summary_of(*variants)))
