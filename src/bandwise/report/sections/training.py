"""Curves by epoch, and accuracy by class."""

from __future__ import annotations

from bandwise.report import figures
from bandwise.report.blocks import Block, Picture, Section, Table
from bandwise.report.summary import Summary
from bandwise.report.variants import VARIANTS
from bandwise.report.wording import (
    listing,
)


def training_section(summary: Summary) -> Section | None:
    """Curves by epoch."""
    if not summary.records.histories:
        return None
    spread = (
        "Lines are means over the seeds that reached the epoch, shaded areas reach from the "
        "lowest to the highest seed."
    )
    labels = listing(VARIANTS[name].label for name in summary.started)
    blocks: list[Block] = [
        Picture(
            name="losses",
            title="Losses by epoch",
            alt=f"Four panels of loss by epoch, in training and validation, for {labels}.",
            caption=f"{spread} The joint loss is cross-entropy plus λ times the mean squared "
            "difference between weighted and original coefficients, with the λ of the variant; "
            "it is what training lowers. Cross-entropy is the part that is comparable between "
            "variants.",
            figure=figures.losses(summary),
        )
    ]
    histories = summary.records.histories.values()
    if any(epoch.test_accuracy is not None for history in histories for epoch in history):
        hidden = [VARIANTS[name].label for name in summary.started if not VARIANTS[name].comparable]
        left_out = f" The enlarged panel leaves out {listing(hidden)}." if hidden else ""
        blocks.append(
            Picture(
                name="accuracy",
                title="Test accuracy by epoch",
                alt=f"Test accuracy by epoch for {labels}; a second panel enlarges later epochs.",
                caption=f"{spread}{left_out} Test images take no part in training, nor in the "
                "choice of the epoch.",
                figure=figures.accuracies(summary),
            )
        )
    return Section(anchor="training", title="Training", blocks=blocks)


def classes_section(summary: Summary) -> Section | None:
    """Accuracy of each class."""
    shown = [item for name, item in summary.variants.items() if VARIANTS[name].comparable]
    if not shown:
        return None
    classes = summary.records.experiment.dataset.classes
    cut = (
        f" Of {len(classes)} classes, the {figures.MAX_CLASSES} with the lowest accuracy are drawn."
        if len(classes) > figures.MAX_CLASSES
        else ""
    )
    picture = Picture(
        name="classes",
        title="Test accuracy by class",
        alt=f"Test accuracy of {len(classes)} classes for "
        f"{listing(VARIANTS[item.variant].label for item in shown)}; the table holds the numbers.",
        caption=f"Marks are means over seeds, whiskers one sample standard deviation.{cut}",
        figure=figures.class_accuracies(summary),
    )
    table = Table(
        caption="Test accuracy by class, % (mean over seeds)",
        head=["class", *(VARIANTS[name].label for name in summary.variants)],
        rows=[
            [
                name,
                *(f"{100 * item.per_class[index].mean:.2f}" for item in summary.variants.values()),
            ]
            for index, name in enumerate(classes)
        ],
    )
    return Section(anchor="classes", title="Classes", blocks=[picture, table])
