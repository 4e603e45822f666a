"""Band weights: how they moved, where they ended, what they do to an image."""

from __future__ import annotations

import numpy as np

from bandwise.report import figures, planes
from bandwise.report.blocks import Block, Picture, Section, Table
from bandwise.report.planes import Weighting
from bandwise.report.summary import Summary, VariantSummary
from bandwise.report.variants import VARIANTS
from bandwise.report.wording import listing, plain

MAX_TABLE_BANDS = 64


def weights_section(summary: Summary) -> Section | None:
    """How the band weights moved, and where they ended."""
    bands = summary.records.experiment.bands
    moving = [name for name in summary.started if VARIANTS[name].learned]
    drawn = [name for name in moving if any(key[0] == name for key in summary.records.histories)]
    finished = {
        VARIANTS[name].label: weighting_of(item)
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
                f"{listing(finished)}.",
                caption="The zero frequency is at the top left. Weights at the best epoch, means "
                "over seeds, divided by the variant's mean weight: above 1 a band gained."
                + _extensions_note(summary),
                figure=planes.band_planes(finished),
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
    weightings = {
        VARIANTS[name].label: weighting_of(item)
        for name, item in summary.variants.items()
        if name != "none"
    }
    if (
        not samples
        or not weightings
        or experiment.bands.shape != experiment.dataset.image_shape[1:]
    ):
        return None
    labels = listing(weightings)
    pictures = [
        Picture(
            name="images",
            title="Images after weighting",
            alt=f"Test images, each as it is and after weighting by {labels}.",
            caption="The inverse DCT of the weighted coefficients. Each panel is stretched to its "
            "own darkest and brightest value, which stand below it; pixels are scaled to −0.5 … "
            "0.5. Weights at the best epoch, means over seeds." + _extensions_note(summary),
            figure=planes.weighted_images(samples, weightings),
        ),
        Picture(
            name="spectra",
            title="DCT magnitudes before and after weighting",
            alt=f"Logarithmic DCT magnitudes of test images before and after weighting: {labels}.",
            caption="One scale for all panels: a weight below 1 darkens its band.",
            figure=planes.weighted_spectra(samples, weightings),
        ),
    ]
    return Section(anchor="images", title="What single images look like", blocks=pictures)


def weighting_of(item: VariantSummary) -> Weighting:
    """Bands of a variant with the means of their weights over seeds."""
    return Weighting(item.bands, [weight.mean for weight in item.band_weights])


def _extensions_note(summary: Summary) -> str:
    """Say what the means of variants stand for whose seeds or images differ in more."""
    notes = {
        "edges": " Learned edges are means over seeds, too.",
        "input": " Input-adaptive weights are means over the validation images.",
    }
    return "".join(note for name, note in notes.items() if name in summary.variants)


def _weights_table(summary: Summary) -> Table:
    bands = summary.records.experiment.bands
    names = [name for name in summary.variants if name != "none"]

    return Table(
        caption="Band weights at the best epoch (mean ± sample standard deviation over seeds)"
        + ("; with learned edges, bands hold other coefficients" * ("edges" in names)),
        head=["band", "coefficients", *(VARIANTS[name].label for name in names)],
        rows=[
            [
                str(band + 1),
                str(np.count_nonzero(bands.plane == band)),
                *(plain(summary.variants[name].band_weights[band]) for name in names),
            ]
            for band in range(bands.count)
        ],
    )
