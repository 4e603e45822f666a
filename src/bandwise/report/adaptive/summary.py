"""What each part of choosing tables by image saves: pure functions of the rows.

Savings are shares of the bytes that one table for all images needs. Each is of one seed of
learning, with both sides of the same seed; over seeds they have a mean and a paired interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final, Literal

from bandwise import measures
from bandwise.measures import (
    ADAPTIVE,
    CONTINUOUS,
    GUIDED,
    ONE_TABLE,
    ORACLE,
    ORIGINAL,
    RATE,
    SCALE,
    Headline,
    OperatingPoint,
    Point,
    Undefined,
    codebook_size,
    without_rate,
)
from bandwise.report.adaptive.records import AdaptiveRecords, Choices, Codebook
from bandwise.report.rate_accuracy.records import main_network
from bandwise.report.rate_accuracy.summary import defined
from bandwise.report.summary import Gain, Spread, gain_of

BOUNDS = (0, 0.5, 1)
"""Points of accuracy that may be lost on validation."""

BOUND = 1
"""What the target and the first sentence speak of."""

EQUAL_DIVERGENCE: Final = "equal divergence"
"""In place of a bound: the divergence of one table's choice for `BOUND`."""

COMMON_RANGE: Final = "common range"
"""In place of a bound: the mean over the accuracies that both sides reach on test."""

TARGET = 0.15
"""Share of bytes that tables for each image were to save."""

Level = float | Literal["equal divergence", "common range"]
"""A bound in points, or what stands in its place."""

LEVELS: tuple[Level, ...] = (BOUND, COMMON_RANGE, EQUAL_DIVERGENCE)
"""Where savings are stated."""


