"""JPEG files of any layout become the same batch as each would alone, on one grid."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from bandwise import jpeg
from bandwise.data.files import read_batch
from bandwise.errors import DataError, JpegError, JpegLimitError, ShapeError
from bandwise.frequency.coefficients import Subsampling
from bandwise.frequency.dct_domain import CoefficientBatch, concatenate, fit, halve, with_chroma
from tests.jpeg.images import SCHEMES, jpeg_file

SIZE = (48, 32)


def plane_of(*blocks: NDArray[np.float32]) -> Tensor:
    """(1, 64·C, h, w) of dequantised blocks (h, w, 8, 8)."""
    return torch.cat([torch.from_numpy(b).flatten(2).permute(2, 0, 1) for b in blocks])[None]


def alone(data: bytes) -> CoefficientBatch:
    """Written independently: one file by the reader of single files."""
    image = jpeg.read_coefficients(data)
    luma, *chroma = image.dequantised()
    if not chroma:
        return CoefficientBatch(plane_of(luma))
    across, down = image.planes[0].h_samp, image.planes[0].v_samp
    pad = [(0, luma.shape[0] % 2), (0, luma.shape[1] % 2), (0, 0), (0, 0)]
    return CoefficientBatch(
        plane_of(np.pad(luma, pad)), halve(plane_of(*chroma), rows=down == 1, columns=across == 1)
    )


def assert_same(have: CoefficientBatch, want: CoefficientBatch) -> None:
    assert (have.chroma is None) == (want.chroma is None)
    for one, other in zip(have, want, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-3)
            assert one.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [SIZE, (41, 57)])
@pytest.mark.parametrize("subsampling", SCHEMES)
def test_files_of_one_layout(
    subsampling: Subsampling, size: tuple[int, int], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bandwise.data.files._BYTES_PER_CALL", 20_000)  # several calls
    files = [
        jpeg_file(*size, seed=seed, quality=40 + seed, subsampling=subsampling) for seed in range(7)
    ]
    batch = read_batch(files, threads=threads)
    assert_same(batch, concatenate([alone(data) for data in files]))
    assert batch.grid == (6, 4 if size == SIZE else 8)


def test_grey_files_have_no_chroma_and_any_size() -> None:
    files = [jpeg_file(24, 40, seed=seed, grey=True) for seed in range(3)]
    batch = read_batch(files)
    assert_same(batch, concatenate([alone(data) for data in files]))
    assert batch.grid == (3, 5)


def test_layouts_are_mixed_in_order() -> None:
    files = [
        jpeg_file(*SIZE, seed=seed, grey=seed % 5 == 4, subsampling=SCHEMES[seed % 4])
        for seed in range(11)
    ]
    assert_same(read_batch(files), concatenate([alone(data) for data in files]))


def test_sizes_are_mixed_on_a_grid() -> None:
    files = [
        jpeg_file(16 + 9 * seed, 70 - 7 * seed, seed=seed, grey=seed == 2) for seed in range(5)
    ]
    coloured = concatenate([fit(alone(files[0]), 4, 6), fit(alone(files[2]), 4, 6)])
    want = [fit(alone(data), 4, 6) for data in files]
    want[2] = coloured.select(slice(1, 2))
    assert_same(read_batch(files, grid=(4, 6)), concatenate(want))
    with pytest.raises(DataError, match=r"5 sizes, \(2, 10\) to .* give a grid"):
        read_batch(files)
    with pytest.raises(ShapeError, match="even numbers"):
        read_batch(files, grid=(3, 6))


def test_channels_are_those_asked_for() -> None:
    grey, colour = [jpeg_file(*SIZE, seed=1, grey=True)], [jpeg_file(*SIZE, seed=2)]
    assert read_batch(grey).chroma is None
    assert_same(read_batch(grey, channels=3), with_chroma(alone(grey[0])))
    assert_same(read_batch(colour, channels=3), alone(colour[0]))
    for files in (grey, colour, grey + colour):
        luma = concatenate([CoefficientBatch(alone(data).luma) for data in files])
        assert_same(read_batch(files, channels=1), luma)


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_name_the_file(threads: int) -> None:
    files = [jpeg_file(*SIZE, seed=seed) for seed in range(40)]
    cut = [*files[:31], files[31][:-40], *files[32:]]
    with pytest.raises(JpegError, match=r"^item 31: damaged JPEG"):
        read_batch(cut, threads=threads)
    with pytest.raises(JpegError, match=r"^item 2: "):
        read_batch([*files[:2], b"nothing"], threads=threads)
    with pytest.raises(JpegLimitError, match=r"^item 0: "):
        read_batch(files, limits=jpeg.Limits(max_pixels=99), threads=threads)
    with pytest.raises(DataError, match="no images"):
        read_batch([])
