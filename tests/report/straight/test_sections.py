"""Claims follow from the rows."""

from __future__ import annotations

import pytest

from bandwise.report.blocks import Picture, Section, Table
from bandwise.report.straight import straight_summary
from bandwise.report.straight.sections import SECTIONS, unfinished, verdict
from bandwise.report.straight.sections.background import provenance_section
from bandwise.report.straight.sections.kept import chosen_section, kept_section
from bandwise.report.straight.sections.outcome import headline
from bandwise.report.straight.sections.twins import training_section, twins_section
from bandwise.report.straight.summary import StraightSummary

from ..sections.test_sections import words
from .synthetic import Row, straight_rows
from .test_summary import twins


def set_accuracies(rows: list[Row], **accuracies: tuple[float, float, float]) -> StraightSummary:
    """Rows whose selection reaches these test accuracies, named as ``all`` or ``energy_12``."""
    for row in rows[1:]:
        name = "all" if row["kept"] is None else f"{row['rule']}_{row['kept']}"
        if row["network"] == "resnet-small" and name in accuracies:
            row["test_accuracy"] = accuracies[name][row["seed"]]
    return straight_summary(rows)


def table_of(section: Section | None, number: int = 0) -> Table:
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Table)][number]


def test_verdict_compares_twins_in_accuracy_and_speed() -> None:
    text = verdict(straight_summary(twins([0.762, 0.770, 0.769], [0.750, 0.760, 0.755])))
    assert text == (
        "In test accuracy on clothes, resnet on coefficients is 1.20 points above resnet on "
        "pixels (95 % interval +0.70 to +1.70, p = 0.009, 3 common seeds), with 76.70 ± 0.44 % "
        "and 75.50 ± 0.50 %. Training on coefficients handles 1.50 times as many images a second "
        "(1.50 to 1.50 over 3 seeds): 338 against 225, by the clock on a machine that several "
        "runs shared."
    )


def test_verdict_does_not_claim_what_chance_may_have_done() -> None:
    close = verdict(straight_summary(twins([0.76, 0.75, 0.77], [0.75, 0.76, 0.765])))
    assert "resnet on coefficients and resnet on pixels cannot be told apart (+0.17 points" in close
    one = verdict(straight_summary(twins([0.76], [0.75])))
    assert "(1 common seed, so no interval)" in one
    apart = [row for row in twins([0.7, 0.8], [0.7, 0.8]) if row.get("seed") != 0]
    apart += twins([], [0.7])[1:]
    apart = [row for row in apart if (row.get("reads"), row.get("seed")) != ("pixels", 1)]
    assert verdict(straight_summary(apart)) == (
        "No finished seed of resnet on coefficients is shared with resnet on pixels."
    )
    none = straight_summary([row for row in twins([0.7, 0.7], [0.7]) if row.get("seed") != 0])
    assert verdict(none) == "No finished run can be compared with another yet."


def test_verdict_says_what_fewer_frequencies_cost_and_save() -> None:
    summary = set_accuracies(
        straight_rows(twins=()),
        all=(0.75, 0.76, 0.77),
        importance_64=(0.755, 0.755, 0.77),
        importance_24=(0.74, 0.752, 0.76),
        importance_12=(0.70, 0.71, 0.722),
    )
    assert verdict(summary) == (
        "On 64, 24 and 12 of 192 frequencies by importance, resnet-small is at +0.00, −0.93 and "
        "−4.93 points against all of them (the 95 % interval excludes zero with 24 and 12), with "
        "files 19, 45 and 59 % smaller."
    )


