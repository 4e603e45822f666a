"""Reading against Pillow's independent decoder, and refusals of what is not supported."""

import itertools

import numpy as np
import pytest
from PIL import Image

from bandwise import jpeg
from bandwise.errors import JpegError
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.dct import dct_matrix
from bandwise.frequency.tables import QuantTable, TableSet
from tests.jpeg.images import (
    ICC,
    PILLOW_SCHEMES,
    SCHEMES,
    exif_block,
    patched,
    picture,
    pillow_file,
    pillow_pixels,
    saved,
    segment,
)

SOF, DQT, SOS = 0xC0, 0xDB, 0xDA


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("scheme", PILLOW_SCHEMES)
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (15, 33), (50, 41)])
def test_pillow_files_decode_to_pillow_pixels(
    size: tuple[int, int], scheme: Subsampling, progressive: bool
) -> None:
    pixels = picture(*size)
    data = pillow_file(pixels, subsampling=scheme, progressive=progressive, quality=60)
    assert np.array_equal(jpeg.decode(data), pillow_pixels(data))


@pytest.mark.parametrize("progressive", [False, True])
def test_grey(progressive: bool) -> None:
    data = pillow_file(picture(21, 30, grey=True), progressive=progressive)
    pixels = jpeg.decode(data)
    assert pixels.shape == (21, 30)
    assert np.array_equal(pixels, pillow_pixels(data))
    image = jpeg.read_coefficients(data)
    assert (image.colour, image.subsampling, len(image.planes)) == ("grey", "grey", 1)


def test_rgb_stored_without_conversion_decodes_but_has_no_ycbcr_coefficients() -> None:
    data = pillow_file(picture(16, 16), keep_rgb=True)
    assert np.array_equal(jpeg.decode(data), pillow_pixels(data))
    with pytest.raises(JpegError, match="RGB components"):
        jpeg.read_coefficients(data)


def test_grey_coefficients_are_the_rounded_dct_of_the_pixels() -> None:
    pixels = picture(64, 48, grey=True)
    table = TableSet.ijg(80).luma
    image = jpeg.read_coefficients(pillow_file(pixels, qtables=[list(table.values)]))
    matrix = dct_matrix(8).double().numpy()
    blocks = (pixels.reshape(8, 8, 6, 8).swapaxes(1, 2) - 128.0).astype(np.float64)
    exact = matrix @ blocks @ matrix.T / table.array
    assert np.abs(image.planes[0].blocks - exact).max() < 0.53


def test_metadata_of_a_pillow_file() -> None:
    exif = exif_block()
    image = jpeg.read_coefficients(pillow_file(picture(9, 9), icc_profile=ICC, exif=exif))
    assert (image.icc, image.exif) == (ICC, exif)
    plain = jpeg.read_coefficients(pillow_file(picture(9, 9)))
    assert (plain.icc, plain.exif) == (None, None)


def test_sampling_factors_are_reduced_to_lowest_terms() -> None:
    """Grey blocks, all coded alike: their order, which the factors change, does not matter."""
    data = jpeg.encode(
        np.full((8, 16, 3), 128, np.uint8),
        TableSet.ijg(75),
        subsampling="4:4:4",
        progressive=False,
        shared_huffman=True,
    )
    for component in range(3):
        data = patched(data, SOF, 9 + 3 * component, [0x21])
    image = jpeg.read_coefficients(data)
    assert image.subsampling == "4:4:4"
    assert [p.blocks.shape for p in image.planes] == [(1, 2, 8, 8)] * 3


def test_unusual_sampling_factors_are_refused_by_name() -> None:
    data = jpeg.encode(picture(24, 24), TableSet.ijg(75), progressive=False)
    with pytest.raises(JpegError, match=r"\(4, 1\).*supported are 4:4:4"):
        jpeg.read_coefficients(patched(data, SOF, 9, [0x41]))


def test_cmyk_is_refused() -> None:
    file = saved(Image.fromarray(picture(16, 16)).convert("CMYK"), "JPEG")
    for read in (jpeg.decode, jpeg.read_coefficients):
        with pytest.raises(JpegError, match="CMYK"):
            read(file)


def test_twelve_bit_samples_are_refused() -> None:
    data = patched(pillow_file(picture(16, 16)), SOF, 2, [12])
    with pytest.raises(JpegError, match=r"12|8 bits"):
        jpeg.decode(data)


def test_two_components_are_refused() -> None:
    # Two equal halves of a grey header: the frame and the scan list two components.
    data = pillow_file(picture(8, 8, grey=True))
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda")
    two = (
        data[:frame]
        + segment(0xC0, b"\x08\x00\x08\x00\x08\x02\x01\x11\x00\x02\x11\x00")
        + data[frame + 13 : scan]
        + segment(0xDA, b"\x02\x01\x00\x02\x00\x00\x3f\x00")
        + data[scan + 10 :]
    )
    with pytest.raises(JpegError, match="neither one nor three components"):
        jpeg.read_coefficients(two)


@pytest.mark.parametrize("step", [0, 256])
def test_tables_that_baseline_cannot_hold_are_refused(step: int) -> None:
    data = pillow_file(picture(8, 8, grey=True))
    start = data.index(b"\xff\xdb")
    wide = segment(0xDB, b"\x10" + step.to_bytes(2, "big") + b"\x00\x05" * 63)
    changed = data[:start] + wide + data[start + 69 :]
    with pytest.raises(JpegError, match=rf"\(v=0, u=0\) is {step}"):
        jpeg.read_coefficients(changed)


def test_a_missing_table_is_an_error() -> None:
    data = pillow_file(picture(8, 8, grey=True))
    start = data.index(b"\xff\xdb")
    with pytest.raises(JpegError, match=r"[Qq]uantization table"):
        jpeg.read_coefficients(data[:start] + data[start + 69 :])


def test_every_scheme_reads_the_table_of_each_component() -> None:
    for scheme, progressive in itertools.product(SCHEMES, (False, True)):
        tables = TableSet(
            luma=QuantTable(tuple(range(1, 65))), chroma=QuantTable(tuple(range(101, 165)))
        )
        data = jpeg.encode(picture(9, 20), tables, subsampling=scheme, progressive=progressive)
        read = [plane.table for plane in jpeg.read_coefficients(data).planes]
        assert read == [tables.luma, tables.chroma, tables.chroma]