@dataclass(frozen=True, eq=False)
class AdaptiveSummary:
    """All statistics of a results file."""

    records: AdaptiveRecords

    @cached_property
    def network(self) -> str:
        """The network that was asked; tables are learned for it."""
        return main_network(self.records.rate)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of learning with anything measured on test."""
        tested = {p.seed for p in self.records.rate.points if self._counts(p.codec, p.split)}
        return tuple(sorted(tested))

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Ways of choosing that were tested: one table, scale, rate, then codebooks by size."""
        found = {p.family for p in self.records.rate.points if p.codec == ADAPTIVE}
        return tuple(sorted((f for f in found if self.seeds_of(f)), key=_order))

    @cached_property
    def bounds(self) -> tuple[str, ...]:
        """What shows how much there was to save, as far as measured: guided, oracle."""
        return tuple(name for name in (GUIDED, ORACLE) if self.seeds_of(name))

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """Families with a rung for each image."""
        return tuple(
            family
            for family in self.families
            if any(choices.family == family for choices in self.records.choices)
        )

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """Families that the target is for: policies on ladders that were learned."""
        return tuple(family for family in self.policies if family != SCALE)

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """Families whose curves are drawn: no codebook that was not asked for a rate as well."""
        rated = {without_rate(family) for family in self.policies}
        return tuple(
            family for family in self.families if family in (ONE_TABLE, *rated, *self.policies)
        )

    @cached_property
    def bound_seed(self) -> int | None:
        """The seed that guided files and the oracle were measured with."""
        return next((seed for name in self.bounds for seed in self.seeds_of(name)), None)

    @cached_property
    def first_seed(self) -> int:
        """The seed of whose images single distributions are shown: that of the bounds, if any."""
        return self.seeds[0] if self.bound_seed is None else self.bound_seed

    @cached_property
    def missing(self) -> dict[str, list[int]]:
        """Seeds that a family was not tested with and others were."""
        absent = {
            family: [seed for seed in self.seeds if seed not in self.seeds_of(family)]
            for family in self.families
        }
        return {family: seeds for family, seeds in absent.items() if seeds}

    @cache  # noqa: B019  # as long-lived as the page
    def points(self, seed: int) -> list[Point]:
        """Points of one seed of learning: files differ between seeds, so they are not merged."""
        rows = [point.row for point in self.records.rate.points if point.seed == seed]
        return measures.points_of(rows, network=self.network)

    def original(self) -> Point | None:
        """The uncompressed test images; the network is the same for all seeds."""
        return measures.find_original(self.points(self.first_seed), "test")

    @cache  # noqa: B019
    def choice(self, family: str, bound: float, seed: int) -> OperatingPoint | None:
        """Setting with the fewest bytes on validation within ``bound`` points, seen on test."""
        return defined(measures.operating_point(self.points(seed), family, bound))

    def choices(self, family: str, bound: float) -> dict[int, OperatingPoint]:
        """`choice` of every seed that has one."""
        found = {seed: self.choice(family, bound, seed) for seed in self.seeds_of(family)}
        return {seed: choice for seed, choice in found.items() if choice is not None}

    def size_bytes(self, family: str, bound: float) -> Spread | None:
        """Bytes a test image at the chosen settings, over seeds."""
        found = self.choices(family, bound).values()
        return Spread.of([each.mean_bytes.value for each in found]) if found else None

    def accuracy(self, family: str, bound: float) -> Spread | None:
        """Test accuracy at the chosen settings, over seeds."""
        found = self.choices(family, bound).values()
        return Spread.of([each.accuracy.value for each in found]) if found else None

    def holds(self, family: str, bound: float) -> bool:
        """Whether the bound that was met on validation is met on test with every seed."""
        return all(choice.holds for choice in self.choices(family, bound).values())

    @cache  # noqa: B019
    def headline(self, family: str, bound: float, seed: int) -> Headline | Undefined:
        """Bytes saved against one table, with the interval over test images."""
        return measures.headline(self.points(seed), bound, candidate=family, baseline=ONE_TABLE)

    @cache  # noqa: B019
    def saving(self, family: str, level: Level, seed: int) -> float | None:
        """Share of one table's bytes saved at a bound, or at what stands in its place.

        An oracle is after right decisions, whatever becomes of the network's output, so that
        nothing is said of it at equal divergence.
        """
        if not isinstance(level, str):
            found = defined(self.headline(family, level, seed))
            return None if found is None else found.saving.value
        points = self.points(seed)
        if level == COMMON_RANGE:
            difference = defined(measures.bd_rate(points, candidate=family, baseline=ONE_TABLE))
            return None if difference is None else -difference.rate.value
        if family == ORACLE:
            return None
        equal = defined(
            measures.saving_at_equal_divergence(points, BOUND, candidate=family, baseline=ONE_TABLE)
        )
        return None if equal is None else equal.saving

    def savings(self, family: str, level: Level) -> dict[int, float]:
        """`saving` of every seed that has one."""
        found = {seed: self.saving(family, level, seed) for seed in self.seeds_of(family)}
        return {seed: saving for seed, saving in found.items() if saving is not None}

    @cache  # noqa: B019
    def gain(self, family: str, level: Level) -> Gain | None:
        """Mean saving over seeds with its paired interval; None where nothing can be said."""
        savings = self.savings(family, level)
        return gain_of(family, savings, ONE_TABLE, dict.fromkeys(savings, 0.0))

    def recovered(self, family: str, reference: str, level: Level) -> float | None:
        """(B_one − B_family) / (B_one − B_reference), of the seed that the reference has.

        None where the reference itself saves nothing.
        """
        seed = self.bound_seed
        if seed is None:
            return None
        ours, whole = (self.saving(name, level, seed) for name in (family, reference))
        return None if ours is None or whole is None or whole <= 0 else ours / whole

    def decided(self, family: str, label: str, seed: int) -> Choices | None:
        """Ladders and rungs of the test images at a setting."""
        for choices in self.records.choices:
            if (choices.family, choices.label, choices.seed, choices.split) == (
                *(family, label, seed),
                "test",
            ):
                return choices
        return None

    def labels(self, family: str) -> list[str]:
        """Prices of a bit at which a policy was asked, from low to high."""
        found = {each.label for each in self.records.choices if each.family == family}
        return sorted(found, key=float)

    def codebook(self, family: str) -> Codebook | None:
        """Codebook of a family with the first seed that has one."""
        found = [each for each in self.records.codebooks if each.family == family]
        return min(found, key=lambda each: each.seed, default=None)

    def seeds_of(self, name: str) -> tuple[int, ...]:
        """Seeds that a family was tested with."""
        return self._tested.get(name, ())

    @cached_property
    def _tested(self) -> Mapping[str, tuple[int, ...]]:
        """Seeds by family."""
        seeds: dict[str, set[int]] = {}
        for point in self.records.rate.points:
            if self._counts(point.codec, point.split):
                seeds.setdefault(point.family, set()).add(point.seed)
        return {family: tuple(sorted(each)) for family, each in seeds.items()}

    @staticmethod
    def _counts(codec: str, split: str) -> bool:
        return split == "test" and codec != ORIGINAL


def _order(family: str) -> tuple[int, bool, int, str]:
    """One table, scale, rates; codebooks by size, then with a rate; all else after them."""
    known = (ONE_TABLE, SCALE, RATE, CONTINUOUS)
    if family in known:
        return known.index(family), False, 0, family
    size = codebook_size(family)
    if size is None:
        return len(known) + 1, False, 0, family
    return len(known), family != without_rate(family), size, family
