"""Profiles as a codec: the files that bandwise writes."""

from __future__ import annotations

from collections.abc import Sequence

from bandwise import jpeg
from bandwise.encoding import Container, encode_pixels
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs.base import Pixels, Quantisation, Setting
from bandwise.measures import LEARNED
from bandwise.profile import Profile


class ProfileCodec:
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

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of a JPEG file."""
        return jpeg.decode(data)

    def quantisation(self, setting: Setting) -> Quantisation | None:
        """Tables of a profile; None where optimisation or dropping changes what they give."""
        profile = self._profiles[setting.label]
        if is_optimised(profile) or profile.frequencies is not None:
            return None
        return Quantisation(profile.tables, profile.subsampling)


def is_optimised(profile: Profile) -> bool:
    """Whether files get other integers than plain rounding gives."""
    return profile.rate_distortion is not None and profile.rate_distortion.slope > 0


def family_of(profile: Profile) -> str:
    """How a profile was learned, by the entry "family" of its provenance, and what it keeps."""
    family = str(profile.provenance.get("family", "profile"))
    if is_optimised(profile) and not family.endswith("rdo"):
        family += " + rdo"
    kept = profile.frequencies
    return family if kept is None else f"{family} + {len(kept)} frequencies"
