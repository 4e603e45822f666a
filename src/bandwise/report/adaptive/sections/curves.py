"""Accuracy and divergence against bytes: every way of choosing, mean over seeds."""

from __future__ import annotations

from dataclasses import replace

from bandwise.measures import ORACLE, ORIGINAL, quantity
from bandwise.report.adaptive.figures import looks_of
from bandwise.report.adaptive.summary import AdaptiveSummary
from bandwise.report.blocks import Picture, Section
from bandwise.report.rate_accuracy import figures
from bandwise.report.rate_accuracy.curves import Chart, chart_of
from bandwise.report.wording import listing


def curves_section(summary: AdaptiveSummary) -> Section:
    """Curves of what is compared: codebooks without a rate only beside the same with one."""
    looks = looks_of(summary)
    chart = compared_chart(summary)
    over_seeds = f"Means over {quantity(len(summary.seeds), 'seed')} of learning"
    names = listing(look.label for look in looks.values())
    accuracy = Picture(
        name="accuracy",
        title="Accuracy against size",
        alt=f"Test accuracy of {names} against bytes an image on a logarithmic axis.",
        caption=f"{over_seeds}, of guided files and the oracle of one. Lines join the settings "
        "that no smaller file beats; small marks are the others. Files are counted whole.",
        figure=figures.accuracy_curves(chart, looks),
    )
    sensible = [curve for curve in chart.curves if curve.name != ORACLE and curve.divergences]
    divergence = Picture(
        name="divergence",
        title="Divergence of the network's output against size",
        alt=f"Mean KL divergence of {listing(looks[curve.name].label for curve in sensible)} "
        "against bytes an image, both axes logarithmic.",
        caption=f"{over_seeds}. KL(original ‖ compressed) of the predicted class probabilities, "
        "mean over images. Without the oracle, which does not care for it.",
        figure=figures.divergence_curves(replace(chart, curves=tuple(sensible)), looks),
    )
    return Section(
        anchor="curves",
        title="Accuracy and divergence against bytes",
        blocks=[accuracy, divergence],
    )


def compared_chart(summary: AdaptiveSummary) -> Chart:
    """Test points of what is compared, in the order of the looks."""
    names = list(looks_of(summary))
    points = [p for p in summary.records.rate.points if p.family in (*names, ORIGINAL)]
    chart = chart_of(
        points, protocol="frozen", network=summary.network, by=lambda point: point.family
    )
    assert chart is not None
    return replace(
        chart, curves=tuple(sorted(chart.curves, key=lambda curve: names.index(curve.name)))
    )
