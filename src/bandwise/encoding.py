"""Standard JPEG files of images, quantised as a profile says.

    pixels ──transform──→ coefficients ──round or optimise──→ integers ──smallest container──→ bytes
    file  ──dequantise──→ coefficients ──────────┘

Frequencies that the profile drops are zero before the others are optimised, so that their zeros are
counted with the runs. Every function is pure: the same pixels and profile give the same bytes,
whatever the threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.errors import ConfigurationError, EncodingError
from bandwise.frequency.coefficients import Coefficients, Plane
from bandwise.frequency.tables import TableSet, flat
from bandwise.profile import Profile, RateDistortion

Container = Literal["baseline", "progressive", "smallest"]

CONTAINERS: dict[Container, Sequence[dict[str, bool]]] = {
    "baseline": ({"progressive": False},),
    "progressive": ({"progressive": True},),
    "smallest": (
        {"progressive": False, "jfif": False},
        {"progressive": False, "jfif": False, "shared_huffman": True},
        {"progressive": True, "jfif": False},
    ),
}
"""Settings of `jpeg.write_coefficients` to try for each container; the smallest file is taken."""

_UNQUANTISED = TableSet(luma=flat(1), chroma=flat(1))
_HUFFMAN_GROUPS = (slice(0, 1), slice(1, 3))
_ITERATIONS = 2


class EncodedImage(NamedTuple):
    """A JPEG file, and what its encoder records of it: JSON values by name."""

    data: bytes
    record: Mapping[str, Any] = {}


class ImageEncoder(Protocol):
    """Writes one image as a standard JPEG file; called from several threads.

    The same pixels give the same bytes: what an encoder does is determined by its profiles and
    settings, by which files can be told from those of another encoder.
    """

    @property
    def profiles(self) -> Sequence[Profile]:
        """Profiles of which each file has one; all for grey images, or all for colour."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """What determines the bytes beside the profiles: JSON values by name."""
        ...

    def encode(
        self, pixels_u8: NDArray[np.uint8], *, icc: bytes | None = None, source: bytes | None = None
    ) -> EncodedImage:
        """JPEG file of uint8 pixels, (height, width) grey or (height, width, 3) RGB.

        It has the tables of one of the profiles, or is the image's own file ``source``. Raises
        `EncodingError` for an image that the profiles are not for.
        """
        ...


@dataclass(frozen=True)
class ProfileEncoder:
    """Writes every image with one profile: an `ImageEncoder`."""

    profile: Profile
    container: Container = "smallest"

    @property
    def profiles(self) -> tuple[Profile]:
        """The profile alone."""
        return (self.profile,)

    @property
    def settings(self) -> dict[str, Any]:
        """The container."""
        return {"container": self.container}

    def encode(
        self,
        pixels_u8: NDArray[np.uint8],
        *,
        icc: bytes | None = None,
        source: bytes | None = None,  # noqa: ARG002
    ) -> EncodedImage:
        """Return the file of `encode_pixels`, which raises the same."""
        data = encode_pixels(pixels_u8, self.profile, container=self.container, icc=icc)
        return EncodedImage(data)


def encode_pixels(
    pixels_u8: NDArray[np.uint8],
    profile: Profile,
    *,
    container: Container = "smallest",
    icc: bytes | None = None,
    exif: bytes | None = None,
) -> bytes:
    """JPEG file of uint8 pixels, (height, width) grey or (height, width, 3) RGB.

    The file has exactly the profile's tables; a grey image needs only the luma table. Without rate–
    distortion optimisation, or at λ = 0, the integers are those of `jpeg.encode`. With it they
    are chosen from coefficients that are rounded to integers. Those of frequencies that the profile
    drops are zero. "baseline" and "progressive" files have optimised Huffman tables; "smallest" is
    the smallest of baseline, baseline with one pair of Huffman tables for all components, and
    progressive, each without the JFIF marker (18 bytes that decoders do not need). Raises
    `EncodingError` for colour with a profile for grey, `ConfigurationError`, and what `jpeg.encode`
    raises.
    """
    if pixels_u8.ndim == 3 and profile.tables.chroma is None:
        raise EncodingError(
            f"colour pixels {pixels_u8.shape} with the profile {profile.name!r} for grey images; "
            "convert them to grey, or learn a profile from colour images"
        )
    choice = _optimisation(profile)
    if choice is None and profile.frequencies is None and container in ("baseline", "progressive"):
        return jpeg.encode(
            pixels_u8,
            profile.tables,
            subsampling=profile.subsampling,
            icc=icc,
            exif=exif,
            **CONTAINERS[container][0],
        )
    tables = profile.tables if choice is None else _UNQUANTISED
    image = jpeg.pixels_to_coefficients(pixels_u8, tables, subsampling=profile.subsampling)
    image = _kept(image, profile)
    if choice is not None:
        image = _quantised(image, profile)
    return _smallest(replace(image, icc=icc, exif=exif), container)


def requantise(data: bytes, profile: Profile, *, container: Container = "smallest") -> bytes:
    """JPEG file with the coefficients of another one, quantised anew; ICC and EXIF are kept.

    Pixels are not decoded: there is no clipping, no chroma resampling and no colour conversion.
    What the first file rounded away stays lost, so a coefficient is off by up to half a step of the
    old table plus half a step of the new one. That is exact enough where the new steps are a few
    times the old ones, and best where they are odd multiples: then the result is what encoding the
    original would have given, ties aside. New steps below the old ones keep the old quality.
    Frequencies that the profile drops become zero. Raises `EncodingError` where the file's
    components or sampling are not the profile's, `ConfigurationError`, and what
    `jpeg.read_coefficients` raises.
    """
    image = jpeg.read_coefficients(data)
    if image.colour != "grey" and profile.tables.chroma is None:
        raise EncodingError(
            f"a colour JPEG with the profile {profile.name!r} for grey images; "
            "learn a profile from colour images, or decode the file, convert it to grey, encode it"
        )
    if image.subsampling not in ("grey", profile.subsampling):
        raise EncodingError(
            f"a JPEG at {image.subsampling} with the profile {profile.name!r} at "
            f"{profile.subsampling}; decode the file and encode its pixels instead"
        )
    return _smallest(_quantised(_kept(image, profile), profile), container)


def _optimisation(profile: Profile) -> RateDistortion | None:
    """Settings of the optimisation, None where it would change nothing."""
    choice = profile.rate_distortion
    return choice if choice is not None and choice.lagrangian > 0 else None


def _kept(image: Coefficients, profile: Profile) -> Coefficients:
    """The image with zeros at the frequencies that the profile drops."""
    if profile.frequencies is None:
        return image
    planes = (
        replace(plane, blocks=plane.blocks * profile.masks[name])
        for name, plane in zip(profile.components, image.planes, strict=False)
    )
    return replace(image, planes=tuple(planes))


def _quantised(image: Coefficients, profile: Profile) -> Coefficients:
    """Requantise an image with the profile's tables; its size and metadata stay."""
    planes: list[Plane] = []
    for group in _HUFFMAN_GROUPS:
        planes += _quantised_group(image.planes[group], profile, group)
    return replace(image, planes=tuple(planes))