def test_rules_are_compared_as_they_come_out() -> None:
    best, same, worst = (0.75, 0.76, 0.772), (0.75, 0.761, 0.77), (0.70, 0.71, 0.72)
    summary = set_accuracies(
        straight_rows(twins=()),
        importance_64=best,
        energy_64=same,
        zigzag_64=same,
        importance_24=best,
        energy_24=worst,
        zigzag_24=same,
        importance_12=worst,
        energy_12=worst,
        zigzag_12=best,
    )
    text = words(headline(summary))
    assert (
        "Importance against energy: not to be told apart with 64, better with 24, without an "
        "interval to judge by with 12 frequencies." in text
    )
    assert "against zigzag: not to be told apart with 64 and 24, worse with 12 frequencies" in text
    rows = table_of(kept_section(summary), 1).rows
    assert rows[1][0] == "24"
    assert rows[1][1].startswith("+5.07\n(+")
    assert rows[2][1:] == ["+0.00\n(n/a)", rows[2][2]]


def test_tables_hold_the_numbers(summary: StraightSummary) -> None:
    section = twins_section(summary)
    small, ours, theirs = table_of(section).rows
    assert [small[0], ours[0], theirs[0]] == [
        "resnet-small on coefficients",
        "resnet on coefficients",
        "resnet on pixels",
    ]
    assert ours[1:3] == ["3", "1,584,466"]
    assert (ours[5], theirs[5]) == ("338 ± 3", "225 ± 2")
    assert table_of(section, 1).rows[0][-2:] == ["1.50", "1.50 to 1.50"]
    rows = {row[0]: row for row in table_of(kept_section(summary)).rows}
    assert len(rows) == 10
    assert rows["all 192"][3:] == ["", "", "3,114", ""]
    assert rows["12 by importance"][-2:] == ["1,264", "59.4"]


def test_a_selection_without_its_whole_is_shown_without_comparison() -> None:
    rows = [
        row
        for row in straight_rows(twins=())
        if row["record"] == "experiment" or row["kept"] is not None
    ]
    summary = straight_summary(rows)
    assert verdict(summary) == "No finished run can be compared with another yet."
    section = kept_section(summary)
    assert table_of(section).rows[0][3:] == ["", "", "2,514", ""]
    assert section is not None
    assert any(isinstance(block, Picture) for block in section.blocks)


@pytest.mark.parametrize(
    ("rows", "anchors"),
    [
        (
            straight_rows(seeds=(0,)),
            ["outcome", "twins", "training", "kept", "chosen", "limits", "provenance"],
        ),
        (straight_rows(seeds=(0,), twins=()), ["outcome", "twins", "kept", "chosen", "limits"]),
        (straight_rows(seeds=(0,), kept=()), ["outcome", "twins", "training", "limits"]),
    ],
)
def test_sections_without_rows_are_left_out(rows: list[Row], anchors: list[str]) -> None:
    summary = straight_summary(rows)
    found = [section.anchor for build in SECTIONS if (section := build(summary)) is not None]
    assert found == [*anchors, *(["provenance"] if "provenance" not in anchors else [])]


def test_unfinished_names_settings_and_seeds() -> None:
    rows = straight_rows()
    assert unfinished(straight_summary(rows)) == ""
    cut = [row for row in rows if (row.get("reads"), row.get("seed")) != ("pixels", 1)][:-1]
    text = unfinished(straight_summary(cut))
    assert text.startswith(
        "Not finished: resnet on pixels, seed 1; resnet-small on 12 frequencies by zigzag, seed 2."
    )
    assert text in words(headline(straight_summary(cut)))
    begun = unfinished(straight_summary(rows[:3]))
    assert "what resnet on coefficients is compared with" in begun


def test_what_was_measured_is_said_as_it_was(summary: StraightSummary) -> None:
    assert "a machine that several runs shared" in words(twins_section(summary))
    assert "The first 75 % of the epochs" in words(training_section(summary))
    assert "The darker, the more seeds" in words(chosen_section(summary))
    assert "Luma's mean is always kept" in words(kept_section(summary))


def test_settings_within_settings_are_written_out(summary: StraightSummary) -> None:
    table = table_of(provenance_section(summary), 1)
    assert ["training: learning rate", "0.1"] in table.rows
    assert ["training: augmentation: flip", "True"] in table.rows
    assert not any("seed" in row[0] for row in table.rows)
