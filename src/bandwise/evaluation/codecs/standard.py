"""Codecs whose files are standard JPEG that bandwise writes: libjpeg's tables and profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from bandwise import jpeg
from bandwise.encoding import Container, encode_pixels
from bandwise.errors import ConfigurationError
from bandwise.evaluation.codecs.base import Codec, Pixels, Quantisation, Setting
from bandwise.frequency.tables import TableSet
from bandwise.guidance import Guide, Rungs
from bandwise.profile import Profile
from bandwise.results import LEARNED, LIBJPEG

CONTAINERS: dict[str, dict[str, Any]] = {
    "baseline": {"progressive": False},
    "progressive": {"progressive": True},
    "smallest": {"container": "smallest"},
    "compact": {"progressive": False, "shared_huffman": True, "jfif": False},
}
"""How the same coefficients are stored, so that the decoded pixels are the same.

Options of `bandwise.jpeg.encode`; "smallest" is the choice image by image that
`bandwise.encoding.encode_pixels` makes for profiles too. A compact file has one pair of Huffman
tables and no JFIF marker: the shortest header.
"""

DOWNSCALE_SIDES = (Fraction(1, 2), Fraction(5, 8), Fraction(3, 4), Fraction(7, 8))

TOLERANCES = tuple(float(f"{10 ** (exponent / 10):.2g}") for exponent in range(-25, 0))
"""Nats of divergence that a file may cause."""

LADDER_QUALITIES = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 32, 40, 50)


class LibjpegCodec(Codec):
    """libjpeg's tables with optimised Huffman codes: 4:2:0 and 4:4:4, stored in every way.

    The families "libjpeg compact" and "... smallest" show what headers and containers cost apart
    from what tables save.
    """

    name = LIBJPEG

    def settings(self) -> list[Setting]:
        """Each subsampling with each way of storing, over the qualities."""
        return [
            Setting(
                family=f"libjpeg{'' if container == 'compact' else shown} {container}",
                label=f"q{quality}{shown if container == 'compact' else ''}",
                options={"quality": quality, "subsampling": subsampling, **stored},
            )
            for subsampling, shown in self.subsamplings()
            for container, stored in CONTAINERS.items()
            for quality in self.qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with libjpeg's tables of a quality."""
        return _encode_at_quality(pixels_u8, **setting.options)

    def quantisation(self, setting: Setting) -> Quantisation | None:
        """Tables of a quality; None for progressive files."""
        options = setting.options
        if options.get("progressive"):
            return None
        return Quantisation(TableSet.ijg(options["quality"]), options["subsampling"])


class DownscaleCodec(Codec):
    """Scale down by Lanczos, store as libjpeg 4:2:0, scale back to the size by bicubic filter."""

    name = "downscale"
    sweep = (5, 8, 10, 12, 15, 18, 21, 25, 30, 35, 40, 50, 60, 70, 80, 90)

    def settings(self) -> list[Setting]:
        """Each share of the side, as baseline and compact file, over the qualities."""
        return [
            Setting(
                family=f"downscale {side}{shown}",
                label=f"q{quality}",
                options={
                    "side": str(side),
                    "quality": quality,
                    "subsampling": "4:2:0",
                    **CONTAINERS[container],
                },
            )
            for side in DOWNSCALE_SIDES
            for container, shown in (("baseline", ""), ("compact", " compact"))
            for quality in self.qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file of the smaller image; its sides are rounded, at least 1."""
        options = dict(setting.options)
        side = Fraction(options.pop("side"))
        height, width = (max(1, round(side * length)) for length in pixels_u8.shape[:2])
        smaller = _resized(pixels_u8, height, width, Image.Resampling.LANCZOS)
        return _encode_at_quality(smaller, **options)

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        """Pixels scaled back to the height and width of `shape`."""
        return _resized(jpeg.decode(data), shape[0], shape[1], Image.Resampling.BICUBIC)


class ProfileCodec(Codec):
    """Standard JPEG files written with profiles, which are told apart by their names.

    Raises `ConfigurationError` for two profiles of one name.
    """

    name = LEARNED

    def __init__(self, profiles: Sequence[Profile], *, container: Container = "smallest") -> None:
        super().__init__()
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

    def quantisation(self, setting: Setting) -> Quantisation | None:
        """Tables of a profile; None where optimisation or dropping changes what they give."""
        profile = self._profiles[setting.label]
        if _is_optimised(profile) or profile.frequencies is not None:
            return None
        return Quantisation(profile.tables, profile.subsampling)


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
        super().__init__(qualities=tolerances)
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
            for tolerance in self.qualities
        ]

    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        """JPEG file with the tables of the chosen profile; the network sees an image once."""
        key = hashlib.sha256(repr(pixels_u8.shape).encode() + pixels_u8.tobytes()).digest()
        if key not in self._known:
            self._known[key] = self._guide.rungs(pixels_u8)
        return self._known[key].choose(setting.options["tolerance"])


def libjpeg_ladder(channels: int) -> list[Profile]:
    """Profiles with the tables of libjpeg, so that choosing alone can be told from learning."""
    colour = [TableSet.ijg(quality) for quality in LADDER_QUALITIES]
    return [
        Profile(
            name=f"libjpeg q{quality}",
            tables=tables if channels == 3 else TableSet(luma=tables.luma),
        )
        for quality, tables in zip(LADDER_QUALITIES, colour, strict=True)
    ]


def family_of(profile: Profile) -> str:
    """How a profile was learned, by the entry "family" of its provenance, and what it keeps."""
    family = str(profile.provenance.get("family", "profile"))
    if _is_optimised(profile) and not family.endswith("rdo"):
        family += " + rdo"
    kept = profile.frequencies
    return family if kept is None else f"{family} + {len(kept)} frequencies"


def _is_optimised(profile: Profile) -> bool:
    """Whether files get other integers than plain rounding gives."""
    return profile.rate_distortion is not None and profile.rate_distortion.lagrangian > 0


def _encode_at_quality(
    pixels_u8: Pixels, *, quality: int, container: Container | None = None, **options: Any
) -> bytes:
    tables = TableSet.ijg(quality)
    if container is None:
        return jpeg.encode(pixels_u8, tables, **options)
    profile = Profile(name="libjpeg", tables=tables, **options)
    return encode_pixels(pixels_u8, profile, container=container)


def _resized(pixels_u8: Pixels, height: int, width: int, method: Image.Resampling) -> Pixels:
    return np.asarray(Image.fromarray(pixels_u8).resize((width, height), method))
