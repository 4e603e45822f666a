"""What may be concluded, and where the numbers come from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from bandwise.measures import quantity
from bandwise.report.blocks import Block, Code, Points, Section, Table, Text
from bandwise.report.facts import Facts
from bandwise.report.summary import Summary
from bandwise.report.variants import CONTROLS, EXTENSIONS, PAPER, VARIANTS
from bandwise.report.wording import listing

COMMAND_SETTINGS = (
    "epochs",
    "batch_size",
    "network_lr",
    "band_lr",
    "reconstruction_weight",
    "patience",
)
"""Settings that are options of the command of the same name; a null is written as 0."""


def limits_section(summary: Summary) -> Section:
    """What may and what may not be concluded."""
    count = summary.records.experiment.bands.count
    seeds = max((len(item.seeds) for item in summary.variants.values()), default=0)
    smallest = min(
        (weight.mean for item in summary.variants.values() for weight in item.band_weights),
        default=None,
    )
    statements = []
    if smallest is not None:
        positive = (
            f"All mean weights here are above zero (the smallest is {smallest:.2g}), so the "
            "weighting can be inverted exactly"
            if smallest > 0
            else "A weight reached zero, so its band is lost; the others can be inverted exactly"
        )
        statements.append(
            f"No compression is shown. {positive}: it rescales coefficients and discards no bits. "
            "Only rounding and entropy coding make a file smaller, and neither takes place here."
        )
    if "static" in summary.started:
        statements.append(
            f"Static multiplies its input by 1/{count}. A network whose input is {count} times "
            "smaller trains differently at the same learning rate, so a gain over static mixes the "
            "effect of the bands with one of scale. No weighting and mean one are the comparisons "
            "without it."
        )
    statements += [
        f"At most {quantity(seeds, 'seed')} a variant finished. Seeds change the initial weights, "
        "the images held out and the order of batches; the test images are the same, so the "
        "intervals cover chance in training and not in the choice of test images.",
        "Accuracy is that of the test images at the epoch chosen by validation loss, not the best "
        "that the test reached in any epoch.",
        "p-values and intervals are not corrected for the number of comparisons.",
    ]
    title = "What this does and does not show"
    return Section(anchor="limits", title=title, blocks=[Points(statements)])


def provenance_section(summary: Summary) -> Section:
    """Data, settings, versions, machine and the commands that give the same again."""
    experiment = summary.records.experiment
    dataset, bands = experiment.dataset, experiment.bands
    channels, height, width = dataset.image_shape
    facts: dict[str, Any] = {
        "started": experiment.created,
        "data set": f"{dataset.name}, from {dataset.source}",
        "data SHA-256": dataset.sha256,
        "images": f"{height}×{width}, {'grey' if channels == 1 else 'colour'}",
        "bands": f"{bands.count} {bands.kind} bands on {bands.shape[0]}×{bands.shape[1]}",
    }
    blocks: list[Block] = [
        facts_table("Data", facts),
        facts_table("Settings", experiment.settings),
        facts_table("Versions", experiment.versions),
        facts_table("Machine", experiment.machine),
        Text("The same again, and this page from the results alone:"),
        Code(f"{shlex.join(_command(summary))} --out DIR\nbandwise report DIR"),
    ]
    if others := _runs_from_elsewhere(summary):
        blocks.insert(0, Text(f"Made with other versions, data or on another machine: {others}."))
    return Section(anchor="provenance", title="Provenance", blocks=blocks)


def _command(summary: Summary) -> list[str]:
    """Return the command of the experiment, every setting written out."""
    experiment, variants = summary.records.experiment, summary.started
    command = ["bandwise", experiment.recipe, "--dataset", experiment.dataset.name]
    options = experiment.dataset.options
    if size := options.get("image_size"):
        command += ["--image-size", str(size[0])]
    if colour := options.get("colour"):
        command += ["--colour", colour]
    command += ["--seeds", *map(str, summary.seeds)]
    groups = {"--controls": CONTROLS, "--extensions": EXTENSIONS}
    flags = [flag for flag, names in groups.items() if set(names) <= set(variants)]
    named = {*PAPER, *(name for flag in flags for name in groups[flag])}
    command += flags if set(variants) <= named else ["--variants", *variants]
    command += ["--bands", str(experiment.bands.count)]
    for name in COMMAND_SETTINGS:
        if name in experiment.settings:
            value = experiment.settings[name]
            command += [f"--{name.replace('_', '-')}", "0" if value is None else str(value)]
    return command


def provenance_of(facts: Facts) -> Section:
    """Data, settings, versions and machine, as they are in the rows."""
    described = dict(facts.dataset)
    if isinstance(classes := described.get("classes"), list):
        described["classes"] = f"{len(classes)}: {', '.join(map(str, classes))}"
    blocks: list[Block] = [
        facts_table("Data", {"started": facts.created, "recipe": facts.recipe, **described}),
        facts_table("Settings", facts.settings),
        facts_table("Versions", facts.versions),
        facts_table("Machine", facts.machine),
        Text("This page from the results alone:"),
        Code("bandwise report DIR"),
    ]
    return Section(anchor="provenance", title="Provenance", blocks=blocks)


def facts_table(caption: str, facts: Mapping[str, Any]) -> Table:
    """Names and values in two columns, as they are in the rows."""
    return Table(
        caption=caption,
        head=["", ""],
        rows=[[name.replace("_", " "), _plain(name, value)] for name, value in facts.items()],
        text_columns=frozenset({1}),
    )


def _plain(name: str, value: Any) -> str:
    if name.endswith("_bytes") and isinstance(value, int):
        return f"{value:,} ({value / 2**30:.1f} GiB)"
    return "none" if value is None else str(value)


def _runs_from_elsewhere(summary: Summary) -> str:
    experiment = summary.records.experiment
    expected = {
        "versions": experiment.versions,
        "machine": experiment.machine,
        "data_sha256": experiment.dataset.sha256,
    }
    others = [
        f"{VARIANTS[run.variant].label}, seed {run.seed}"
        for run in summary.records.runs.values()
        if any(run.provenance.get(name, value) != value for name, value in expected.items())
    ]
    return listing(others) if others else ""
