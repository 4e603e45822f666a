"""Codecs that write standard JPEG files with profiles: one for all images, or one an image."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from torch import nn

from bandwise.encoding import Container, encode_pixels
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs.base import Codec, Pixels, Setting
from bandwise.frequency.tables import TableSet
from bandwise.guidance import Guide, Rungs
from bandwise.profile import Profile
from bandwise.results import LEARNED

TOLERANCES = tuple(float(f"{10 ** (exponent / 10):.2g}") for exponent in range(-25, 0))
"""Nats of divergence that a file may cause."""

LADDER_QUALITIES = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 32, 40, 50)


class ProfileCodec(Codec):
    """Standard JPEG files written with profiles, which are told apart by their names.

    Raises `ConfigurationError` for two profiles of one name.
    """

    name = LEARNED

    def __init__(self, profiles: Sequence[Profile], *, container: Container = "smallest") -> None:
        self._container: Container = container
        self._profiles = {profile.name: profile for profile in profiles}
        if len(self._profiles) < len(profiles):
            names = ", ".join(profile.name for profile in profiles)
            raise ConfigurationError(f"profiles of one evaluation have different names: {names}")

    def settings(self) -> list[Setting]:
        """One setting a profile; its hash tells it from another of the same name."""
        return [
            Setting(
                family=family_of(profile),
                label=name,
                options={
                    "profile_sha256": profile.sha256,
                    "subsampling": profile.subsampling,
                    "container": self._container,
                },
            )
            for name, profile in self._profiles.items()
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with the profile's tables."""
        return encode_pixels(pixels_u8, self._profiles[setting.label], container=self._container)


class GuidedCodec(Codec):
    """The smallest file of a ladder whose divergence is within a tolerance, image by image.

    Parameters
    ----------
    guide
        The network that decides. Where it is not the one that judges, that is transfer.
    name
        Codec and family of the rows: another than that of files with one quality for all images.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        guide: nn.Module,
        *,
        name: str,
        device: str = "cpu",
        tolerances: Sequence[float] = TOLERANCES,
    ) -> None:
        self._tolerances = tuple(tolerances)
        self.name = name
        self._guide = Guide(profiles, guide, device=device)
        self._known: dict[bytes, Rungs] = {}

    def settings(self) -> list[Setting]:
        """One setting a tolerance."""
        ladder = hashlib.sha256("".join(p.sha256 for p in self._guide.profiles).encode())
        return [
            Setting(
                family=self.name,
                label=f"within {tolerance:g} nats",
                options={"tolerance": tolerance, "ladder_sha256": ladder.hexdigest()},
            )
            for tolerance in self._tolerances
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with the tables of the chosen profile; the network sees an image once."""
        key = hashlib.sha256(repr(pixels_u8.shape).encode() + pixels_u8.tobytes()).digest()
        if key not in self._known:
            self._known[key] = self._guide.rungs(pixels_u8)
        return self._known[key].choose(setting.options["tolerance"])


def libjpeg_ladder(channels: int) -> list[Profile]:
    """Profiles with the tables of libjpeg, so that choosing alone can be told from learning."""
    colour = {f"libjpeg q{quality}": TableSet.ijg(quality) for quality in LADDER_QUALITIES}
    return [
        Profile(name=name, tables=tables if channels == 3 else TableSet(luma=tables.luma))
        for name, tables in colour.items()
    ]


def family_of(profile: Profile) -> str:
    """How a profile was learned, by the entry "family" of its provenance, and what it keeps."""
    family = str(profile.provenance.get("family", "profile"))
    optimised = profile.rate_distortion
    if optimised is not None and optimised.lagrangian > 0 and not family.endswith("rdo"):
        family += " + rdo"
    kept = profile.frequencies
    return family if kept is None else f"{family} + {len(kept)} frequencies"
