"""What the points amount to: choices on validation, savings on test, curves.

Statistics are those of `bandwise.measures`; here they get their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

from bandwise import measures
from bandwise.measures import (
    GUIDED,
    LEARNED,
    LIBJPEG,
    ORIGINAL,
    Headline,
    Interval,
    OperatingPoint,
    Undefined,
)
from bandwise.report.rate_accuracy.codecs import CHOSEN_BY_IMAGE, CODECS, in_order, look_of
from bandwise.report.rate_accuracy.curves import Chart, chart_of
from bandwise.report.rate_accuracy.records import LearnedTables, Point, RateRecords

BOUNDS = (0, 0.5, 1)
"""Largest drops below the originals' accuracy that results are stated for, percentage points."""


HEADLINE_BOUND = 1
"""The bound that the first sentence of the page speaks of."""


@dataclass(frozen=True, eq=False)
class RateSummary:
    """A results file seen from one network under one protocol, which are never mixed."""

    records: RateRecords
    network: str
    protocol: str = "frozen"

    @cached_property
    def codecs(self) -> list[str]:
        """Codecs that the network was tested with."""
        return in_order(point.codec for point in self.points())

    @cached_property
    def other_networks(self) -> list[str]:
        """Networks that the tables were not learned for, in the order of the rows."""
        tested = dict.fromkeys(
            point.network for point in self.records.points if point.split == "test"
        )
        return [name for name in tested if name != self.network]

    def seen_from(self, network: str) -> RateSummary:
        """Return the same results with another network."""
        return RateSummary(self.records, network, self.protocol)

    @cached_property
    def retrained(self) -> RateSummary:
        """The same results with the network as retrained for each setting."""
        return RateSummary(self.records, self.network, "retrained")

    def points(self, split: str = "test") -> list[Point]:
        """Points of this network, originals included; several of a setting where retrained."""
        return [
            point
            for point in self.records.points
            if (point.protocol, point.split, point.network) == (self.protocol, split, self.network)
        ]

    def point_of(self, codec: str, family: str, label: str) -> Point | None:
        """First test point of a setting."""
        return next(
            (
                point
                for point in self.points()
                if (point.codec, point.family, point.label) == (codec, family, label)
            ),
            None,
        )

    @cached_property
    def original(self) -> Point | None:
        """First test point of the originals."""
        return self.point_of(ORIGINAL, ORIGINAL, ORIGINAL)

    @property
    def images(self) -> int:
        """Test images."""
        return max((point.images for point in self.points()), default=0)

    @property
    def untested(self) -> list[str]:
        """Known codecs that the network was not tested with."""
        return [codec for codec in CODECS if codec not in self.codecs]

    @cached_property
    def measured(self) -> list[measures.Point]:
        """Points of this network, as `bandwise.measures` takes them: seeds are merged."""
        rows = [point.row for point in self.records.points]
        return measures.points_of(rows, network=self.network, protocol=self.protocol)

    @cache  # noqa: B019  # as long-lived as the page
    def choice(self, codec: str, bound: float) -> OperatingPoint | None:
        """Setting with the fewest bytes on validation within ``bound`` points, seen on test."""
        return defined(measures.operating_point(self.measured, codec, bound))

    @cached_property
    def comparisons(self) -> list[tuple[str, str]]:
        """Each of our codecs with each other one that may do as much.

        Tables alone are compared with codecs that treat all images alike, since the choice of a
        quality by image saves bytes with any tables.
        """
        alike = [codec for codec in self.codecs if codec not in CHOSEN_BY_IMAGE]
        return [
            (candidate, baseline)
            for candidate, baselines in ((LEARNED, alike), (GUIDED, self.codecs))
            for baseline in baselines
            if candidate in self.codecs and baseline != candidate
        ]

    @cache  # noqa: B019
    def saving(self, candidate: str, baseline: str, bound: float) -> Headline | Undefined:
        """Fewer bytes than ``baseline``, each as chosen for ``bound``."""
        return measures.headline(self.measured, bound, candidate=candidate, baseline=baseline)

    @cached_property
    def yardstick(self) -> str | None:
        """What learned tables are measured by: libjpeg's; without it, the next codec."""
        rivals = [codec for codec in self.codecs if codec not in (LEARNED, *CHOSEN_BY_IMAGE)]
        return LIBJPEG if LIBJPEG in rivals else next(iter(rivals), None)

    def main_saving(self, bound: float, candidate: str = LEARNED) -> Headline | Undefined:
        """Saving over the yardstick."""
        if self.yardstick is None:
            return Undefined(reason="no other codec was measured")
        return self.saving(candidate, self.yardstick, bound)

    def closest_saving(self, bound: float) -> Headline | None:
        """Saving over the smallest other writer of plain JPEG, where the yardstick is larger."""
        rivals = [
            codec
            for codec in self.codecs
            if look_of(codec).plain_jpeg and codec not in (LEARNED, *CHOSEN_BY_IMAGE)
        ]
        found = defined(measures.headline(self.measured, bound, candidate=LEARNED, baseline=rivals))
        return None if found is None or found.baseline.codec == self.yardstick else found

    def equal_divergence(self, candidate: str, baseline: str) -> float | None:
        """Fewer bytes than ``baseline`` where the network's output differs equally, a share."""
        found = defined(
            measures.saving_at_equal_divergence(
                self.measured, HEADLINE_BOUND, candidate=candidate, baseline=baseline
            )
        )
        return None if found is None else found.saving

    def common_range(self, candidate: str, baseline: str) -> Interval | None:
        """Fewer bytes than ``baseline`` over the accuracies that both reach: minus the BD-rate."""
        found = defined(measures.bd_rate(self.measured, candidate=candidate, baseline=baseline))
        if found is None:
            return None
        rate = found.rate
        return Interval(value=-rate.value, low=-rate.high, high=-rate.low)

    @cached_property
    def chart(self) -> Chart | None:
        """Curves of every codec."""
        return chart_of(self.records.points, protocol=self.protocol, network=self.network)

    def shown_profile(self) -> LearnedTables | None:
        """Tables chosen at the widest bound that has a choice; else those with the middle label."""
        profiles = [item for item in self.records.profiles if item.network == self.network]
        for bound in reversed(BOUNDS):
            choice = self.choice(LEARNED, bound)
            for profile in profiles:
                if choice and (profile.family, profile.label) == (
                    choice.family,
                    choice.label,
                ):
                    return profile
        return profiles[len(profiles) // 2] if profiles else None


_Measure = TypeVar("_Measure")


def defined(measure: _Measure | Undefined) -> _Measure | None:
    """Return None for a measure that is undefined."""
    return None if isinstance(measure, Undefined) else measure
