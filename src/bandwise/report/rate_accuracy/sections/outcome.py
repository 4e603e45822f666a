"""The headline: how many bytes are saved at a bounded loss of accuracy, and against what."""

from __future__ import annotations

import math

from bandwise.measures import (
    GUIDED,
    GUIDED_LIBJPEG,
    LEARNED,
    Headline,
    Undefined,
    bound_in_words,
    quantity,
)
from bandwise.report.blocks import Block, Points, Section, Table, Text, Tile, Tiles
from bandwise.report.rate_accuracy.codecs import CHOSEN_BY_IMAGE, look_of, setting_words
from bandwise.report.rate_accuracy.sections.savings import (
    amount,
    difference,
    interval,
    name_of,
    overview,
    percent,
    savings,
)
from bandwise.report.rate_accuracy.summary import BOUNDS, HEADLINE_BOUND, RateSummary, defined
from bandwise.report.wording import ABSENT, listing, sentence

WITHIN = bound_in_words(HEADLINE_BOUND)

CHOICES_NOTE = (
    "Bytes are of whole files; payload bytes leave out headers and tables, for JPEG. Intervals "
    "are 95 %, by bootstrap over test images, paired with the originals."
)

GUIDED_NOTE = (
    "Guided codecs write each image with several tables and keep the smallest file with which the "
    "network's output diverges from that on the original by no more than the setting allows. They "
    "ask the network at the encoder, never a label; without a network there, only the others can "
    "be used."
)


def verdict(summary: RateSummary) -> str:
    """Say what is saved at the headline bound, on what, and whether the bound holds on test."""
    where = f"on {summary.records.facts.dataset_name}, with the frozen network {summary.network}"
    saving = summary.main_saving(HEADLINE_BOUND)
    if isinstance(saving, Undefined):
        tables = (
            f"{where}, no saving at {WITHIN} below the originals can be stated: {saving.reason}"
        )
    else:
        tables = (
            f"{where} and at most {WITHIN} below the originals, {look_of(LEARNED).label} needs "
            f"{amount(saving)} than {name_of(saving.baseline)} at its best"
        )
    guided = summary.main_saving(HEADLINE_BOUND, GUIDED)
    chosen = summary.saving(GUIDED, GUIDED_LIBJPEG, HEADLINE_BOUND)
    sentences = [sentence(tables)]
    closest = summary.closest_saving(HEADLINE_BOUND)
    if closest is not None:
        sentences.append(
            sentence(
                "the smallest other files that every JPEG decoder reads are those of "
                f"{name_of(closest.baseline)}; against them, {look_of(LEARNED).label} needs "
                f"{amount(closest)}"
            )
        )
    if GUIDED in summary.codecs:
        sentences.append(sentence(_of_guided(guided, chosen)))
    sentences += _failures(saving, closest, guided, chosen)
    return " ".join(sentences)


def headline(summary: RateSummary) -> Section:
    """Say what was measured and what came out."""
    facts = summary.records.facts
    codecs = listing(look_of(codec).label for codec in summary.codecs)
    ran = (
        f"Images of {facts.dataset_name} were written as real files by {codecs}, decoded and shown "
        f"to the network {summary.network}. The setting of each codec is the one with the fewest "
        "bytes on the validation images among those that keep the accuracy there within a bound "
        "below that on the originals; sizes and accuracies are then those of the test images."
    )
    blocks: list[Block] = [Text(ran)]
    if missing := unfinished(summary):
        blocks.append(Text(missing))
    if CHOSEN_BY_IMAGE & set(summary.codecs):
        blocks.append(Text(GUIDED_NOTE))
    tiles = [
        Tile(
            f"bytes against {name_of(saving.baseline)} at ≤ {bound_in_words(bound)}",
            f"{'+' if saving.saving.value < 0 else ''}{percent(-saving.saving.value)} %",
            f"95 % interval {interval(saving.saving, -1)} %",
        )
        for bound in BOUNDS
        if (saving := defined(summary.main_saving(bound))) is not None
    ]
    if tiles:
        blocks.append(Tiles(tiles))
    for candidate in (LEARNED, GUIDED):
        each = [
            f"{amount(saving)} than {name_of(saving.baseline)}"
            for one, baseline in summary.comparisons
            if one == candidate
            and (saving := defined(summary.saving(one, baseline, HEADLINE_BOUND))) is not None
        ]
        if each:
            label = look_of(candidate).label
            blocks.append(Text(f"At ≤ {WITHIN}, {label} against the best setting of each codec:"))
            blocks.append(Points(each))
    return Section(anchor="outcome", title="What came out", blocks=blocks)


