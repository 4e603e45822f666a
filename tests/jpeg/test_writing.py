"""Writing: exact round trips, and equality with what Pillow's encoder makes of the same pixels."""

import io
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bandwise import jpeg
from bandwise.errors import CoefficientError, ConfigurationError, JpegError, ShapeError, TableError
from bandwise.frequency.coefficients import Coefficients, Plane, Subsampling
from bandwise.frequency.tables import TableSet, flat, ijg_luma
from bandwise.jpeg.markers import segments
from tests.jpeg.images import (
    ICC,
    PILLOW_SCHEMES,
    SCHEMES,
    coefficient_images,
    exif_block,
    picture,
    pillow_file,
    pillow_pixels,
    same,
)


@given(coefficient_images(), st.booleans(), st.booleans())
def test_write_then_read_gives_the_same_integers(
    image: Coefficients, progressive: bool, optimise: bool
) -> None:
    data = jpeg.write_coefficients(image, progressive=progressive, optimise=optimise)
    assert (b"\xff\xc2" in data[:700]) == progressive
    assert same(jpeg.read_coefficients(data), image)
    assert np.array_equal(jpeg.decode(data), pillow_pixels(data))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_rewriting_a_file_gives_the_same_bytes(scheme: Subsampling, progressive: bool) -> None:
    data = jpeg.encode(
        picture(37, 29), TableSet.ijg(75), subsampling=scheme, progressive=progressive
    )
    again = jpeg.write_coefficients(jpeg.read_coefficients(data), progressive=progressive)
    assert again == data


@pytest.mark.parametrize("quality", [1, 30, 75, 100])
@pytest.mark.parametrize("scheme", PILLOW_SCHEMES)
def test_encoding_equals_pillow(scheme: Subsampling, quality: int) -> None:
    pixels = picture(45, 67, seed=quality)
    own = jpeg.encode(pixels, TableSet.ijg(quality), subsampling=scheme)
    other = pillow_file(pixels, quality=quality, subsampling=scheme, progressive=True)
    assert np.array_equal(jpeg.decode(own), pillow_pixels(other))
    assert same(jpeg.read_coefficients(own), jpeg.read_coefficients(other))


def test_grey_encoding_equals_pillow() -> None:
    pixels = picture(45, 67, grey=True)
    own = jpeg.encode(pixels, TableSet(luma=ijg_luma(50)))
    assert np.array_equal(jpeg.decode(own), pillow_pixels(pillow_file(pixels, quality=50)))


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(SCHEMES), st.booleans())
def test_pixels_to_coefficients_are_those_of_the_file(
    height: int, width: int, scheme: Subsampling, grey: bool
) -> None:
    pixels = picture(height, width, grey=grey)
    tables = TableSet.ijg(90)
    direct = jpeg.pixels_to_coefficients(pixels, tables, subsampling=scheme)
    assert same(direct, jpeg.read_coefficients(jpeg.encode(pixels, tables, subsampling=scheme)))


def test_strided_pixels_and_blocks_are_written_as_seen() -> None:
    pixels = picture(64, 64)
    turned = pixels.swapaxes(0, 1)[::-1, ::2]
    tables = TableSet.ijg(80)
    assert jpeg.encode(turned, tables) == jpeg.encode(turned.copy(), tables)
    image = jpeg.pixels_to_coefficients(pixels, tables, subsampling="4:4:4")
    flipped = [
        Plane(blocks=plane.blocks[:, ::-1].swapaxes(2, 3), table=plane.table)
        for plane in image.planes
    ]
    copied = [Plane(blocks=plane.blocks.copy(), table=plane.table) for plane in flipped]
    left, right = (
        Coefficients(planes=tuple(planes), width=64, height=64, colour="ycbcr")
        for planes in (flipped, copied)
    )
    assert jpeg.write_coefficients(left) == jpeg.write_coefficients(right)


def test_blocks_at_an_odd_address_are_written() -> None:
    image = jpeg.pixels_to_coefficients(picture(40, 40, grey=True), TableSet.ijg(80))
    blocks = image.planes[0].blocks
    shifted = np.empty(blocks.size + 1, np.int16)[1:].reshape(blocks.shape)
    shifted[:] = blocks
    moved = Coefficients(
        planes=(Plane(blocks=shifted, table=image.planes[0].table),),
        width=40,
        height=40,
        colour="grey",
    )
    for progressive in (False, True):
        written = [jpeg.write_coefficients(c, progressive=progressive) for c in (image, moved)]
        assert written[0] == written[1]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_ycbcr_without_the_jfif_marker_decodes_as_ycbcr(
    scheme: Subsampling, progressive: bool
) -> None:
    pixels = picture(30, 41, seed=2)
    with_marker, without = (
        jpeg.encode(
            pixels, TableSet.ijg(90), subsampling=scheme, progressive=progressive, jfif=jfif
        )
        for jfif in (True, False)
    )
    assert len(with_marker) == len(without) + 18
    assert (b"JFIF" in with_marker, b"JFIF" in without, b"Adobe" in without) == (True, False, False)
    decoded = jpeg.decode(with_marker)
    assert np.array_equal(jpeg.decode(without), decoded)
    assert np.array_equal(pillow_pixels(without), decoded)
    assert np.array_equal(simplejpeg.decode_jpeg(without), decoded)
    image = jpeg.read_coefficients(without)
    assert jpeg.write_coefficients(image, progressive=progressive, jfif=False) == without


