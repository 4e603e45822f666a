"""The unit of work: one image file's bytes to one JPEG file's bytes, or the reason why not."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from bandwise import jpeg
from bandwise.dataset.reading import Alpha, read_picture
from bandwise.encoding import ImageEncoder, requantise
from bandwise.errors import (
    CoefficientError,
    ConfigurationError,
    EncodingError,
    JpegError,
    UnreadableImageError,
)
from bandwise.frequency.coefficients import Coefficients
from bandwise.images import open_image, turn
from bandwise.jpeg.markers import EXIF_PREFIX, segments
from bandwise.profile import Profile

IMAGE_ERRORS = (UnreadableImageError, JpegError, CoefficientError, EncodingError)
"""What `transcode` raises because of the image; the next one may well be fine."""

_APP1 = 0xE1
_SEGMENT_HEADER = 4
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How image files are read. Raises `ConfigurationError`."""

    alpha: Alpha = "white"
    requantise: bool = False

    def __post_init__(self) -> None:
        if self.alpha not in get_args(Alpha):
            raise ConfigurationError(
                f"alpha {self.alpha!r}; choose one of {', '.join(get_args(Alpha))}"
            )


DEFAULT_OPTIONS = EncodeOptions()


@dataclass(frozen=True, kw_only=True)
class Transcoded:
    """A JPEG file, and whether its source was requantised rather than decoded.

    `record` is what the encoder says of the file, JSON values by name.
    """

    data: bytes
    requantised: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)


def transcode(
    data: bytes, encoder: ImageEncoder, options: EncodeOptions = DEFAULT_OPTIONS
) -> Transcoded:
    """JPEG file of any image file's bytes: with tables of the encoder's, or the file itself.

    Pixels as `read_picture` gives them; always the same bytes. With `options.requantise` a JPEG
    keeps its coefficients, quantised anew, where its sampling is the profile's and EXIF does not
    have it turned; its ICC profile is kept and its EXIF block left out. The result has been read
    back and its tables compared. Raises one of `IMAGE_ERRORS` with the reason why there is none;
    `ConfigurationError` for requantising with an encoder that compares profiles from pixels.
    """
    if options.requantise:
        requantised = _requantised(data, encoder)
        if requantised is not None:
            check_file(requantised, encoder.profiles)
            return Transcoded(data=requantised, requantised=True)
    picture = read_picture(data, alpha=options.alpha)
    encoded = encoder.encode(picture.pixels_u8, icc=picture.icc, source=data)
    if encoded.data != data:
        check_file(encoded.data, encoder.profiles)
    return Transcoded(data=encoded.data, record=encoded.record)


def check_file(data: bytes, profiles: Sequence[Profile]) -> None:
    """Read a JPEG file whole; `EncodingError` unless it has the tables and sampling of a profile.

    So it is where it holds a frequency that the profile drops. The reason is that of the last
    profile. Raises `JpegError` where the file is damaged. Rate–distortion optimisation leaves no
    trace to check, nor do frequencies that the file lacks and the profile keeps.
    """
    image = jpeg.read_coefficients(data)
    problem = None
    for profile in profiles:
        problem = _problem(image, profile)
        if problem is None:
            return
    raise EncodingError(problem or "there is no profile to compare the file with")


def _problem(image: Coefficients, profile: Profile) -> str | None:
    tables = profile.tables
    expected = (tables.luma, tables.chroma, tables.chroma)[: len(image.planes)]
    if tuple(plane.table for plane in image.planes) != expected:
        return f"the file's quantisation tables are not those of {profile.name!r}"
    if image.subsampling not in ("grey", profile.subsampling):
        return (
            f"the file has subsampling {image.subsampling}, "
            f"the profile {profile.name!r} {profile.subsampling}"
        )
    if profile.frequencies is not None:
        masks = profile.masks.values()
        if any(p.blocks[..., ~mask].any() for p, mask in zip(image.planes, masks, strict=False)):
            return f"the file holds frequencies that {profile.name!r} drops"
    return None


def _requantised(data: bytes, encoder: ImageEncoder) -> bytes | None:
    """Requantise a JPEG; None for other files and where its pixels have to be decoded."""
    if len(encoder.profiles) > 1:
        raise ConfigurationError(
            "several profiles are compared from pixels; give one profile to requantise"
        )
    if not data.startswith(_JPEG_START):
        return None
    try:
        with open_image(io.BytesIO(data), "the file") as image:
            if turn(image) is not None:
                return None
        container = encoder.settings["container"]
        return requantise(_without_exif(data), encoder.profiles[0], container=container)
    except IMAGE_ERRORS:
        return None


def _without_exif(data: bytes) -> bytes:
    kept, position = [], 0
    for segment in segments(data):
        payload = data[segment.start : segment.stop]
        if segment.marker == _APP1 and payload.startswith(EXIF_PREFIX):
            kept.append(data[position : segment.start - _SEGMENT_HEADER])
            position = segment.stop
    return b"".join([*kept, data[position:]])
