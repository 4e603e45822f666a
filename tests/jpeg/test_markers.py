"""Segments of real files, and of files made by hand."""

import pytest

from bandwise import jpeg
from bandwise.errors import JpegError
from bandwise.frequency.tables import TableSet, flat
from bandwise.jpeg.markers import metadata, segments
from tests.jpeg.images import ICC, exif_block, insert, picture, pillow_file, segment

APP2 = 0xE2


def icc_chunk(number: int, count: int, payload: bytes) -> bytes:
    return segment(APP2, b"ICC_PROFILE\0" + bytes([number, count]) + payload)


def test_payload_of_a_baseline_file_is_what_follows_its_only_scan_header() -> None:
    data = pillow_file(picture(30, 40, grey=True))
    scan = data.index(b"\xff\xda")
    assert jpeg.payload_bytes(data) == len(data) - scan - 10 - len(b"\xff\xd9")


@pytest.mark.parametrize("progressive", [False, True])
def test_payload_and_segments_make_up_the_file(progressive: bool) -> None:
    data = jpeg.encode(picture(60, 44), TableSet.ijg(90), progressive=progressive)
    headers = sum(s.stop - s.start + 4 for s in segments(data))
    assert jpeg.payload_bytes(data) + headers + 4 == len(data)


def test_metadata_and_tables_do_not_count_as_payload() -> None:
    pixels = picture(50, 50)
    plain = jpeg.encode(pixels, TableSet(luma=flat(8), chroma=flat(8)))
    heavy = jpeg.encode(
        pixels, TableSet(luma=flat(8), chroma=flat(8)), icc=ICC * 30, exif=exif_block()
    )
    assert len(heavy) > len(plain) + 30 * len(ICC)
    assert jpeg.payload_bytes(heavy) == jpeg.payload_bytes(plain)


def test_stuffed_bytes_and_restart_markers_count() -> None:
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    body = b"\x12\xff\x00\x34\xff\xd0\x56\xff\xd7\xff\x00"
    data = b"\xff\xd8" + scan + body + b"\xff\xff\xd9"
    assert jpeg.payload_bytes(b"\xff\xd8" + scan + body + b"\xff\xd9") == len(body)
    assert [s.marker for s in segments(data)] == [0xDA]


def test_a_marker_inside_a_segment_is_not_a_marker() -> None:
    pixels = picture(10, 10, grey=True)
    plain = pillow_file(pixels)
    fake = insert(plain, segment(0xE5, b"\xff\xda\x00\x02abc\xff\xd9"))
    assert jpeg.payload_bytes(fake) == jpeg.payload_bytes(plain)


def test_chunks_of_a_profile_are_joined_in_their_numbered_order() -> None:
    plain = pillow_file(picture(8, 8))
    data = insert(plain, icc_chunk(2, 2, b"world"), icc_chunk(1, 2, b"hello "))
    assert metadata(data) == (b"hello world", None)
    assert metadata(plain) == (None, None)


@pytest.mark.parametrize(
    "chunks",
    [
        [icc_chunk(1, 2, b"a")],
        [icc_chunk(1, 1, b"a"), icc_chunk(1, 1, b"a")],
        [icc_chunk(1, 2, b"a"), icc_chunk(2, 3, b"b")],
        [icc_chunk(0, 1, b"a")],
    ],
)
def test_a_profile_with_wrong_chunks_is_an_error(chunks: list[bytes]) -> None:
    with pytest.raises(JpegError, match="ICC profile"):
        metadata(insert(pillow_file(picture(8, 8)), *chunks))


def test_the_first_exif_block_counts() -> None:
    blocks = [segment(0xE1, b"http://ns.adobe.com/xap"), segment(0xE1, b"Exif\0\0one")]
    data = insert(pillow_file(picture(8, 8)), *blocks, segment(0xE1, b"Exif\0\0two"))
    assert metadata(data) == (None, b"Exif\0\0one")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a JPEG"),
        (b"\xff\xd8", "no marker at byte 2"),
        (b"\xff\xd8\x00", "no marker at byte 2"),
        (b"\xff\xd8\xff\xff", "no end-of-image"),
        (b"\xff\xd8\xff\xe0\x00\x10abc", "cut off"),
        (b"\xff\xd8\xff\xe0\x00\x01", "cut off"),
        (b"\xff\xd8\xff\xda\x00\x02abc", "no end-of-image"),
    ],
)
def test_malformed_files_are_errors(data: bytes, reason: str) -> None:
    with pytest.raises(JpegError, match=reason):
        list(segments(data))
