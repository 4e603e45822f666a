"""What was learned: tables, importance, how well bytes were foreseen, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from bandwise.measures import LEARNED, LIBJPEG, quantity
from bandwise.report.blocks import Block, Picture, Section, Table, Text
from bandwise.report.rate_accuracy import figures, heatmaps
from bandwise.report.rate_accuracy.codecs import family_looks, setting_words
from bandwise.report.rate_accuracy.records import Floats, LearnedTables, Point
from bandwise.report.rate_accuracy.summary import RateSummary
from bandwise.report.wording import listing, seconds
from bandwise.tables import TableSet


def tables_section(summary: RateSummary) -> Section | None:
    """Learned tables beside those of libjpeg for files of the same size, and the importance."""
    profile = summary.shown_profile()
    if profile is None:
        return None
    blocks: list[Block] = []
    if beside := _beside_libjpeg(summary, profile):
        blocks.append(beside)
    for item in (profile, *summary.records.profiles):
        if item.importance and any(plane.max() > 0 for plane in item.importance.values()):
            blocks.append(_importance(item, item.importance))
            break
    return Section(anchor="tables", title="What was learned", blocks=blocks) if blocks else None


def estimates_section(summary: RateSummary) -> Section | None:
    """Estimated against real payload bytes."""
    points = [
        point
        for point in summary.points()
        if point.estimated_payload_bytes is not None and point.payload_bytes is not None
    ]
    if not points:
        return None
    deviations = [100 * figures.estimate_deviation(point) for point in points]
    inside = sum(abs(value) <= figures.TOLERANCE_PERCENT for value in deviations)
    families = dict.fromkeys(point.family for point in points)
    text = (
        "Learning works with an estimate of the entropy-coded bytes; every rate on this page is "
        f"of real files. Over {quantity(len(points), 'setting')}, the estimate differs from the "
        f"real payload by {fmean(map(abs, deviations)):.1f} % on average and at most "
        f"{max(map(abs, deviations)):.1f} %; {inside} of {len(points)} lie within "
        f"±{figures.TOLERANCE_PERCENT:g} %."
    )
    picture = Picture(
        name="estimates",
        title="Estimated against real bytes",
        alt="Deviation of estimated from real payload bytes, in percent, against real payload "
        f"bytes an image, for {listing(families)}.",
        caption="Payload: the entropy-coded data alone, without headers and tables, summed over "
        f"the test images. The shaded band is ±{figures.TOLERANCE_PERCENT:g} %.",
        figure=figures.estimates(points, family_looks(families)),
    )
    return Section(
        anchor="estimates", title="Estimated and real bytes", blocks=[Text(text), picture]
    )


def learning_section(summary: RateSummary) -> Section | None:
    """What learning took."""
    entries = summary.records.learning
    if not entries:
        return None
    table = Table(
        caption="Time to learn",
        head=["way of learning", "network", "images", "time", "settings"],
        rows=[
            [
                entry.family,
                entry.network,
                f"{entry.images:,}",
                seconds(entry.seconds),
                ", ".join(f"{name} {value}" for name, value in entry.settings.items()),
            ]
            for entry in entries
        ],
        text_columns=frozenset({4}),
    )
    machine = summary.records.facts.machine
    where = ", ".join(
        f"{machine[name]} cores" if name == "cores" else str(machine[name])
        for name in ("processor", "cores")
        if name in machine
    )
    note = f"On {where or 'the machine named below'}, by the clock."
    return Section(anchor="learning", title="Learning time", blocks=[table, Text(note)])


def _beside_libjpeg(summary: RateSummary, profile: LearnedTables) -> Picture | None:
    ours = summary.point_of(LEARNED, profile.family, profile.label)
    if ours is None:
        return None
    rivals = [
        point
        for point in summary.points()
        if point.codec == LIBJPEG and isinstance(point.setting.get("quality"), int)
    ]
    same = [point for point in rivals if point.setting.get("subsampling") == profile.subsampling]
    nearest = min(
        same or rivals,
        key=lambda point: abs(point.mean_bytes - ours.mean_bytes),
        default=None,
    )
    if nearest is None:
        return None
    quality = nearest.setting["quality"]
    return Picture(
        name="tables",
        title="Learned tables beside libjpeg's for files of the same size",
        alt=f"Quantisation steps of {profile.family} {profile.label}, of libjpeg at quality "
        f"{quality}, and their ratio, for each frequency.",
        caption=f"Learned: {setting_words(LEARNED, profile.family, profile.label)}, "
        f"for {profile.network}, "
        f"{_size(ours)}. libjpeg: {nearest.family}, quality {quality}, {_size(nearest)}, the "
        "setting nearest in size. A larger step keeps less of its frequency; below 1 (purple) the "
        "learned table is finer, above 1 (orange) coarser.",
        figure=heatmaps.tables_beside(
            profile.tables, TableSet.ijg(quality), ("learned", f"libjpeg q{quality}")
        ),
    )


def _size(point: Point) -> str:
    return f"{point.mean_bytes:,.0f} bytes an image"


def _importance(profile: LearnedTables, planes: Mapping[str, Floats]) -> Picture:
    return Picture(
        name="importance",
        title="Importance of each frequency to the network",
        alt=f"Importance of 64 frequencies of {listing(planes)}, on a logarithmic scale.",
        caption=f"As {profile.family} found it for {profile.network}. 0 is the most important "
        "frequency of all components, −1 a tenth of it. The zero frequency is at the top left.",
        figure=heatmaps.importance(planes),
    )
