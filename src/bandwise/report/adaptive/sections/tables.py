"""What was learned, and what choosing costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bandwise.measures import ONE_TABLE, RATE, part_name, quantity
from bandwise.report.adaptive import edges, heatmaps
from bandwise.report.adaptive.records import Codebook
from bandwise.report.adaptive.summary import AdaptiveSummary
from bandwise.report.blocks import Block, Picture, Section, Table, Text
from bandwise.report.summary import Spread
from bandwise.report.wording import listing, seconds


def tables_section(summary: AdaptiveSummary) -> Section | None:
    """The ladder for all images, and how tables of kinds differ from it."""
    one, book = one_ladder(summary), largest(summary)
    blocks: list[Block] = []
    if one is not None:
        blocks.append(_ladder(one))
    if one is not None and book is not None and len(book.ladders[0]) == len(one.ladders[0]):
        blocks.append(_kinds(one, book))
    if few := learned_edges(summary):
        blocks.append(_edges(few))
    return Section(anchor="tables", title="What was learned", blocks=blocks) if blocks else None


def cost_section(summary: AdaptiveSummary) -> Section:
    """What learning took, and what the policy takes for an image."""
    rows = []
    order = {family: place for place, family in enumerate(summary.families)}
    families = dict.fromkeys(book.family for book in summary.records.codebooks)
    for family in sorted(families, key=lambda family: order.get(family, len(order))):
        books = [book for book in summary.records.codebooks if book.family == family]
        taken = Spread.of([book.seconds for book in books])
        rows.append(
            [
                part_name(family),
                str(len(books)),
                " / ".join(dict.fromkeys(str(len(book.ladders)) for book in books)),
                f"{sum(books[0].kinds):,}",
                seconds(taken.mean),
                f"{max(book.multiplications for book in books):,}",
            ]
        )
    table = Table(
        caption="Learning and choosing",
        head=["codebook", "seeds", "kinds", "training images", "time to learn", "multiplications"],
        rows=rows,
    )
    note = (
        "Time by the clock, mean over seeds: kinds and tables, and for a rate also the files of "
        "every training image at every rung, and the policy; without the gradients, which all "
        "codebooks of a seed share. Multiplications are those that choosing "
        "takes for an image of any size, the transform of the blocks it looks at included. Kinds: "
        "as many as were found large enough, by seed where they differ."
    )
    return Section(anchor="cost", title="What it costs", blocks=[table, Text(note)])


def one_ladder(summary: AdaptiveSummary) -> Codebook | None:
    """Codebook of the ladder for all images, with a rate or without."""
    return summary.codebook(RATE) or summary.codebook(ONE_TABLE)


def largest(summary: AdaptiveSummary) -> Codebook | None:
    """Codebook of most kinds among those with a rate, or among all; None where all have one."""
    books = [book for book in summary.records.codebooks if len(book.ladders) > 1]
    rated = [book for book in books if book.family in summary.policies]
    return max(rated or books, key=lambda book: len(book.ladders), default=None)


def learned_edges(summary: AdaptiveSummary) -> dict[str, list[Codebook]]:
    """Codebooks by family, a seed each, whose bands end elsewhere from price to price.

    Of seeds that were learned at other prices than the first, as in a run that is being repeated,
    there are none.
    """
    found = dict[str, list[Codebook]]()
    for book in summary.records.codebooks:
        if len({tuple(each.values()) for _, each in book.rings}) > 1:
            books = found.setdefault(book.family, [book])
            if book is not books[0] and _prices(book) == _prices(books[0]):
                books.append(book)
    return found


def _prices(book: Codebook) -> list[float]:
    return [price for price, _ in book.rings]


def _edges(families: Mapping[str, Sequence[Codebook]]) -> Picture:
    first = next(iter(families.values()))[0]
    count = len(next(iter(first.rings[0][1].values())).edges) + 1
    return Picture(
        name="edges",
        title="Where bands end, by the price of a bit",
        alt=f"Edges between {count} bands of {listing(part_name(family) for family in families)}, "
        f"at {quantity(len(first.rings), 'price')} of a bit.",
        caption=f"Distances from the zero frequency at which {count} bands end: means over seeds "
        "of learning with their ranges. Dashed: bands of equal width, where learning begins. p is "
        "the exponent of the distance: 1 diamonds, 2 circles. Where luma and chroma are alike, one "
        "table is for both.",
        figure=edges.edges_by_price(families),
    )


def _ladder(one: Codebook) -> Picture:
    tables, last = one.ladders[0], len(one.ladders[0]) - 1
    places = dict.fromkeys((0, last // 2, last))
    return Picture(
        name="ladder",
        title="The ladder for all images: finest, middle and coarsest rung",
        alt="Quantisation steps of the first, middle and last rung for each frequency.",
        caption=f"Of {quantity(last + 1, 'rung')}, learned with seed {one.seed}. A larger step "
        "keeps less of its frequency.",
        figure=heatmaps.ladder({f"rung {place + 1}": tables[place] for place in places}),
    )


def _kinds(one: Codebook, book: Codebook) -> Picture:
    rung = (len(one.ladders[0]) - 1) // 2
    return Picture(
        name="kinds",
        title=f"Tables of {quantity(len(book.ladders), 'kind')} of images beside those for all",
        alt="Ratio of the luma steps of each kind of images to those of one table, for each "
        "frequency.",
        caption=f"{part_name(book.family).capitalize()}, seed {book.seed}: luma at rung {rung + 1} "
        "÷ the same rung of the ladder for all images, which costs as much a bit. Purple is finer, "
        "orange coarser; titles count training images.",
        figure=heatmaps.kinds(book, one, rung),
    )
