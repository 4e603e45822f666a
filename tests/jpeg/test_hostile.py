"""Damaged and oversized files: an exception each, never a crash.

BANDWISE_FUZZ_FILES sets how many mutated files are tried (3,000 unless told).
"""

import os

import numpy as np
import pytest

from bandwise import jpeg
from bandwise.errors import BandwiseError, JpegError, JpegLimitError
from bandwise.frequency.tables import TableSet
from bandwise.jpeg.markers import metadata, segments
from tests.jpeg.images import ICC, exif_block, patched, picture, pillow_file

FUZZ_FILES = int(os.environ.get("BANDWISE_FUZZ_FILES", "3000"))
SOF_BASELINE, SOF_PROGRESSIVE = 0xC0, 0xC2


def small_files() -> dict[str, bytes]:
    grey, colour = picture(19, 23, grey=True), picture(19, 23)
    tables = TableSet.ijg(60)
    return {
        "grey": jpeg.encode(grey, tables, progressive=False),
        "grey progressive": jpeg.encode(grey, tables),
        "colour": pillow_file(colour, quality=60, restart_marker_blocks=1),
        "colour progressive": jpeg.encode(colour, tables, exif=exif_block()),
        "colour 4:4:0": jpeg.encode(colour, tables, subsampling="4:4:0"),
    }


@pytest.mark.parametrize("name", ["grey", "grey progressive", "colour", "colour progressive"])
def test_a_file_cut_at_any_byte_is_an_error(name: str) -> None:
    data = small_files()[name]
    for length in range(len(data)):
        for read in (jpeg.decode, jpeg.read_coefficients, jpeg.payload_bytes):
            with pytest.raises(JpegError):
                read(data[:length])


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite, insert, delete or repeat a few bytes."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(2, len(changed)))
        length = int(rng.integers(1, 9))
        kind = rng.integers(0, 5)
        if kind <= 1:
            changed[place] = int(rng.integers(0, 256))
        elif kind == 2:
            del changed[place : place + length]
        elif kind == 3:
            changed[place:place] = rng.bytes(length)
        else:
            source = int(rng.integers(0, len(changed)))
            changed[place:place] = changed[source : source + 20 * length]
    return bytes(changed)


def test_mutated_files_give_a_result_or_an_error() -> None:
    rng = np.random.default_rng(7)
    originals = list(small_files().values())
    limits = jpeg.Limits(max_pixels=200_000, max_scans=30, max_memory_bytes=2**24)
    outcomes = {"read": 0, "refused": 0}
    for number in range(FUZZ_FILES):
        data = mutate(originals[number % len(originals)], rng)
        for read in (jpeg.decode, jpeg.read_coefficients):
            try:
                read(data, limits=limits)
                outcomes["read"] += 1
            except JpegError:
                outcomes["refused"] += 1
        for parse in (jpeg.payload_bytes, metadata):
            try:
                parse(data)
            except JpegError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > FUZZ_FILES // 20


def test_mutated_coefficients_are_written_or_refused() -> None:
    rng = np.random.default_rng(8)
    originals = list(small_files().values())
    limits = jpeg.Limits(max_pixels=200_000)
    written = 0
    for number in range(FUZZ_FILES // 10):
        data = mutate(originals[number % len(originals)], rng)
        try:
            image = jpeg.read_coefficients(data, limits=limits)
            again = jpeg.write_coefficients(image)
        except BandwiseError:
            continue
        written += 1
        assert jpeg.read_coefficients(again).width == image.width
    assert written > FUZZ_FILES // 200


@pytest.mark.parametrize("progressive", [False, True])
def test_a_header_of_four_gigapixels_is_refused(progressive: bool) -> None:
    data = jpeg.encode(picture(16, 16), TableSet.ijg(75), progressive=progressive)
    marker = SOF_PROGRESSIVE if progressive else SOF_BASELINE
    bomb = patched(data, marker, 3, [0xFF, 0xDC, 0xFF, 0xDC])
    for read in (jpeg.decode, jpeg.read_coefficients):
        with pytest.raises(JpegLimitError, match="pixels than max_pixels=67,108,864"):
            read(bomb)


def test_pixels_at_the_limit_are_read() -> None:
    data = jpeg.encode(picture(20, 30), TableSet.ijg(75))
    assert jpeg.decode(data, limits=jpeg.Limits(max_pixels=600)).shape == (20, 30, 3)
    with pytest.raises(JpegLimitError, match="max_pixels=599"):
        jpeg.decode(data, limits=jpeg.Limits(max_pixels=599))


def test_memory_is_refused_before_it_is_taken() -> None:
    data = jpeg.encode(picture(16, 16), TableSet.ijg(75))
    bomb = patched(data, SOF_PROGRESSIVE, 3, [0x1F, 0x40, 0x1F, 0x40])  # 8000 × 8000
    for read in (jpeg.decode, jpeg.read_coefficients):
        with pytest.raises(JpegLimitError, match="memory than max_memory_bytes=104,857,600"):
            read(bomb, limits=jpeg.Limits(max_memory_bytes=100 * 2**20))


def test_memory_of_the_decoder_itself_is_bounded() -> None:
    data = jpeg.encode(picture(400, 400, grey=True), TableSet.ijg(75))
    coefficients_bytes = 2 * 400 * 400
    with pytest.raises(JpegLimitError, match="memory"):
        jpeg.decode(data, limits=jpeg.Limits(max_memory_bytes=coefficients_bytes + 100))


def test_scans_over_the_limit() -> None:
    data = jpeg.encode(picture(64, 64), TableSet.ijg(75))
    scans = sum(segment.marker == 0xDA for segment in segments(data))
    for read in (jpeg.decode, jpeg.read_coefficients):
        read(data, limits=jpeg.Limits(max_scans=scans))
        with pytest.raises(JpegLimitError, match=f"max_scans={scans - 1}"):
            read(data, limits=jpeg.Limits(max_scans=scans - 1))


def test_a_file_of_a_thousand_scans_is_refused() -> None:
    data = jpeg.encode(picture(64, 64, grey=True), TableSet.ijg(75), icc=ICC)
    first = next(segment for segment in segments(data) if segment.marker == 0xDA)
    scan = data[first.start - 4 : first.end]
    bomb = data[: first.start - 4] + 1000 * scan + data[first.start - 4 :]
    for read in (jpeg.decode, jpeg.read_coefficients):
        with pytest.raises(JpegError):
            read(bomb)
