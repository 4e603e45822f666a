"""Profiles of which each image gets one, chosen by a network at the encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from torch import nn

from bandwise import jpeg
from bandwise.evaluation.codecs.base import Pixels, Setting, pixels_key
from bandwise.guidance import Guide, Rungs
from bandwise.profile import Profile
from bandwise.tables import TableSet

TOLERANCES = tuple(float(f"{10 ** (exponent / 10):.2g}") for exponent in range(-25, 0))
"""Nats of divergence that a file may cause."""

LADDER_QUALITIES = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 32, 40, 50)


class GuidedCodec:
    """The smallest file of a ladder whose divergence is within a tolerance, image by image.

    Parameters
    ----------
    name
        Codec and family of the rows: another than that of files with one quality for all images.
    guide
        The network that decides. Where it is not the one that judges, that is transfer.
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
        self.name = name
        self._guide = Guide(profiles, guide, device=device)
        self._tolerances = tuple(tolerances)
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
        """JPEG file with the tables of the chosen profile."""
        key = pixels_key(pixels_u8)
        if key not in self._known:
            self._known[key] = self._guide.rungs(pixels_u8)
        return self._known[key].choose(setting.options["tolerance"])

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:  # noqa: ARG002
        """Pixels of a JPEG file."""
        return jpeg.decode(data)


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
