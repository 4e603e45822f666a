"""Single images as files: the same image by several codecs, with its sizes."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from bandwise.measures import ORIGINAL
from bandwise.report.blocks import Exhibit, Gallery, Section, Text
from bandwise.report.rate_accuracy.codecs import in_order, setting_words
from bandwise.report.rate_accuracy.records import Example
from bandwise.report.rate_accuracy.summary import RateSummary

MAX_IMAGES = 8
"""More would make the page heavy and show no more."""

SMALL_PIXELS = 100 * 100
"""Smaller images are enlarged with sharp edges, so that their pixels are seen."""

Column = tuple[str, str, str]
"""(codec, family, setting)."""


def examples_section(summary: RateSummary) -> Section | None:
    """Images beside each other, each the file itself."""
    examples = summary.records.examples
    if not examples:
        return None
    columns = _columns(examples)
    by_place = {(example.index, _column(example)): example for example in examples}
    indices = list(dict.fromkeys(example.index for example in examples))[:MAX_IMAGES]
    names = {example.index: example.class_name for example in examples}
    gallery = Gallery(
        caption="Test images, the size of each file, and whether the network names it rightly",
        head=[setting_words(*column) for column in columns],
        rows=[
            (
                names[index],
                [_exhibit(by_place.get((index, column))) for column in columns],
            )
            for index in indices
        ],
        pixelated=any(
            point.pixels / point.images < SMALL_PIXELS for point in summary.records.points
        ),
    )
    accuracies = [
        f"{setting_words(*column)}: {100 * point.accuracy:.2f} %, {point.mean_bytes:,.0f} bytes an "
        "image"
        for column in columns
        if (point := summary.point_of(*column)) and point.size_bytes is not None
    ]
    note = f"Over all test images: {'; '.join(accuracies)}. " if accuracies else ""
    return Section(
        anchor="examples",
        title="Single images",
        blocks=[
            gallery,
            Text(
                f"{note}JPEG images here are the files themselves, as the browser decodes them; "
                "of other formats, and of originals, a lossless copy is shown."
            ),
        ],
    )


def _columns(examples: Sequence[Example]) -> list[Column]:
    found = list(dict.fromkeys(_column(example) for example in examples))
    order = [ORIGINAL, *in_order(column[0] for column in found)]
    return sorted(found, key=lambda column: order.index(column[0]))


def _column(example: Example) -> Column:
    return example.codec, example.family, example.setting_label


def _exhibit(example: Example | None) -> Exhibit | None:
    if example is None:
        return None
    verdict = "recognised" if example.correct else "not recognised"
    return Exhibit(
        source=f"data:{example.media_type};base64,{base64.b64encode(example.data).decode()}",
        alt=f"{example.class_name}, {setting_words(*_column(example))}, {verdict}",
        label=f"{example.size_bytes:,} bytes",
        passed=example.correct,
    )