def huffman_tables(data: bytes) -> int:
    return sum(segment.marker == 0xC4 for segment in segments(data))


@pytest.mark.parametrize("optimise", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_shared_huffman_tables_hold_the_same_image(scheme: Subsampling, optimise: bool) -> None:
    pixels = picture(61, 52, seed=3)
    tables = TableSet.ijg(75)
    own, shared = (
        jpeg.encode(
            pixels,
            tables,
            subsampling=scheme,
            progressive=False,
            optimise=optimise,
            shared_huffman=choice,
        )
        for choice in (False, True)
    )
    assert (huffman_tables(own), huffman_tables(shared)) == (4, 2)
    image = jpeg.read_coefficients(own)
    assert same(jpeg.read_coefficients(shared), image)
    assert np.array_equal(pillow_pixels(shared), pillow_pixels(own))
    assert np.array_equal(simplejpeg.decode_jpeg(shared), jpeg.decode(own))
    again = jpeg.write_coefficients(
        image, progressive=False, optimise=optimise, shared_huffman=True
    )
    assert again == shared


def test_progressive_files_cannot_share_huffman_tables() -> None:
    with pytest.raises(ConfigurationError, match="progressive=False"):
        jpeg.encode(picture(8, 8), TableSet.ijg(50), shared_huffman=True)


def test_metadata_is_passed_on() -> None:
    exif = exif_block()
    long_icc = ICC + bytes(200_000)  # more than one chunk
    data = jpeg.encode(picture(20, 20), TableSet.ijg(75), icc=long_icc, exif=exif)
    info = Image.open(io.BytesIO(data)).info
    assert (info["icc_profile"], info["exif"]) == (long_icc, exif)
    image = jpeg.read_coefficients(data)
    assert (image.icc, image.exif) == (long_icc, exif)
    assert same(jpeg.read_coefficients(jpeg.write_coefficients(image)), image)


@pytest.mark.parametrize(
    "metadata",
    [
        {"exif": b"II*\0"},
        {"exif": b"Exif\0\0" + bytes(65_528)},
        {"icc": b""},
        {"icc": bytes(255 * 65_519 + 1)},
    ],
)
def test_metadata_that_does_not_fit_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(JpegError, match=r"EXIF block|ICC profile"):
        jpeg.encode(picture(8, 8), TableSet.ijg(75), **metadata)


def test_three_tables_are_kept_apart() -> None:
    blocks = np.zeros((1, 1, 8, 8), np.int16)
    image = Coefficients(
        planes=tuple(Plane(blocks=blocks, table=flat(step)) for step in (3, 200, 255)),
        width=8,
        height=8,
        colour="ycbcr",
    )
    data = jpeg.write_coefficients(image)
    assert same(jpeg.read_coefficients(data), image)
    assert [set(t) for t in Image.open(io.BytesIO(data)).quantization.values()] == [  # type: ignore[attr-defined]
        {3},
        {200},
        {255},
    ]


@pytest.mark.parametrize(
    ("place", "value"), [((0, 0), 1024), ((0, 0), -1025), ((7, 2), 1024), ((7, 2), -1024)]
)
def test_integers_that_jpeg_cannot_hold_are_named(place: tuple[int, int], value: int) -> None:
    blocks = np.zeros((2, 3, 8, 8), np.int16)
    blocks[1, 2, 0, 0] = -1024
    blocks[0, 1][place] = value
    image = Coefficients(
        planes=(Plane(blocks=blocks, table=flat(1)),), width=24, height=16, colour="grey"
    )
    expected = rf"{value} in plane 0 at frequency \(v={place[0]}, u={place[1]}\)"
    with pytest.raises(CoefficientError, match=expected):
        jpeg.write_coefficients(image)


def test_a_plane_reshaped_after_its_check_is_refused() -> None:
    blocks = np.zeros((2, 2, 8, 8), np.int16)
    plane = Plane(blocks=blocks, table=flat(1))
    image = Coefficients(planes=(plane,), width=16, height=16, colour="grey")
    object.__setattr__(plane, "blocks", blocks[:1])
    with pytest.raises(JpegError, match="block rows and columns"):
        jpeg.write_coefficients(image)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8), np.int16),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros(8, np.uint8),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ShapeError, match="uint8 of shape"):
        jpeg.encode(pixels, TableSet.ijg(75))


@pytest.mark.parametrize("shape", [(0, 8), (8, 0, 3), (1, 65_501)])
def test_sides_that_jpeg_cannot_hold_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(JpegError, match="pixels a side"):
        jpeg.encode(np.zeros(shape, np.uint8), TableSet.ijg(75))
    longest = jpeg.encode(np.zeros((1, 65_500), np.uint8), TableSet.ijg(75))
    assert jpeg.decode(longest).shape == (1, 65_500)


def test_colour_needs_a_chroma_table() -> None:
    with pytest.raises(TableError, match="chroma table"):
        jpeg.encode(picture(8, 8), TableSet(luma=flat(1)))


def test_an_unknown_subsampling_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="4:1:1"):
        jpeg.encode(picture(8, 8), TableSet.ijg(75), subsampling="4:1:1")  # type: ignore[arg-type]
