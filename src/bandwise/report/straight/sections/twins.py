"""Coefficients against pixels: accuracy, speed, and how both come about."""

from __future__ import annotations

from statistics import fmean

from bandwise.report.blocks import Block, Picture, Section, Table, Text
from bandwise.report.straight import figures
from bandwise.report.straight.sections.outcome import SHARED
from bandwise.report.straight.summary import StraightSummary
from bandwise.report.summary import Spread
from bandwise.report.wording import ABSENT, interval, p_value, percent, points, seconds


def twins_section(summary: StraightSummary) -> Section | None:
    """Every network on pixels or all frequencies, and each compared with its twin."""
    if not summary.whole:
        return None
    table = Table(
        caption="Networks on every frequency and on pixels",
        head=[
            "network",
            "seeds",
            "parameters",
            "test accuracy",
            "validation accuracy",
            "images a second",
            "time an epoch",
        ],
        rows=[
            [
                setting.name,
                str(len(runs)),
                f"{next(iter(runs.values())).parameters:,}",
                percent(summary.accuracy(setting)),
                percent(summary.validation(setting)),
                rate(summary.rate(setting)),
                seconds(fmean(summary.epoch_seconds(run) for run in runs.values())),
            ]
            for setting, runs in summary.runs.items()
            if setting.kept is None
        ],
    )
    notes = (
        "Means ± sample standard deviations over seeds, of the last epoch: nothing is chosen on "
        "validation. Images a second and time an epoch are those of the median epoch on images of "
        f"full size, {SHARED}: reading the files (entropy decoding alone, or decoding in full), "
        "augmentation and the steps of the optimiser, one thread beside the one that reads ahead, "
        "without validation."
    )
    blocks: list[Block] = [table]
    if rows := _comparisons(summary):
        blocks.append(
            Table(
                caption="Coefficients against pixels, paired by seed",
                head=[
                    "network",
                    "common seeds",
                    "test accuracy, points",
                    "95 % interval",
                    "p",
                    "images a second, ratio",
                    "lowest to highest seed",
                ],
                rows=rows,
            )
        )
        notes += (
            " Differences are coefficients minus pixels, with the interval and p-value of a paired "
            "t-test over seeds; the ratio is coefficients divided by pixels."
        )
    return Section(anchor="twins", title="Coefficients and pixels", blocks=[*blocks, Text(notes)])


def training_section(summary: StraightSummary) -> Section | None:
    """Validation accuracy of twins by epoch and by time."""
    if not summary.twins:
        return None
    small = f"The first {100 * summary.records.small_share:g} % of the epochs are on smaller images"
    pictures = [
        Picture(
            name=f"training-{network}",
            title=f"Validation accuracy of {network} on coefficients and on pixels",
            alt=f"Validation accuracy of {network} by epoch and by training time, on coefficients "
            "and on pixels.",
            caption="Lines are means over seeds, shaded areas reach from the lowest to the highest "
            "seed. Accuracy is that of the running average of the weights. Time is that of "
            "training alone, with the median time of an epoch for each size of images, averaged "
            f"over seeds, {SHARED}."
            + (
                f" {small}: the dashed line is where they end."
                if summary.records.small_share
                else ""
            ),
            figure=figures.training_curves(summary, network),
        )
        for network in summary.twins
    ]
    return Section(anchor="training", title="Training", blocks=pictures)


def rate(spread: Spread) -> str:
    """Images a second as ``412 ± 7``."""
    return f"{spread.mean:,.0f}" + ("" if spread.std is None else f" ± {spread.std:,.0f}")


def _comparisons(summary: StraightSummary) -> list[list[str]]:
    rows = []
    for network in summary.twins:
        if gain := summary.twin_gain(network):
            ratios = summary.speed_ratios(network)
            extremes = f"{min(ratios):.2f} to {max(ratios):.2f}" if len(ratios) > 1 else ABSENT
            rows.append(
                [
                    network,
                    str(len(gain.seeds)),
                    points(gain.mean),
                    interval(gain),
                    p_value(gain),
                    f"{fmean(ratios):.2f}",
                    extremes,
                ]
            )
    return rows
