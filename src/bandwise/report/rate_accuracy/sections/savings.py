"""Tables of bytes at equal accuracy, of any network and protocol, and savings in words."""

from __future__ import annotations

from bandwise.measures import Headline, Interval, OperatingPoint, bound_in_words, find_original
from bandwise.report.blocks import Block, Table, Text
from bandwise.report.rate_accuracy.codecs import look_of
from bandwise.report.rate_accuracy.summary import BOUNDS, HEADLINE_BOUND, RateSummary, defined
from bandwise.report.wording import ABSENT, points

MISSED = " †"

SAVINGS_NOTE = (
    "Positive: fewer bytes; † as above, for either of the two. The intervals are of a paired "
    "bootstrap over test images with the settings held fixed. At equal divergence: where the "
    "network's output differs as much from that on originals as with the other codec's setting "
    f"for ≤ {bound_in_words(HEADLINE_BOUND)}, interpolated between settings. Over the common "
    "range: BD-rate with its sign turned, the mean over accuracies that both reach of log-bytes, "
    "interpolated linearly along each codec's best settings; undefined where the ranges hardly "
    "overlap."
)


def overview(summary: RateSummary) -> list[Block]:
    """Bytes and accuracy of each codec at each bound; nothing where no setting meets any."""
    chosen = {codec: [summary.choice(codec, bound) for bound in BOUNDS] for codec in summary.codecs}
    if not any(choice for choices in chosen.values() for choice in choices):
        return []
    head = ["codec"]
    for bound in BOUNDS:
        head += [f"≤ {bound_in_words(bound)}: bytes an image", "test accuracy"]
    table = Table(
        caption="Bytes an image and test accuracy, at settings chosen on validation",
        head=head,
        rows=[
            [look_of(codec).label, *(cell for choice in choices for cell in _cells(choice))]
            for codec, choices in chosen.items()
        ],
    )
    original = find_original(summary.measured, "test")
    note = f"Originals: {100 * original.accuracy:.2f} % on test. " if original is not None else ""
    return [
        table,
        Text(
            f"{note}The bound holds on the images that chose the setting; † marks test accuracies "
            f"that fall short of it. {ABSENT}: no setting meets the bound on validation."
        ),
    ]


def savings(summary: RateSummary) -> list[Block]:
    """What each of our codecs saves instead of each other one, and how to read it."""
    tables: list[Block] = []
    for candidate in dict.fromkeys(candidate for candidate, _ in summary.comparisons):
        rows = []
        for baseline in (other for one, other in summary.comparisons if one == candidate):
            rate = summary.common_range(candidate, baseline)
            rows.append(
                [
                    look_of(baseline).label,
                    *(saving_cell(summary, candidate, baseline, bound) for bound in BOUNDS),
                    amount_cell(summary.equal_divergence(candidate, baseline)),
                    "undefined" if rate is None else amount_cell(rate),
                ]
            )
        tables.append(
            Table(
                caption=f"Fewer bytes of {look_of(candidate).label} than of each other codec, % "
                "(95 % interval)",
                head=[
                    "instead of",
                    *(f"≤ {bound_in_words(bound)}" for bound in BOUNDS),
                    "at equal divergence",
                    "over the common range of accuracy",
                ],
                rows=rows,
            )
        )
    return [*tables, Text(SAVINGS_NOTE)] if tables else []


def saving_cell(summary: RateSummary, candidate: str, baseline: str, bound: float) -> str:
    """`amount_cell` of a saving, marked where the bound is missed on test."""
    saving = defined(summary.saving(candidate, baseline, bound))
    if saving is None:
        return ABSENT
    return amount_cell(saving.saving, mark="" if saving.holds else MISSED)


def amount_cell(found: Interval | float | None, *, mark: str = "") -> str:
    """Fewer bytes in percent, the interval on a line of its own; n/a without a value."""
    if found is None:
        return ABSENT
    if isinstance(found, float):
        return percent(found)
    return f"{percent(found.value)}{mark}\n({interval(found)})"


def amount(saving: Headline) -> str:
    """``23.1 % fewer bytes (95 % interval 20.0 to 26.2 %)``; turned round where it is more."""
    sign, word = (1, "fewer") if saving.saving.value >= 0 else (-1, "more")
    bounds = f"95 % interval {interval(saving.saving, sign)} %"
    return f"{percent(sign * saving.saving.value)} % {word} bytes ({bounds})"


def name_of(choice: OperatingPoint) -> str:
    """Name of the codec."""
    return look_of(choice.codec).label


def difference(choice: OperatingPoint) -> str:
    """``−0.54 (−1.61 to +0.27)``: percentage points above the originals, on test."""
    drop = choice.drop
    value, low, high = (points((0 - end) / 100) for end in (drop.value, drop.high, drop.low))
    return f"{value} ({low} to {high})"


def percent(share: float) -> str:
    """Percent with a minus sign, without the unit."""
    return f"{100 * share:.1f}".replace("-", "−")


def interval(found: Interval, sign: int = 1) -> str:
    """Ends of an interval in percent, from the lower one."""
    low, high = sorted((sign * found.low, sign * found.high))
    return f"{percent(low)} to {percent(high)}"


def _cells(choice: OperatingPoint | None) -> list[str]:
    if choice is None:
        return [ABSENT, ABSENT]
    accuracy = f"{100 * choice.accuracy.value:.2f} %"
    return [f"{choice.mean_bytes.value:,.0f}", accuracy + ("" if choice.holds else MISSED)]