def unfinished(summary: RateSummary) -> str:
    """Say how many settings are chosen among and not tested yet; empty where none."""
    untested = [
        f"{quantity(count, 'setting')} with {network}, {protocol}"
        for (network, protocol), count in summary.records.untested().items()
    ]
    if not untested:
        return ""
    return (
        f"Not finished: {listing(untested)}, measured on validation and not yet on test. "
        "What is stated counts settings that are measured on both."
    )


def bytes_section(summary: RateSummary) -> Section | None:
    """Bytes and accuracy of each codec at each bound, and what learned tables save."""
    bytes_and_accuracy = overview(summary)
    if not bytes_and_accuracy:
        return None
    blocks = [
        *bytes_and_accuracy,
        *savings(summary),
        _choices_table(summary),
        Text(CHOICES_NOTE),
    ]
    return Section(anchor="bytes", title="Bytes at equal accuracy", blocks=blocks)


def _choices_table(summary: RateSummary) -> Table:
    chosen = [
        (choice, point)
        for bound in BOUNDS
        for codec in summary.codecs
        if (choice := summary.choice(codec, bound)) is not None
        and (point := summary.point_of(codec, choice.family, choice.label)) is not None
    ]
    payload = any(point.payload_bytes is not None for _, point in chosen)
    head = ["bound", "setting", "bytes an image", *(["payload bytes"] if payload else [])]
    rows = []
    for choice, point in chosen:
        name = setting_words(choice.codec, choice.family, choice.label)
        row = [bound_in_words(choice.bound), name, f"{point.mean_bytes:,.0f}"]
        if payload:
            known = point.payload_bytes
            row.append(ABSENT if known is None else f"{known / point.images:,.0f}")
        rows.append([*row, f"{point.bits_per_pixel:.3f}", difference(choice)])
    return Table(
        caption="The settings that were chosen",
        head=[*head, "bits per pixel", "test accuracy minus the originals', points"],
        rows=rows,
        text_columns=frozenset({1}),
    )


def _of_guided(guided: Headline | Undefined, chosen: Headline | Undefined) -> str:
    """Say what choosing by image saves, and how much of that is the tables."""
    label = look_of(GUIDED).label
    if isinstance(guided, Undefined):
        return f"of {label} no saving can be stated: {guided.reason}"
    text = (
        f"with the network at the encoder to choose among tables for each image, {label} needs "
        f"{amount(guided)} than {name_of(guided.baseline)} at its best"
    )
    if isinstance(chosen, Undefined):
        return text
    text += f" and {amount(chosen)} than {name_of(chosen.baseline)}, which chooses in the same way"
    if guided.saving.value <= 0:
        return text
    if chosen.saving.value <= 0:
        return f"{text}: the gain is that of the choice, not of the tables"
    of_tables = math.log1p(-chosen.saving.value) / math.log1p(-guided.saving.value)
    larger, smaller = ("choice", "tables") if of_tables < 1 / 2 else ("tables", "choice")
    return f"{text}: most of the gain is that of the {larger}, not of the {smaller}"


def _failures(*found: Headline | Undefined | None) -> list[str]:
    """Say where the bound that held on validation does not hold on test."""
    failed = {
        name_of(choice): choice
        for saving in found
        if isinstance(saving, Headline)
        for choice in (saving.candidate, saving.baseline)
        if not choice.holds
    }
    if not failed:
        return []
    drops = listing(f"{name} at {difference(choice)} points" for name, choice in failed.items())
    return [f"The bound was met on validation but is missed on test, by {drops}."]
