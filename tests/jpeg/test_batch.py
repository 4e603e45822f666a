"""Batches give what single calls give, in order, on any number of threads."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bandwise import jpeg
from bandwise.errors import ConfigurationError, JpegError, JpegLimitError, ShapeError
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.tables import TableSet
from tests.jpeg.images import SCHEMES, picture, same

TABLES = TableSet.ijg(70)
THREADS = [1, 2, 5, None]


def mixed_files() -> list[bytes]:
    pictures = [picture(8 + n, 60 - n, grey=n % 3 == 0, seed=n) for n in range(23)]
    return [jpeg.encode(pixels, TABLES, subsampling="4:2:2") for pixels in pictures]


def like_planes(data: bytes, count: int) -> list[NDArray[np.int16]]:
    """Arrays for `read_into`, filled with a value that no file holds."""
    planes = jpeg.read_coefficients(data).planes
    return [np.full((count, *plane.blocks.shape), 9999, np.int16) for plane in planes]


@pytest.mark.parametrize("threads", THREADS)
def test_batches_equal_single_calls(threads: int | None) -> None:
    files = mixed_files()
    decoded = jpeg.decode_batch(files, threads=threads)
    assert all(map(np.array_equal, decoded, map(jpeg.decode, files)))
    images = jpeg.read_coefficients_batch(files, threads=threads)
    assert all(map(same, images, map(jpeg.read_coefficients, files)))
    assert jpeg.decode_batch([], threads=threads) == []
    assert jpeg.read_into([], [np.empty((0, 2, 2, 8, 8), np.int16)]).shape == (0, 1, 8, 8)


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_name_the_item(threads: int) -> None:
    files = mixed_files()
    damaged = [*files[:11], files[11][:-30], *files[12:]]
    with pytest.raises(JpegError, match=r"^item 11: damaged JPEG"):
        jpeg.decode_batch(damaged, threads=threads)
    with pytest.raises(JpegLimitError, match=r"^item 0: "):
        jpeg.read_coefficients_batch(files, limits=jpeg.Limits(max_pixels=99), threads=threads)


def test_threads_are_at_least_one() -> None:
    with pytest.raises(ConfigurationError, match="threads"):
        jpeg.decode_batch([b""], threads=0)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [(64, 32), (35, 41), (1, 9)])
def test_read_into_equals_single_reads(
    size: tuple[int, int], scheme: Subsampling, threads: int | None
) -> None:
    pictures = [picture(*size, seed=seed) for seed in range(9)]
    files = [
        jpeg.encode(pixels, TableSet.ijg(50 + n), subsampling=scheme, progressive=n % 2 == 0)
        for n, pixels in enumerate(pictures)
    ]
    planes = like_planes(files[0], len(files))
    tables = jpeg.read_into(files, planes, threads=threads)
    for n, image in enumerate(jpeg.read_coefficients_batch(files)):
        for c, plane in enumerate(image.planes):
            assert np.array_equal(planes[c][n], plane.blocks)
            assert np.array_equal(tables[n, c], plane.table.array)


def test_read_into_wants_files_of_one_layout() -> None:
    small = jpeg.encode(picture(16, 16), TABLES)
    others = {
        "block rows and columns": jpeg.encode(picture(17, 16), TABLES),
        "number of components": jpeg.encode(picture(16, 16, grey=True), TABLES),
    }
    for reason, other in others.items():
        with pytest.raises(JpegError, match=f"^item 1: .*another {reason}"):
            jpeg.read_into([small, other], like_planes(small, 2))


def test_read_into_stops_at_a_damaged_file() -> None:
    files = [jpeg.encode(picture(16, 16, seed=n), TABLES) for n in range(6)]
    with pytest.raises(JpegError, match=r"^item 4: damaged"):
        jpeg.read_into([*files[:4], files[4][:-3], files[5]], like_planes(files[0], 6))


def test_read_into_obeys_the_limits() -> None:
    files = [jpeg.encode(picture(16, 16), TABLES)] * 3
    planes = like_planes(files[0], 3)
    with pytest.raises(JpegLimitError, match="max_pixels=255"):
        jpeg.read_into(files, planes, limits=jpeg.Limits(max_pixels=255))
    with pytest.raises(JpegLimitError, match="max_bytes=10"):
        jpeg.read_into(files, planes, limits=jpeg.Limits(max_bytes=10))


@pytest.mark.parametrize(
    "planes",
    [
        [],
        [np.empty((2, 2, 2, 8, 8), np.int32)],
        [np.empty((3, 2, 2, 8, 8), np.int16)],
        [np.empty((2, 2, 2, 64), np.int16)],
        [np.empty((2, 2, 8, 2, 8), np.int16).swapaxes(2, 3)],
        [np.empty((2, 3, 2, 8, 8), np.int16)],
        [np.empty((2, 2, 2, 8, 8), np.int16)] * 3,
    ],
)
def test_read_into_checks_the_arrays(planes: list[NDArray[np.int16]]) -> None:
    files = [jpeg.encode(picture(16, 16, grey=True), TABLES)] * 2
    with pytest.raises(ShapeError):
        jpeg.read_into(files, planes)
