"""One image in; a JPEG file of the profile, or a reason, out."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bandwise import jpeg
from bandwise.dataset import EncodeOptions, check_file, transcode
from bandwise.dataset import transcoding as module
from bandwise.encoding import Container, EncodedImage, ProfileEncoder, encode_pixels, requantise
from bandwise.errors import (
    EncodingError,
    JpegError,
    UnreadableImageError,
)
from bandwise.frequency.coefficients import LUMA_SAMPLING, Coefficients, Plane, Subsampling
from bandwise.frequency.selection import Frequencies
from bandwise.frequency.tables import TableSet, flat
from bandwise.profile import Profile, RateDistortion
from tests.dataset.datasets import ENCODER, OTHER, PROFILE
from tests.jpeg.images import ICC, insert, picture, pillow_file, saved, segment

REQUANTISE = EncodeOptions(requantise=True)


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    grey=st.booleans(),
    container=st.sampled_from(["baseline", "progressive", "smallest"]),
    subsampling=st.sampled_from(sorted(LUMA_SAMPLING)),
    lagrangian=st.sampled_from([None, 0.1]),
)
def test_any_image_becomes_what_encode_pixels_makes_of_it(
    height: int,
    width: int,
    grey: bool,
    container: Container,
    subsampling: Subsampling,
    lagrangian: float | None,
) -> None:
    sensitivity = {name: np.ones((8, 8)) for name in ("luma", "cb", "cr")}
    optimised = (
        None
        if lagrangian is None
        else RateDistortion(lagrangian=lagrangian, sensitivity=sensitivity)
    )
    profile = replace(PROFILE, subsampling=subsampling, rate_distortion=optimised)
    pixels = picture(height, width, grey=grey)
    data = transcode(saved(pixels), ProfileEncoder(profile, container)).data
    assert data == encode_pixels(pixels, profile, container=container)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.size == (width, height)
        assert opened.mode == ("L" if grey else "RGB")
        tables = opened.quantization  # type: ignore[attr-defined]
    assert {table[0] for table in tables.values()} == ({9} if grey else {9, 21})


def test_turned_and_without_metadata_but_icc() -> None:
    pixels = picture(16, 24)
    for source in (
        saved(np.rot90(pixels), exif=with_orientation(6), icc_profile=ICC),
        saved(pixels, icc_profile=ICC),
    ):
        data = transcode(source, ENCODER).data
        assert data == encode_pixels(pixels, PROFILE, icc=ICC)
        assert b"Exif" not in data


def test_a_jpeg_is_requantised_and_keeps_icc_alone() -> None:
    source = pillow_file(picture(40, 56), quality=95, icc_profile=ICC, exif=with_orientation(1))
    result = transcode(source, ENCODER, REQUANTISE)
    assert result.requantised
    assert result.data != transcode(source, ENCODER).data
    image, wanted = jpeg.read_coefficients(result.data), requantise(source, PROFILE)
    for plane, other in zip(image.planes, jpeg.read_coefficients(wanted).planes, strict=True):
        np.testing.assert_array_equal(plane.blocks, other.blocks)
    assert (image.icc, image.exif) == (ICC, None)


def test_every_exif_segment_is_left_out_and_nothing_else() -> None:
    plain = pillow_file(picture(16, 16), quality=95)
    block = segment(0xE1, b"Exif\0\0" + bytes(50))
    other = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")
    assert module._without_exif(insert(plain, block, other, block)) == insert(plain, other)


@pytest.mark.parametrize(
    "source",
    [
        saved(picture(24, 24)),
        pillow_file(picture(24, 24), quality=95, subsampling="4:4:4"),
        pillow_file(picture(24, 24), quality=95, exif=with_orientation(8)),
    ],
    ids=["no JPEG", "another sampling", "turned"],
)
def test_what_cannot_be_requantised_is_decoded(source: bytes) -> None:
    result = transcode(source, ENCODER, REQUANTISE)
    assert not result.requantised
    assert result == transcode(source, ENCODER)


def test_coefficients_beyond_what_finer_tables_can_hold_do_no_harm() -> None:
    blocks = np.zeros((1, 1, 8, 8), np.int16)
    blocks[0, 0, 0, 1] = 1023
    plane = Plane(blocks=blocks, table=flat(255))
    source = jpeg.write_coefficients(
        Coefficients(planes=(plane,), width=8, height=8, colour="grey")
    )
    fine = replace(PROFILE, tables=TableSet(luma=flat(1)))
    result = transcode(source, ProfileEncoder(fine), REQUANTISE)
    assert jpeg.read_coefficients(result.data).planes[0].table == flat(1)


def test_a_grey_image_needs_luma_alone_and_colour_is_refused() -> None:
    encoder = ProfileEncoder(Profile(name="grey", tables=TableSet(luma=flat(9))))
    grey = picture(16, 16, grey=True)
    assert transcode(saved(grey), encoder) == transcode(saved(grey), ENCODER)
    for options in (EncodeOptions(), REQUANTISE):
        with pytest.raises(EncodingError, match="grey"):
            transcode(pillow_file(picture(16, 16)), encoder, options)


def test_reasons_are_given_for_pixels_and_for_size() -> None:
    with pytest.raises(UnreadableImageError, match="empty"):
        transcode(b"", ENCODER, REQUANTISE)
    with pytest.raises(UnreadableImageError, match="the file"):
        transcode(pillow_file(picture(64, 64))[:300], ENCODER, REQUANTISE)
    with pytest.raises(JpegError, match="65500"):
        transcode(saved(np.zeros((1, 65_501), np.uint8)), ENCODER)


class Wrong(ProfileEncoder):
    """Writes with other tables than it says."""

    def encode(
        self, pixels_u8: NDArray[np.uint8], *, icc: bytes | None = None, source: bytes | None = None
    ) -> EncodedImage:
        return EncodedImage(encode_pixels(pixels_u8, OTHER, icc=icc))


def test_a_file_is_not_given_out_unless_it_has_the_tables() -> None:
    with pytest.raises(EncodingError, match="tables are not those of 'scenes'"):
        transcode(saved(picture(16, 16)), Wrong(PROFILE))


def test_check_file_sees_what_should_have_been_dropped() -> None:
    kept = Frequencies((*range(64), 64, 65, 128))
    pixels = picture(24, 24)
    some = encode_pixels(pixels, PROFILE.keeping(kept))
    check_file(some, [PROFILE.keeping(kept)])
    check_file(some, [PROFILE])
    for narrower in (Frequencies.zigzag(5, channels=3), Frequencies(kept.kept[:-1])):
        with pytest.raises(EncodingError, match="holds frequencies that 'scenes' drops"):
            check_file(some, [PROFILE.keeping(narrower)])
    grey = encode_pixels(picture(24, 24, grey=True), PROFILE.keeping(kept))
    check_file(grey, [PROFILE.keeping(kept)])


def test_check_file_sees_tables_sampling_and_damage() -> None:
    data = encode_pixels(picture(16, 16), PROFILE)
    check_file(data, [PROFILE])
    with pytest.raises(EncodingError, match="subsampling 4:2:0"):
        check_file(data, [replace(PROFILE, subsampling="4:4:4")])
    with pytest.raises(EncodingError, match="tables"):
        check_file(data, [OTHER])
    with pytest.raises(JpegError):
        check_file(data[:-10], [PROFILE])
    check_file(data, [OTHER, PROFILE])
