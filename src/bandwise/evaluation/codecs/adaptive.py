"""Tables for each image: from a policy that sees the image, and an oracle that sees its label."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from bandwise import jpeg
from bandwise.adaptive import AdaptiveProfile
from bandwise.data import LabelledImages
from bandwise.encoding import encode_pixels
from bandwise.evaluation.codecs.base import Pixels, Setting, as_array, pixels_key
from bandwise.guidance import Guide, Rungs
from bandwise.profile import Profile

EXTRA_BYTES = (0, 25, 50, 100, 150, 200, 300, 400, 600, 1000, 2000, 4000)
"""What an oracle spends on an image at most, beyond its smallest file, to have it decided right."""


class AdaptiveCodec:
    """The rung that an adaptive profile's policy chooses, at several prices of a bit.

    Parameters
    ----------
    name
        Codec of the rows.
    family
        Family of the rows, that of the codec if not given.
    """

    def __init__(
        self,
        profile: AdaptiveProfile,
        slopes: Sequence[float],
        *,
        name: str,
        family: str | None = None,
    ) -> None:
        self.name = name
        self._family = family or name
        self._profiles = {f"{slope:.2g}": profile.at(slope) for slope in slopes}

    def settings(self) -> list[Setting]:
        """One setting a price of a bit, by which they are named."""
        return [
            Setting(
                family=self._family,
                label=label,
                options={"slope": profile.slope, "profile_sha256": profile.sha256},
            )
            for label, profile in self._profiles.items()
        ]

    def profile(self, label: str) -> AdaptiveProfile:
        """The profile of a setting."""
        return self._profiles[label]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with the tables that the policy chooses."""
        return encode_pixels(pixels_u8, self._profiles[setting.label].profile_for(pixels_u8))

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of a JPEG file."""
        return jpeg.decode(data)


class CodebookCodec:
    """The tables of the kind that an image is of, at one rung for all images.

    Parameters
    ----------
    labels
        Of the rungs, the same for every ladder.
    """

    def __init__(
        self, profile: AdaptiveProfile, labels: Sequence[str], *, name: str, family: str
    ) -> None:
        self.name = name
        self._family = family
        self._profile = profile
        self._rungs = {label: rung for rung, label in enumerate(labels)}

    def settings(self) -> list[Setting]:
        """One setting a rung."""
        return [
            Setting(
                family=self._family,
                label=label,
                options={"rung": rung, "profile_sha256": self._profile.sha256},
            )
            for label, rung in self._rungs.items()
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with the tables of the image's kind."""
        kind, _ = self._profile.choice(pixels_u8)
        return encode_pixels(pixels_u8, self._profile.rung(kind, self._rungs[setting.label]))

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of a JPEG file."""
        return jpeg.decode(data)


class OracleCodec:
    """The smallest file of a ladder that the network decides rightly: an upper bound, no codec.

    It knows the labels. Where no file is decided rightly, or only one that needs more than so many
    bytes beyond the smallest file, an image gets the smallest.

    Parameters
    ----------
    images
        Those that will be encoded, with their labels.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        network: nn.Module,
        images: Sequence[LabelledImages],
        *,
        name: str,
        device: str = "cpu",
    ) -> None:
        self.name = name
        self._guide = Guide(profiles, network, encode=encode_pixels, device=device)
        self._labels: dict[bytes, int] = {}
        for part in images:
            for pixels_u8, label in zip(part.pixels_u8, part.labels.tolist(), strict=True):
                self._labels[pixels_key(as_array(pixels_u8))] = label
        self._known: dict[bytes, Rungs] = {}

    def settings(self) -> list[Setting]:
        """One setting a limit on what a right decision may cost."""
        return [
            Setting(family=self.name, label=f"{extra} B more", options={"extra_bytes": extra})
            for extra in EXTRA_BYTES
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file of the chosen rung."""
        key = pixels_key(pixels_u8)
        if key not in self._known:
            self._known[key] = self._guide.rungs(pixels_u8)
        rungs = self._known[key]
        smallest = min(rungs.files, key=len)
        right = [
            file
            for file, decision in zip(rungs.files, rungs.decisions, strict=True)
            if decision == self._labels[key]
        ]
        limit = len(smallest) + setting.options["extra_bytes"]
        return min((file for file in right if len(file) <= limit), key=len, default=smallest)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of a JPEG file."""
        return jpeg.decode(data)
