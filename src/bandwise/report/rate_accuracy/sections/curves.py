"""Accuracy and divergence against bytes, one figure a protocol."""

from __future__ import annotations

from bandwise.measures import LEARNED, LIBJPEG, ORIGINAL, quantity
from bandwise.report.blocks import Block, Picture, Section, Text
from bandwise.report.rate_accuracy import figures
from bandwise.report.rate_accuracy.codecs import family_looks, look_of
from bandwise.report.rate_accuracy.curves import Chart, by_way_of_learning, chart_of
from bandwise.report.rate_accuracy.figures import Looks
from bandwise.report.rate_accuracy.sections.savings import overview, savings
from bandwise.report.rate_accuracy.summary import RateSummary
from bandwise.report.wording import listing

SEEDS_NOTE = (
    "Accuracies are means over seeds, image by image. The intervals are over test images and do "
    "not cover how one seed differs from another."
)


def frozen_section(summary: RateSummary) -> Section | None:
    """Curves of a network that was trained on originals."""
    chart = summary.chart
    if chart is None:
        return None
    blocks: list[Block] = [
        Text(
            f"The network {chart.network} was trained on originals and stays as it is; what "
            f"changes are the files of the {quantity(chart.images, 'test image')} that it sees."
        ),
        accuracy_picture("frozen", "Accuracy against size, frozen network", chart),
    ]
    if families := _families(summary):
        blocks.append(families)
    if divergence := _divergence(chart):
        blocks.append(divergence)
    return Section(anchor="frozen", title="Frozen network", blocks=blocks)


def retrained_section(summary: RateSummary) -> Section | None:
    """Curves of networks that were trained further on compressed images."""
    chart = summary.retrained.chart
    if chart is None:
        return None
    text = (
        f"The network {chart.network} was trained on files of each setting before it was tested on "
        f"files of the same setting, {quantity(chart.seeds, 'seed')} a setting at most. These "
        "numbers are compared with each other only, never with those of the frozen network; the "
        "originals are those of a network that was trained as much further on originals."
    )
    picture = accuracy_picture("retrained", "Accuracy against size, retrained network", chart)
    blocks: list[Block] = [Text(text), picture, *overview(summary.retrained)]
    if amounts := savings(summary.retrained):
        blocks += [*amounts, Text(SEEDS_NOTE)]
    return Section(anchor="retrained", title="Retrained network", blocks=blocks)


def accuracy_picture(name: str, title: str, chart: Chart, looks: Looks | None = None) -> Picture:
    """Accuracy against bytes of every curve of a chart."""
    looks = looks or {curve.name: look_of(curve.name) for curve in chart.curves}
    shaded = listing(looks[name].label for name in figures.banded(chart))
    area = (
        "from the lowest to the highest seed, with lines through the means"
        if chart.seeds > 1
        else "the 95 % bootstrap interval of the difference to the originals on the same images"
    )
    return Picture(
        name=name,
        title=title,
        alt=f"Accuracy of {listing(looks[curve.name].label for curve in chart.curves)} against "
        "bytes an image on a logarithmic axis, with bits per source pixel on a second axis.",
        caption="Lines join the settings that no smaller file beats; small marks are the others. "
        f"Shaded for {shaded}: {area}. Files are counted whole, with headers and tables.",
        figure=figures.accuracy_curves(chart, looks),
    )


def _families(summary: RateSummary) -> Picture | None:
    """Ways of learning beside each other, with libjpeg as the yardstick."""
    shown = (LEARNED, LIBJPEG, ORIGINAL)
    points = [point for point in summary.records.points if point.codec in shown]
    chart = chart_of(points, protocol="frozen", network=summary.network, by=by_way_of_learning)
    families = [curve.name for curve in chart.curves if curve.name != LIBJPEG] if chart else []
    if chart is None or len(families) < 2:
        return None
    looks = {**family_looks(families), LIBJPEG: look_of(LIBJPEG)}
    return accuracy_picture("families", "Ways of learning the tables, frozen network", chart, looks)


def _divergence(chart: Chart) -> Picture | None:
    drawn = [curve.name for curve in chart.curves if curve.divergences]
    if not drawn:
        return None
    looks = {name: look_of(name) for name in drawn}
    return Picture(
        name="divergence",
        title="Divergence of the network's output against size, frozen network",
        alt=f"Mean KL divergence of {listing(look.label for look in looks.values())} against bytes "
        "an image, both axes logarithmic.",
        caption="KL(original ‖ compressed) of the predicted class probabilities, mean over images. "
        "It needs no labels and varies less by chance than accuracy, so it shows differences that "
        "a few hundred decisions cannot. Settings that a smaller file beats are left out.",
        figure=figures.divergence_curves(chart, looks),
    )
