"""Statistics of a rate–accuracy experiment, as one network sees the files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bandwise import statistics
from bandwise.report.rate_figures import CODECS, Curve, in_order, look_of
from bandwise.report.wording import MISSED, amount, listing, share
from bandwise.results import (
    GUIDED,
    GUIDED_LIBJPEG,
    LEARNED,
    LIBJPEG,
    LearnedTables,
    Measurement,
    Protocol,
    Results,
)
from bandwise.statistics import Headline, Interval, OperatingPoint, Undefined
from bandwise.wording import bound_in_words, quantity

Floats = NDArray[np.float64]

BOUNDS = (0.0, 0.5, 1.0)
"""Largest drops below the originals' accuracy that results are stated for, percentage points."""

HEADLINE_BOUND = 1.0
"""The bound that sentences speak of."""

CHOSEN_BY_IMAGE = (GUIDED, GUIDED_LIBJPEG)
"""Codecs whose encoder asks the network how far it may go with each image."""

MAX_SHADED = 3
"""With more curves than this, shaded intervals would hide each other."""

NOT_STATED = (LEARNED, "downscale")
"""Baselines that sentences leave to the tables."""

_T = TypeVar("_T")


class Study:
    """Results as one network sees them under one protocol, which are never mixed."""

    def __init__(
        self,
        results: Results,
        network: str | None = None,
        protocol: Protocol = "frozen",
        *,
        bound: float = HEADLINE_BOUND,
    ) -> None:
        self.results, self.protocol = results, protocol
        self.bound, self.bounds = bound, sorted({*BOUNDS, bound})
        self.experiment = results.experiment
        self.dataset = results.experiment.dataset
        self.network = _main_network(results) if network is None else network
        self.measured = statistics.merge_seeds(
            results.of(Measurement), protocol=protocol, network=self.network
        )
        self.tested = [each for each in self.measured if each.split == "test"]
        self.codecs = in_order(each.codec for each in self.tested)
        self.original = statistics.find_original(self.measured, "test")
        self.images = max((each.images for each in self.tested), default=0)
        self.seeds = max((len(each.seeds) for each in self.tested), default=1) or 1

    @cached_property
    def others(self) -> list[Study]:
        """The same with networks that the tables were not learned for, where they saw them."""
        names = dict.fromkeys(each.network for each in self.results.of(Measurement))
        others = [name for name in names if name != self.network]
        studies = [Study(self.results, name, bound=self.bound) for name in others]
        return [study for study in studies if LEARNED in study.codecs]

    @cached_property
    def retrained(self) -> Study:
        """The same with the network as it was trained on with the files of each setting."""
        return Study(self.results, self.network, "retrained", bound=self.bound)

    @property
    def untested(self) -> list[str]:
        """Known codecs that were not measured, by their label."""
        return [look.label for name, look in CODECS.items() if name not in self.codecs]

    @property
    def unfinished(self) -> str:
        """How many settings are chosen among and not tested yet; empty where none."""
        tested = {_key(each) for each in self.results.of(Measurement) if each.split == "test"}
        counts = Counter(
            (each.network, each.protocol)
            for each in self.results.of(Measurement)
            if _key(each) not in tested
        )
        if not counts:
            return ""
        settings = [
            f"{quantity(count, 'setting')} with {network}, {protocol}"
            for (network, protocol), count in counts.items()
        ]
        return (
            f"Not finished: {listing(settings)}, measured on validation and not yet on test. "
            "What is stated counts settings that are measured on both."
        )

    def find(self, codec: str, family: str, label: str) -> Measurement | None:
        """A setting on test."""
        key = (codec, family, label)
        return next((each for each in self.tested if each.setting_key == key), None)

    @cache  # noqa: B019  # as long-lived as the page
    def choice(self, codec: str, bound: float) -> OperatingPoint | None:
        """Setting with the fewest bytes on validation within ``bound`` points, seen on test."""
        return defined(statistics.operating_point(self.measured, codec, bound))

    @property
    def shown_profile(self) -> LearnedTables | None:
        """Tables chosen at the widest bound that has a choice; else those in the middle."""
        profiles = [p for p in self.results.of(LearnedTables) if p.network == self.network]
        by_name = {(profile.family, profile.label): profile for profile in profiles}
        for bound in reversed(self.bounds):
            choice = self.choice(LEARNED, bound)
            if choice is not None and (choice.family, choice.label) in by_name:
                return by_name[choice.family, choice.label]
        return profiles[len(profiles) // 2] if profiles else None

    def libjpeg_of_size(self, mean_bytes: float, subsampling: str) -> Measurement | None:
        """Setting of libjpeg's own tables that is nearest in size, of the same sampling if any."""
        own = [each for each in self.tested if each.codec == LIBJPEG if "quality" in each.setting]
        same = [each for each in own if each.setting.get("subsampling") == subsampling]
        return min(same or own, key=lambda each: abs(each.mean_bytes - mean_bytes), default=None)

    @cached_property
    def comparisons(self) -> dict[str, list[str]]:
        """Codecs that each of ours is compared with.

        Tables alone are compared with codecs that treat all images alike, since the choice of a
        quality by image saves bytes with any tables.
        """
        alike = [codec for codec in self.codecs if codec not in CHOSEN_BY_IMAGE]
        return {
            candidate: [codec for codec in baselines if codec != candidate]
            for candidate, baselines in ((LEARNED, alike), (GUIDED, self.codecs))
            if candidate in self.codecs
        }

    @cache  # noqa: B019
    def saving(
        self, candidate: str, baseline: str | tuple[str, ...], bound: float | None = None
    ) -> Headline | Undefined:
        """Fewer bytes than ``baseline``, each as chosen for ``bound``."""
        bound = self.bound if bound is None else bound
        return statistics.headline(self.measured, bound, candidate=candidate, baseline=baseline)

    @property
    def yardstick(self) -> str | None:
        """What learned tables are measured by: libjpeg's; without it, the next codec."""
        rivals = self.comparisons.get(LEARNED, self.codecs)
        return LIBJPEG if LIBJPEG in rivals else next(iter(rivals), None)

    def main_saving(
        self, candidate: str = LEARNED, bound: float | None = None
    ) -> Headline | Undefined:
        """Saving over the yardstick."""
        if self.yardstick is None:
            return Undefined(reason="no other codec was measured")
        return self.saving(candidate, self.yardstick, bound)

    @property
    def closest_saving(self) -> Headline | None:
        """Saving over the smallest other writer of plain JPEG, where the yardstick is larger."""
        rivals = self.comparisons.get(LEARNED, ())
        plain = tuple(codec for codec in rivals if look_of(codec).plain_jpeg)
        found = defined(self.saving(LEARNED, plain))
        return None if found is None or found.baseline.codec == self.yardstick else found

    @property
    def tables_share(self) -> float | None:
        """Share of the guided codec's gain, in log bytes, that is that of its tables.

        None where one of the two savings is undefined or the codec gains nothing.
        """
        whole, of_tables = self.main_saving(GUIDED), self.saving(GUIDED, GUIDED_LIBJPEG)
        if not (isinstance(whole, Headline) and isinstance(of_tables, Headline)):
            return None
        if whole.saving.value <= 0:
            return None
        return math.log1p(-of_tables.saving.value) / math.log1p(-whole.saving.value)

    @property
    def missed(self) -> list[OperatingPoint]:
        """Chosen settings that the verdict speaks of and whose bound does not hold on test."""
        found = (
            self.main_saving(),
            self.closest_saving,
            *((self.main_saving(GUIDED), self.saving(GUIDED, GUIDED_LIBJPEG))),
        )
        sides = [
            side
            for saving in found
            if isinstance(saving, Headline)
            for side in (saving.candidate, saving.baseline)
        ]
        return list({side.codec: side for side in sides if not side.holds}.values())

    @cache  # noqa: B019
    def equal_divergence(self, candidate: str, baseline: str) -> float | None:
        """Fewer bytes than ``baseline`` where the network's output differs equally, a share."""
        found = defined(
            statistics.saving_at_equal_divergence(
                self.measured, self.bound, candidate=candidate, baseline=baseline
            )
        )
        return None if found is None else found.saving

    def common_range(self, candidate: str, baseline: str) -> Interval | None:
        """Fewer bytes than ``baseline`` over the accuracies that both reach: minus the BD-rate."""
        found = statistics.bd_rate(self.measured, candidate=candidate, baseline=baseline)
        if isinstance(found, Undefined):
            return None
        return Interval(value=-found.rate.value, low=-found.rate.high, high=-found.rate.low)

    def sentences(self, *, short: bool = False) -> Iterator[str]:
        """What each of our codecs saves over others, over libjpeg's alone if short.

        Equal divergence is that from a network's output on originals, which a network that was
        trained on with files does not aim at, so that it is left out there.
        """
        for candidate, baselines in self.comparisons.items():
            for baseline in baselines:
                if baseline in (LIBJPEG, GUIDED_LIBJPEG) or not (short or baseline in NOT_STATED):
                    yield self._sentence(candidate, baseline)

    def _sentence(self, candidate: str, baseline: str) -> str:
        ours, theirs = look_of(candidate).label, look_of(baseline).label
        found = self.saving(candidate, baseline)
        if isinstance(found, Undefined):
            text = f"{ours} against {theirs}: no saving can be stated, {found.reason}"
        else:
            text = (
                f"{ours} needs {amount(found.saving)} than {theirs} "
                f"at ≤ {bound_in_words(self.bound)} lost"
            )
        equal = self.equal_divergence(candidate, baseline) if self.protocol == "frozen" else None
        if equal is not None:
            text += f", {share(equal)} at equal divergence"
        if isinstance(found, Headline) and not found.holds:
            sides = {ours: found.candidate, theirs: found.baseline}
            missed = [f"{name} {s.drop.value:.2f}" for name, s in sides.items() if not s.holds]
            text += f"{MISSED} (points lost on test: {', '.join(missed)})"
        return f"{text}."

    def curves(self) -> list[Curve]:
        """Settings of each codec on test; where there are many, only two are shaded."""
        shaded = self.codecs if len(self.codecs) <= MAX_SHADED else [LEARNED, LIBJPEG]
        settings = {c: [each for each in self.tested if each.codec == c] for c in self.codecs}
        return [
            Curve(
                look=look_of(codec),
                settings=of_codec,
                ends=self._ends(of_codec) if codec in shaded else None,
            )
            for codec, of_codec in settings.items()
        ]

    def _ends(self, settings: list[Measurement]) -> Floats | None:
        """(2, N) ends of the accuracy along the envelope.

        Of several seeds, the lowest and highest one; of one, the accuracy of the originals plus the
        95 % interval of the difference to them on the same images.
        """
        kept = Curve(look=look_of(""), settings=settings).envelope
        if self.seeds > 1:
            raw = self.results.of(Measurement)
            of_seeds = [
                [s.accuracy for s in raw if _key(s)[:-1] == _key(k)[:-1] and s.split == "test"]
                for k in kept
            ]
            return np.array([[min(each) for each in of_seeds], [max(each) for each in of_seeds]])
        if self.original is None:
            return None
        correct = np.stack([each.image_correct for each in kept], axis=1)
        intervals = statistics.bootstrap(
            correct - self.original.image_correct[:, None],
            lambda means: list(np.moveaxis(means, -1, 0)),
        )
        ends = np.array([[each.low for each in intervals], [each.high for each in intervals]])
        return self.original.accuracy + ends


def _main_network(results: Results) -> str:
    """Network that most tables were learned for; without tables, the one with most points."""
    learned = Counter(each.network for each in results.of(LearnedTables))
    points = results.of(Measurement)
    learned = learned or Counter(each.network for each in points if each.codec == LEARNED)
    counts = learned or Counter(each.network for each in points)
    return next((name for name, _ in counts.most_common(1)), "")


def _key(each: Measurement) -> tuple[Any, ...]:
    return each.network, each.protocol, *each.setting_key, each.seed


def defined(found: _T | Undefined) -> _T | None:
    """Return None for a quantity that is undefined."""
    return None if isinstance(found, Undefined) else found
