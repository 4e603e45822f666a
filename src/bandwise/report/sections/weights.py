"""Band weights: how they moved, where they ended, what they do to an image."""

from __future__ import annotations

import numpy as np

from bandwise.report import figures, planes
from bandwise.report.blocks import Block, Picture, Section, Table
from bandwise.report.summary import Spread, Summary
from bandwise.report.variants import VARIANTS
from bandwise.report.wording import (
    listing,
)

MAX_TABLE_BANDS = 64


def weights_section(summary: Summary) -> Section | None:
    """How the band weights moved, and where they ended."""
    bands = summary.records.experiment.bands
    moving = [name for name in summary.started if VARIANTS[name].learned]
    drawn = [name for name in moving if any(key[0] == name for key in summary.records.histories)]
    finished = {
        name: [weight.mean for weight in item.band_weights]
        for name, item in summary.variants.items()
        if VARIANTS[name].learned
    }
    blocks: list[Block] = []
    if drawn:
        first = drawn[0]
        label = VARIANTS[first].label
        blocks.append(
            Picture(
                name="weights",
                title=f"Band weights of {label} by epoch",
                alt=f"Weights of {bands.count} bands by epoch, variant {label}.",
                caption="Lines are means over seeds, shaded areas reach from the lowest to the "
                "highest seed. The grey line is the uniform weight, from which all bands start.",
                figure=figures.weight_history(summary, first),
            )
        )
    if len(drawn) > 1:
        blocks.append(
            Picture(
                name="weights-controls",
                title="Band weights of every learned variant by epoch",
                alt="Weights by epoch, divided by the mean weight, one panel for each of "
                f"{listing(VARIANTS[name].label for name in drawn)}.",
                caption="Divided by the mean weight, so that softmax weights and weights of mean "
                "one share an axis. Means over seeds.",
                figure=figures.weight_histories(summary, drawn),
            )
        )
    if finished:
        blocks.append(
            Picture(
                name="bands",
                title="The bands over the DCT plane",
                alt=f"{bands.count} {bands.kind} bands on a {bands.shape[0]}×{bands.shape[1]} "
                "plane of DCT coefficients, coloured by learned weight, for "
                f"{listing(VARIANTS[name].label for name in finished)}.",
                caption="The zero frequency is at the top left. Weights at the best epoch, means "
                "over seeds, divided by the variant's mean weight: above 1 a band gained.",
                figure=planes.band_planes(bands, finished),
            )
        )
    if summary.variants and bands.count <= MAX_TABLE_BANDS:
        blocks.append(_weights_table(summary))
    if not blocks:
        return None
    return Section(anchor="weights", title="Band weights", blocks=blocks)


def images_section(summary: Summary) -> Section | None:
    """Test images and their spectra after weighting."""
    experiment, samples = summary.records.experiment, summary.records.samples
    weights = {
        name: [weight.mean for weight in item.band_weights]
        for name, item in summary.variants.items()
        if name != "none"
    }
    if not samples or not weights or experiment.bands.shape != experiment.dataset.image_shape[1:]:
        return None
    labels = listing(VARIANTS[name].label for name in weights)
    pictures = [
        Picture(
            name="images",
            title="Images after weighting",
            alt=f"Test images, each as it is and after weighting by {labels}.",
            caption="The inverse DCT of the weighted coefficients. Each panel is stretched to its "
            "own darkest and brightest value, which stand below it; pixels are scaled to −0.5 … "
            "0.5. Weights at the best epoch, means over seeds.",
            figure=planes.weighted_images(samples, experiment.bands, weights),
        ),
        Picture(
            name="spectra",
            title="DCT magnitudes before and after weighting",
            alt=f"Logarithmic DCT magnitudes of test images before and after weighting: {labels}.",
            caption="One scale for all panels: a weight below 1 darkens its band.",
            figure=planes.weighted_spectra(samples, experiment.bands, weights),
        ),
    ]
    return Section(anchor="images", title="What single images look like", blocks=pictures)


def _weights_table(summary: Summary) -> Table:
    bands = summary.records.experiment.bands
    names = [name for name in summary.variants if name != "none"]

    def cell(spread: Spread) -> str:
        return f"{spread.mean:.3f}" + (f" ± {spread.std:.3f}" if spread.std is not None else "")

    return Table(
        caption="Band weights at the best epoch (mean ± sample standard deviation over seeds)",
        head=["band", "coefficients", *(VARIANTS[name].label for name in names)],
        rows=[
            [
                str(band + 1),
                str(np.count_nonzero(bands.plane == band)),
                *(cell(summary.variants[name].band_weights[band]) for name in names),
            ]
            for band in range(bands.count)
        ],
    )
