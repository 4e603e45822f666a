"""Whether the saving is kept on networks that the tables were not learned for."""

from __future__ import annotations

from bandwise.measures import GUIDED, LEARNED, bound_in_words
from bandwise.report.blocks import Block, Section, Table, Text
from bandwise.report.rate_accuracy.codecs import look_of
from bandwise.report.rate_accuracy.sections.curves import accuracy_picture
from bandwise.report.rate_accuracy.sections.savings import amount_cell, saving_cell
from bandwise.report.rate_accuracy.summary import HEADLINE_BOUND, RateSummary
from bandwise.report.wording import listing


def transfer_section(summary: RateSummary) -> Section | None:
    """Savings and curves on every other network."""
    others = [
        summary.seen_from(network)
        for network in summary.other_networks
        if LEARNED in summary.seen_from(network).codecs
    ]
    if not others:
        return None
    networks = (summary, *others)
    head = ["comparison"]
    for seen in networks:
        head += [f"{seen.network}: ≤ {bound_in_words(HEADLINE_BOUND)}", "at equal divergence"]
    rows = []
    for candidate, baseline in summary.comparisons:
        if any((candidate, baseline) in seen.comparisons for seen in others):
            rows.append([f"{look_of(candidate).label} instead of {look_of(baseline).label}"])
            for seen in networks:
                rows[-1] += [
                    saving_cell(seen, candidate, baseline, HEADLINE_BOUND),
                    amount_cell(seen.equal_divergence(candidate, baseline)),
                ]
    table = Table(caption="Fewer bytes on each network, % (95 % interval)", head=head, rows=rows)
    accuracies = listing(
        f"{100 * seen.original.accuracy:.2f} % by {seen.network}"
        for seen in networks
        if seen.original is not None
    )
    text = (
        f"The tables were learned for {summary.network} and are used as they are with "
        f"{listing(seen.network for seen in others)}, which had no part in learning them. "
        "Settings are chosen anew on validation, with the network that is tested. Test accuracy "
        f"on originals: {accuracies}."
    )
    if GUIDED in summary.codecs:
        text += f" Guided codecs ask {summary.network} also where another network judges."
    blocks: list[Block] = [Text(text), table]
    for number, seen in enumerate(others, start=1):
        if chart := seen.chart:
            title = f"Accuracy against size, {seen.network}, frozen network"
            blocks.append(accuracy_picture(f"transfer-{number}", title, chart))
    return Section(anchor="transfer", title="Transfer to another network", blocks=blocks)
