"""Claims follow from the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from bandwise.report.blocks import Block, Code, Points, Section, Table, Text, Tiles
from bandwise.report.records import parse_records
from bandwise.report.sections import verdict
from bandwise.report.sections.background import limits_section, provenance_section
from bandwise.report.sections.gain import controls_section, gain_section
from bandwise.report.sections.outcome import beside_paper, headline
from bandwise.report.summary import Summary, summarise

from ..conftest import Row, synthetic_rows

SEEDS = (0, 1, 2)
CLOSE = {"static": (0.95, 0.951, 0.952), "adaptive": (0.963, 0.962, 0.964)}


def rows_of(accuracies: Mapping[str, Sequence[float]], *, dataset: str = "mnist") -> list[Row]:
    rows = synthetic_rows(variants=list(accuracies), seeds=SEEDS, epochs=2, dataset=dataset)
    for row in rows:
        if row["record"] == "run":
            row["test_accuracy"] = accuracies[row["variant"]][row["seed"]]
    return rows


def summary_of(accuracies: Mapping[str, Sequence[float]], *, dataset: str = "mnist") -> Summary:
    return summarise(parse_records(rows_of(accuracies, dataset=dataset)))


def words(section: Section | None) -> str:
    assert section is not None
    return " ".join(_block_words(block) for block in section.blocks)


def _block_words(block: Block) -> str:
    if isinstance(block, Text | Code):
        return block.text
    if isinstance(block, Points):
        return " ".join(block.items)
    if isinstance(block, Tiles):
        return " ".join(f"{tile.label} {tile.value} {tile.remark}" for tile in block.items)
    if isinstance(block, Table):
        return " ".join(cell for row in [block.head, *block.rows] for cell in row)
    return block.caption


def test_verdict_sets_no_weighting_against_the_gain() -> None:
    summary = summary_of({**CLOSE, "none": (0.975, 0.9741, 0.9762)})
    assert verdict(summary) == (
        "In test accuracy on mnist, adaptive is 1.20 points above static, but adaptive is "
        "1.21 points below no weighting."
    )


def test_verdict_when_adaptive_is_best() -> None:
    summary = summary_of({**CLOSE, "none": (0.9531, 0.954, 0.955)})
    assert "and adaptive is 0.90 points above no weighting" in verdict(summary)


def test_verdict_when_chance_explains_it() -> None:
    summary = summary_of({"static": (0.95, 0.97, 0.96), "adaptive": (0.97, 0.95, 0.962)})
    assert "cannot be told apart" in verdict(summary)


def test_verdict_says_when_the_control_is_missing() -> None:
    assert "no run without weighting" in verdict(summary_of(CLOSE))


def test_verdict_without_finished_runs() -> None:
    rows = [row for row in rows_of(CLOSE) if row["record"] != "run"]
    summary = summarise(parse_records(rows))
    assert verdict(summary) == "No run has finished yet; the figures show the epochs so far."
    assert beside_paper(summary) is None
    assert gain_section(summary) is None
    assert controls_section(summary) is None
    assert "Not finished: static, seed 0 (epoch 2)" in words(headline(summary))


def test_paper_stands_beside_mnist_only() -> None:
    ours = words(beside_paper(summary_of(CLOSE, dataset="mnist")))
    assert "95.58 ± 0.12 %" in ours
    assert "96.79 ± 0.08 %" in ours
    assert "+1.21 points" in ours
    assert "2,395 s" in ours
    assert "epochs 2 (paper: 30)" in ours
    others = beside_paper(summary_of(CLOSE, dataset="digits"))
    assert others is not None
    assert others.title == "Results"
    assert "95.58" not in words(others)
    assert "2,395" not in words(others)


def test_gain_states_degrees_of_freedom() -> None:
    assert "3 seeds give 2 degrees of freedom" in words(gain_section(summary_of(CLOSE)))


def test_controls_compare_with_common_seeds_only() -> None:
    rows = rows_of({**CLOSE, "none": (0.975, 0.9, 0.9)})
    rows = [
        row
        for row in rows
        if not (row["record"] == "run" and row["variant"] == "none" and row["seed"] > 0)
    ]
    text = words(controls_section(summarise(parse_records(rows))))
    assert "Leaving the weights out altogether: no weighting is 2.50 points above static" in text
    assert "no weighting is 1.20 points above adaptive (1 common seed, so no interval)" in text


def test_shuffled_labels_are_set_beside_chance() -> None:
    text = words(controls_section(summary_of({**CLOSE, "shuffled": (0.1, 0.11, 0.09)})))
    assert "one class in 10 is 10.0 %" in text
    assert "times the mean weight; with true labels at" in text


@pytest.mark.parametrize(("best", "said"), [(0.15, True), (0.6, False)])
def test_a_task_that_was_not_learned_is_said(best: float, said: bool) -> None:
    summary = summary_of({"static": (0.1, 0.12, 0.11), "adaptive": (best,) * 3})
    assert ("hardly learned" in words(headline(summary))) is said


def test_limits_follow_from_the_weights() -> None:
    rows = rows_of(CLOSE)
    assert "All mean weights here are above zero" in words(
        limits_section(summarise(parse_records(rows)))
    )
    for row in rows:
        if row["record"] == "run":
            row["band_weights"] = [1.0, *[0.0] * 7]
    text = words(limits_section(summarise(parse_records(rows))))
    assert "A weight reached zero" in text
    assert "above zero" not in text


def test_provenance_gives_size_and_colour_of_images() -> None:
    rows = rows_of(CLOSE, dataset="photos")
    older = words(provenance_section(summarise(parse_records(rows))))
    assert "images 28×28, grey" in older
    assert "--dataset photos --seeds" in older
    rows[0]["dataset"]["options"] = {"image_size": [28, 28], "colour": "grey"}
    text = words(provenance_section(summarise(parse_records(rows))))
    assert "--dataset photos --image-size 28 --colour grey --seeds" in text


def test_provenance_gives_the_command_and_names_odd_runs() -> None:
    rows = rows_of({**CLOSE, "none": (0.97, 0.97, 0.98)}, dataset="my set")
    odd = next(row for row in rows if row["record"] == "run" and row["seed"] == 1)
    odd["provenance"] = {**odd["provenance"], "data_sha256": "cd" * 32}
    text = words(provenance_section(summarise(parse_records(rows))))
    assert (
        "bandwise reproduce --dataset 'my set' --seeds 0 1 2 --variants static adaptive none "
        "--bands 8 --epochs 2 --batch-size 128 --network-lr 0.01 --band-lr 0.001 "
        "--reconstruction-weight 0.1 --patience 5 --out DIR\nbandwise report DIR"
    ) in text
    assert "Made with other versions, data or on another machine: static, seed 1." in text
    assert "24.0 GiB" in text
