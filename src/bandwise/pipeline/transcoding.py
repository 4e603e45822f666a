"""The unit of work: one image file's bytes to one JPEG file's bytes, or the reason why not."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.coefficients import Coefficients
from bandwise.encoding import Container, encode_pixels, requantise
from bandwise.errors import (
    CoefficientError,
    ConfigurationError,
    EncodingError,
    JpegError,
    UnreadableImageError,
)
from bandwise.images import open_image, turn
from bandwise.jpeg.markers import EXIF_PREFIX, segments
from bandwise.pipeline.reading import Alpha, read_picture
from bandwise.profile import Profile

IMAGE_ERRORS = (UnreadableImageError, JpegError, CoefficientError, EncodingError)
"""What `transcode` raises because of the image; the next one may well be fine."""

_APP1 = 0xE1
_SEGMENT_HEADER = 4
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How files are written, beside what the profile says. Raises `ConfigurationError`."""

    container: Container = "smallest"
    alpha: Alpha = "white"
    requantise: bool = False

    def __post_init__(self) -> None:
        for name, choices in (("container", get_args(Container)), ("alpha", get_args(Alpha))):
            if getattr(self, name) not in choices:
                raise ConfigurationError(
                    f"{name} {getattr(self, name)!r}; choose one of {', '.join(choices)}"
                )


DEFAULT_OPTIONS = EncodeOptions()


@dataclass(frozen=True, kw_only=True)
class Transcoded:
    """A JPEG file, and whether its source was requantised rather than decoded."""

    data: bytes
    requantised: bool = False


class Chooser(Protocol):
    """Gives each image one of several profiles, by its pixels; called from several threads."""

    @property
    def profiles(self) -> Sequence[Profile]:
        """Every profile that an image may get."""
        ...

    def profile_for(self, pixels_u8: NDArray[np.uint8]) -> Profile:
        """Profile for an image (height, width) or (height, width, 3)."""
        ...


def transcode(
    data: bytes, profile: Profile | Chooser, options: EncodeOptions = DEFAULT_OPTIONS
) -> Transcoded:
    """JPEG file, with the profile's tables, of any image file's bytes; always the same bytes.

    Pixels as `read_picture` gives them. With `options.requantise` a JPEG keeps its coefficients,
    quantised anew, where its sampling is the profile's and EXIF does not have it turned; its ICC
    profile is kept and its EXIF block left out. The result has been read back and its tables
    compared. Raises one of `IMAGE_ERRORS` with the reason why there is none; `ConfigurationError`
    for requantising with profiles to choose from, which are compared from pixels.
    """
    if options.requantise:
        if not isinstance(profile, Profile):
            raise ConfigurationError(
                "several profiles are compared from pixels; give one profile to requantise"
            )
        requantised = _requantised(data, profile, options)
        if requantised is not None:
            check_file(requantised, profile)
            return Transcoded(data=requantised, requantised=True)
    picture = read_picture(data, alpha=options.alpha)
    chosen = profile if isinstance(profile, Profile) else profile.profile_for(picture.pixels_u8)
    encoded = encode_pixels(picture.pixels_u8, chosen, container=options.container, icc=picture.icc)
    check_file(encoded, chosen)
    return Transcoded(data=encoded)


def check_file(data: bytes, profile: Profile) -> None:
    """Read a JPEG file whole; `EncodingError` unless it has the profile's tables and sampling.

    So it is where it holds a frequency that the profile drops. Raises `JpegError` where it is
    damaged. Rate–distortion optimisation leaves no trace to check, nor do frequencies that the file
    lacks and the profile keeps.
    """
    _check_read(jpeg.read_coefficients(data), profile)


def check_with_any(data: bytes, profiles: Sequence[Profile]) -> None:
    """`check_file` with whichever profile fits; where none does, the error of the last."""
    image = jpeg.read_coefficients(data)
    for number, profile in enumerate(profiles, start=1):
        try:
            _check_read(image, profile)
        except EncodingError:
            if number == len(profiles):
                raise
        else:
            return


def _check_read(image: Coefficients, profile: Profile) -> None:
    tables = profile.tables
    expected = (tables.luma, tables.chroma, tables.chroma)[: len(image.planes)]
    if tuple(plane.table for plane in image.planes) != expected:
        raise EncodingError(f"the file's quantisation tables are not those of {profile.name!r}")
    if image.subsampling not in ("grey", profile.subsampling):
        raise EncodingError(
            f"the file has subsampling {image.subsampling}, "
            f"the profile {profile.name!r} {profile.subsampling}"
        )
    if profile.frequencies is None:
        return
    masks = profile.masks.values()
    if any(p.blocks[..., ~mask].any() for p, mask in zip(image.planes, masks, strict=False)):
        raise EncodingError(f"the file holds frequencies that {profile.name!r} drops")


def _requantised(data: bytes, profile: Profile, options: EncodeOptions) -> bytes | None:
    """Requantise a JPEG; None for other files and where its pixels have to be decoded."""
    try:
        if not data.startswith(_JPEG_START) or _is_turned(data):
            return None
        return requantise(_without_exif(data), profile, container=options.container)
    except IMAGE_ERRORS:
        return None


def _is_turned(data: bytes) -> bool:
    with open_image(io.BytesIO(data), "the file") as image:
        return turn(image) is not None


def _without_exif(data: bytes) -> bytes:
    kept, position = [], 0
    for segment in segments(data):
        payload = data[segment.start : segment.stop]
        if segment.marker == _APP1 and payload.startswith(EXIF_PREFIX):
            kept.append(data[position : segment.start - _SEGMENT_HEADER])
            position = segment.stop
    return b"".join([*kept, data[position:]])