def _quantised_group(planes: Sequence[Plane], profile: Profile, group: slice) -> Iterator[Plane]:
    """Requantise planes that share a quantisation table and a Huffman table."""
    table = profile.tables.luma if group.start == 0 else profile.tables.chroma
    if table is None or not planes:
        return
    coefficients = [plane.dequantised() for plane in planes]
    integers = [jpeg.round_blocks(x, table) for x in coefficients]
    choice = _optimisation(profile)
    if choice is not None:
        sensitivities = [choice.sensitivity[name] for name in profile.components[group]]
        for _ in range(_ITERATIONS):
            ac_bits = jpeg.ac_code_bits(*integers)
            integers = [
                jpeg.optimise_blocks(
                    x, table, sensitivity=sensitivity, lagrangian=choice.lagrangian, ac_bits=ac_bits
                )
                for x, sensitivity in zip(coefficients, sensitivities, strict=True)
            ]
    for plane, blocks in zip(planes, integers, strict=True):
        yield replace(plane, blocks=blocks, table=table)


def _smallest(image: Coefficients, container: Container) -> bytes:
    """Write an image in each way that the container allows; the smallest file."""
    if container not in CONTAINERS:
        raise ConfigurationError(f"container {container!r}; choose one of {', '.join(CONTAINERS)}")
    written = (
        jpeg.write_coefficients(image, **settings)
        for settings in CONTAINERS[container]
        if image.colour != "grey" or not settings.get("shared_huffman")
    )
    return min(written, key=len)
