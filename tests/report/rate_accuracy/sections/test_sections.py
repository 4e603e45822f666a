"""Claims follow from the rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bandwise.measures import Headline
from bandwise.report.blocks import Gallery, Section, Table
from bandwise.report.rate_accuracy.records import parse_rate_records
from bandwise.report.rate_accuracy.sections import verdict
from bandwise.report.rate_accuracy.sections.background import limits_section
from bandwise.report.rate_accuracy.sections.curves import retrained_section
from bandwise.report.rate_accuracy.sections.examples import examples_section
from bandwise.report.rate_accuracy.sections.outcome import bytes_section, headline
from bandwise.report.rate_accuracy.sections.profiles import (
    estimates_section,
    learning_section,
    tables_section,
)
from bandwise.report.rate_accuracy.sections.transfer import transfer_section
from bandwise.report.rate_accuracy.summary import RateSummary

from ...sections.test_sections import words
from ..synthetic import Row, experiment_row, rate_rows

COUNT = 200


def decided(codec: str, size: int, lost: int, *, split: str = "test", **fields: object) -> Row:
    """A point whose first ``lost`` of 180 right decisions turned wrong."""
    sizes = None if codec == "original" else [size] * COUNT
    correct = "0" * lost + "1" * (180 - lost) + "0" * (COUNT - 180)
    return {
        "record": "point",
        "codec": codec,
        "family": codec,
        "setting": {},
        "label": "s",
        "split": split,
        "protocol": "frozen",
        "network": "net",
        "seed": 0,
        "images": COUNT,
        "pixels": COUNT * 1024,
        "bytes": None if sizes is None else size * COUNT,
        "accuracy": correct.count("1") / COUNT,
        "agreement": 1.0,
        "divergence": 0.01,
        "image_bytes": sizes,
        "image_correct": correct,
        **fields,
    }


def both_splits(codec: str, size: int, lost_on_validation: int, lost_on_test: int) -> list[Row]:
    return [
        decided(codec, size, lost_on_validation, split="validation"),
        decided(codec, size, lost_on_test),
    ]


def summary_of(*pairs: list[Row]) -> RateSummary:
    rows = [row for pair in (both_splits("original", 0, 0, 0), *pairs) for row in pair]
    return RateSummary(parse_rate_records([experiment_row(COUNT), *rows]), "net")


def test_verdict_says_what_is_saved_against_libjpeg_and_the_smallest_plain_jpeg() -> None:
    summary = summary_of(
        both_splits("bandwise", 600, 2, 1),
        both_splits("libjpeg", 1000, 2, 2),
        both_splits("mozjpeg", 800, 2, 2),
        both_splits("webp", 500, 2, 2),
    )
    assert verdict(summary) == (
        "On clothes, with the frozen network net and at most 1 point below the originals, "
        "bandwise needs 40.0 % fewer bytes (95 % interval 40.0 to 40.0 %) than libjpeg at its "
        "best. The smallest other files that every JPEG decoder reads are those of MozJPEG; "
        "against them, bandwise needs 25.0 % fewer bytes (95 % interval 25.0 to 25.0 %)."
    )
    text = words(headline(summary))
    assert "20.0 % more bytes (95 % interval 20.0 to 20.0 %) than WebP" in text


@pytest.mark.parametrize(
    ("sizes", "claim"),
    [
        (
            (400, 500, 1000),
            "bandwise guided needs 60.0 % fewer bytes (95 % interval 60.0 to 60.0 %) than libjpeg "
            "at its best and 20.0 % fewer bytes (95 % interval 20.0 to 20.0 %) than libjpeg "
            "guided, which chooses in the same way: most of the gain is that of the choice, not "
            "of the tables.",
        ),
        ((400, 900, 1000), "most of the gain is that of the tables, not of the choice."),
        ((950, 900, 1000), "the gain is that of the choice, not of the tables."),
        ((1100, 900, 1000), "than libjpeg guided, which chooses in the same way."),
    ],
)
def test_verdict_says_whether_the_tables_or_the_choice_save(
    sizes: tuple[int, int, int], claim: str
) -> None:
    ours, theirs, plain = sizes
    summary = summary_of(
        both_splits("bandwise", 800, 2, 1),
        both_splits("bandwise guided", ours, 2, 1),
        both_splits("libjpeg guided", theirs, 2, 1),
        both_splits("libjpeg", plain, 2, 2),
    )
    first, *rest = verdict(summary).split(" With the network at the encoder ")
    assert first.endswith(
        "20.0 % fewer bytes (95 % interval 20.0 to 20.0 %) than libjpeg at its best."
    )
    assert len(rest) == 1
    assert rest[0].endswith(claim)


def test_tables_alone_are_not_compared_with_a_choice_by_image() -> None:
    names = ("bandwise", "bandwise guided", "libjpeg", "libjpeg guided", "webp")
    summary = summary_of(*(both_splits(name, 800, 2, 1) for name in names))
    assert summary.comparisons == [
        ("bandwise", "libjpeg"),
        ("bandwise", "webp"),
        *(("bandwise guided", name) for name in names if name != "bandwise guided"),
    ]
    section = bytes_section(summary)
    assert section is not None
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in tables[1:3]] == [2, 4]
    assert "ask the network at the encoder" in words(headline(summary))


def test_verdict_says_where_the_bound_is_missed_on_test() -> None:
    summary = summary_of(both_splits("bandwise", 600, 2, 6), both_splits("libjpeg", 1000, 2, 2))
    assert "missed on test, by bandwise at −3.00 (" in verdict(summary)
    section = bytes_section(summary)
    assert "87.00 % †" in words(section)
    assert "89.00 % †" not in words(section)
    assert "40.0 †\n(40.0 to 40.0)" in words(section)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([("bandwise", 9), ("libjpeg", 0)], "no setting of bandwise is within 1 point on"),
        ([("bandwise", 0), ("libjpeg", 9)], "no setting of libjpeg is within 1 point on"),
        ([("bandwise", 0)], "no other codec was measured"),
        ([("libjpeg", 0)], "no setting of bandwise"),
    ],
)
def test_verdict_without_a_saving_says_why(pairs: list[tuple[str, int]], reason: str) -> None:
    summary = summary_of(*(both_splits(codec, 9, lost, lost) for codec, lost in pairs))
    assert "no saving at 1 point below the originals can be stated: " in verdict(summary)
    assert reason in verdict(summary)


def test_bytes_are_of_settings_that_meet_each_bound() -> None:
    summary = summary_of(both_splits("bandwise", 600, 1, 0), both_splits("libjpeg", 1000, 2, 0))
    section = bytes_section(summary)
    assert section is not None
    overview = next(block for block in section.blocks if isinstance(block, Table))
    assert overview.rows == [
        ["bandwise", "n/a", "n/a", "600", "90.00 %", "600", "90.00 %"],
        ["libjpeg", "n/a", "n/a", "n/a", "n/a", "1,000", "90.00 %"],
    ]


@pytest.mark.parametrize(
    "build",
    [
        bytes_section,
        examples_section,
        tables_section,
        transfer_section,
        estimates_section,
        learning_section,
        retrained_section,
    ],
)
def test_sections_without_rows_are_left_out(
    build: Callable[[RateSummary], Section | None],
) -> None:
    assert build(summary_of([decided("libjpeg", 9, 0)])) is None


def test_tables_stand_beside_libjpeg_of_the_same_size(summary: RateSummary) -> None:
    profile = summary.shown_profile()
    assert profile is not None
    ours = summary.point_of("bandwise", profile.family, profile.label)
    assert ours is not None
    text = words(tables_section(summary))
    assert f"{profile.label}, for resnet, {ours.mean_bytes:,.0f} bytes an image" in text
    nearest = min(
        (point for point in summary.points() if point.codec == "libjpeg"),
        key=lambda point: abs(point.mean_bytes - ours.mean_bytes),
    )
    assert f"quality {nearest.setting['quality']}, {nearest.mean_bytes:,.0f} bytes" in text


def test_estimates_are_summed_up(summary: RateSummary) -> None:
    text = words(estimates_section(summary))
    assert "Over 60 settings" in text
    assert "of 60 lie within ±5 %" in text


def test_examples_are_the_files_beside_each_other(summary: RateSummary) -> None:
    section = examples_section(summary)
    assert section is not None
    gallery = section.blocks[0]
    assert isinstance(gallery, Gallery)
    assert gallery.head == [
        "original",
        "bandwise sensitivity rdo, λ0.12",
        "libjpeg 4:2:0 progressive, q52",
    ]
    assert [name for name, _ in gallery.rows] == ["dress", "hat", "shoes"]
    original, ours, theirs = gallery.rows[1][1]
    assert original is not None
    assert original.source.startswith("data:image/png;base64,iVBOR")
    assert theirs is not None
    assert theirs.source.startswith("data:image/jpeg;base64,/9j/")
    assert ours is not None
    assert ours.passed is False
    assert ours.alt.endswith("not recognised")
    assert not gallery.pixelated


def test_transfer_names_networks_and_savings(summary: RateSummary) -> None:
    section = transfer_section(summary)
    text = words(section)
    assert "learned for resnet and are used as they are with plain-cnn" in text
    saving = summary.seen_from("plain-cnn").saving("bandwise", "libjpeg", 1)
    assert isinstance(saving, Headline)
    assert f"{100 * saving.saving.value:.1f}" in text.split()


def test_retrained_networks_have_their_own_savings() -> None:
    rows = [
        decided(codec, size, lost, split=split, protocol="retrained", seed=seed)
        for split in ("validation", "test")
        for seed in (0, 1)
        for codec, size, lost in (("original", 0, 0), ("bandwise", 300, seed), ("libjpeg", 900, 2))
    ]
    summary = summary_of(
        both_splits("bandwise", 600, 2, 1), both_splits("libjpeg", 800, 2, 2), rows
    )
    section = retrained_section(summary)
    assert section is not None
    overview, savings = (block for block in section.blocks if isinstance(block, Table))
    assert overview.rows[0][3:5] == ["300", "89.75 %"]
    assert savings.rows[0][:4] == ["libjpeg", "n/a", "n/a", "66.7\n(66.7 to 66.7)"]
    assert "means over seeds" in words(section)
    assert "66.7" not in words(bytes_section(summary))


def test_protocols_are_not_compared(summary: RateSummary) -> None:
    assert "never with those of the frozen network" in words(retrained_section(summary))
    assert "are not compared" in words(limits_section(summary))


def test_learning_time_names_the_machine() -> None:
    rows = rate_rows(families=("gradient",), retrained=(), transfer=False, examples=0, images=40)
    text = words(learning_section(RateSummary(parse_rate_records(rows), "resnet")))
    assert "611 s" in text
    assert "On Example CPU, 2 cores, by the clock." in text
