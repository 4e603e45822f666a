"""Edges that are learned, and weights that depend on the image."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

import numpy as np

from bandwise.bands import Rings
from bandwise.measures import quantity
from bandwise.report import extensions, planes
from bandwise.report.blocks import Block, Picture, Points, Section, Table, Text
from bandwise.report.figures import MAX_CLASSES
from bandwise.report.planes import Weighting
from bandwise.report.sections.weights import MAX_TABLE_BANDS
from bandwise.report.summary import Spread, Summary
from bandwise.report.wording import finding, listing, plain, sentence


def edges_section(summary: Summary) -> Section | None:
    """How the edges of the bands move while learning, and where they end."""
    count = summary.records.experiment.bands.count
    histories = [h for (name, _), h in summary.records.histories.items() if name == "edges"]
    runs = {seed: run for (name, seed), run in summary.records.runs.items() if name == "edges"}
    blocks: list[Block] = [
        Text(
            f"Here the {count - 1} edges between bands are parameters, and so is the exponent p of "
            "the distance d = ((u^p + v^p) / 2)^(1/p) of a coefficient at the share u of the "
            "highest vertical and v of the highest horizontal frequency: p = 1 makes bands "
            "diamonds, 2 circles, a large p squares. In training a coefficient belongs to "
            "neighbouring bands in parts, ever less so; validation and test know no such softness."
        )
    ]
    if any(epoch.rings for history in histories for epoch in history):
        blocks.append(
            Picture(
                name="edges",
                title="Learned edges by epoch",
                alt=f"{count - 1} edges between bands and the exponent of their distance by epoch.",
                caption="Lines are means over seeds, shaded areas reach from the lowest to the "
                "highest seed. Dotted: where learning starts, the paper's bands.",
                figure=extensions.edge_history(summary),
            )
        )
    item = summary.variants.get("edges")
    if item is not None and item.rings is not None:
        uniform = Weighting(summary.records.experiment.bands, [1.0] * count)
        learned = {
            f"learned, seed {seed}": Weighting(
                run.rings.bands(*uniform.bands.shape), run.band_weights
            )
            for seed, run in runs.items()
            if run.rings is not None
        }
        blocks.append(Points([*_findings(summary, "edges"), *_movement(summary, learned.values())]))
        blocks.append(
            Picture(
                name="edges-bands",
                title="The bands at the start and as they were learned",
                alt=f"{count} bands over the DCT plane at the start and for {listing(learned)}.",
                caption="At the best epoch, coloured by weight divided by the mean weight.",
                figure=planes.band_planes({"start": uniform, **learned}),
            )
        )
        if count <= MAX_TABLE_BANDS:
            blocks.append(_edges_table(summary))
    if len(blocks) == 1:
        return None
    return Section(anchor="edges", title="How learned edges move", blocks=blocks)


def input_section(summary: Summary) -> Section | None:
    """How much weights that depend on the image differ between images and classes."""
    item = summary.variants.get("input")
    if item is None or item.class_weights is None or item.image_spread is None:
        return None
    classes = summary.records.experiment.dataset.classes
    shares = [
        spread / weight.mean
        for spread, weight in zip(item.image_spread, item.band_weights, strict=True)
    ]
    most, least = int(np.argmax(shares)), int(np.argmin(shares))
    spread = (
        "Between images, the standard deviation of a weight is "
        f"{100 * shares[least]:.1f} % of its mean in band {least + 1}, where it is least, and "
        f"{100 * shares[most]:.1f} % in band {most + 1}, where it is most"
    )
    shown = (
        f" Of {len(classes)} classes, the {MAX_CLASSES} that differ most are drawn."
        if len(classes) > MAX_CLASSES
        else ""
    )
    blocks: list[Block] = [
        Text(
            "Here a small network adds to the weights of each image what the logarithms of its "
            "band energies tell. Elsewhere on this page its weights are means over images."
        ),
        Picture(
            name="input-weights",
            title="Input-adaptive weights by band and by class",
            alt="Mean and spread of band weights over images, and a table of "
            f"{min(len(classes), MAX_CLASSES)} classes by {len(item.band_weights)} bands with the "
            "difference of the mean weight of the class from that of all images in percent.",
            caption="Over the validation images at the best epoch, means over seeds." + shown,
            figure=extensions.class_weights(summary),
        ),
        Points([*_findings(summary, "input"), sentence(spread)]),
    ]
    return Section(anchor="input", title="Weights that depend on the image", blocks=blocks)


def _findings(summary: Summary, variant: str) -> list[str]:
    gains = (summary.gain(variant, baseline) for baseline in ("adaptive", "static", "none"))
    return [sentence(finding(gain)) for gain in gains if gain is not None]


def _learned_rings(summary: Summary) -> list[Rings]:
    runs = summary.records.runs.values()
    return [run.rings for run in runs if run.variant == "edges" and run.rings is not None]


def _movement(summary: Summary, learned: Iterable[Weighting]) -> list[str]:
    """Say how far edges and exponent went, what that does to scale, and which bands emptied."""
    rings, start = _learned_rings(summary), summary.records.experiment.bands
    count = start.count
    moved = [
        abs(edge - (number + 1) / count) for each in rings for number, edge in enumerate(each.edges)
    ]
    exponents = [each.exponent for each in rings]
    scales = [float(weighting.plane.mean()) for weighting in learned]
    empty = [count - len(np.unique(each.bands(*start.shape).plane)) for each in rings]
    statements = [
        f"Edges end {fmean(moved):.3f} from where they start, on average, and {max(moved):.3f} at "
        f"most; at the start, neighbours are {1 / count:.3f} apart.",
        f"The exponent ends at {fmean(exponents):.2f} ({min(exponents):.2f} to "
        f"{max(exponents):.2f}); it starts at {extensions.START_EXPONENT:.0f}.",
        f"The mean weight of a coefficient ends at {fmean(scales):.3f} ({min(scales):.3f} to "
        f"{max(scales):.3f}) and starts at {1 / count:.3f}: bands of large weight may take more "
        "coefficients in, so that edges change the scale of the network's input, too.",
    ]
    if any(empty):
        statements.append(
            f"Bands that end without a coefficient: {listing(empty)} of {count}, run by run."
        )
    return statements


def _edges_table(summary: Summary) -> Table:
    item, start = summary.variants["edges"], summary.records.experiment.bands
    edges = zip(*(rings.edges for rings in _learned_rings(summary)), strict=True)
    uppers = [*(plain(Spread.of(values)) for values in edges), "1.000"]
    return Table(
        caption="Learned edges at the best epoch "
        f"(mean ± sample standard deviation over {quantity(len(item.seeds), 'seed')})",
        head=["band", "ends at, start", "learned", "coefficients, start", "learned", "weight"],
        rows=[
            [
                str(band + 1),
                f"{(band + 1) / start.count:.3f}",
                uppers[band],
                str(np.count_nonzero(start.plane == band)),
                str(np.count_nonzero(item.bands.plane == band)),
                plain(item.band_weights[band]),
            ]
            for band in range(start.count)
        ],
    )
