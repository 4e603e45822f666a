import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given
from hypothesis import strategies as st

from bandwise.errors import ShapeError
from bandwise.frequency.dct import (
    block_dct2,
    block_idct2,
    dct2,
    dct_matrix,
    from_blocks,
    idct2,
    to_blocks,
)

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
sizes = st.integers(1, 40)


def random(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7), dtype=dtype) - 0.5


@pytest.mark.parametrize("dtype", TOLERANCE)
@given(height=sizes, width=sizes)
def test_dct2_is_scipys(dtype: torch.dtype, height: int, width: int) -> None:
    planes = random(2, 3, height, width, dtype=dtype)
    expected = scipy.fft.dctn(planes.double().numpy(), axes=(-2, -1), norm="ortho")
    actual = dct2(planes)
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual.double().numpy(), expected, atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@given(height=sizes, width=sizes)
def test_idct2_is_scipys_and_inverts(dtype: torch.dtype, height: int, width: int) -> None:
    planes = random(2, height, width, dtype=dtype)
    expected = scipy.fft.idctn(planes.double().numpy(), axes=(-2, -1), norm="ortho")
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(idct2(planes).double().numpy(), expected, atol=tolerance, rtol=0)
    torch.testing.assert_close(idct2(dct2(planes)), planes, atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_block_dct2_is_scipys_on_each_block(dtype: torch.dtype, batch: tuple[int, ...]) -> None:
    planes = random(*batch, 16, 24, dtype=dtype)
    blocks = block_dct2(planes)
    assert blocks.shape == (*batch, 2, 3, 8, 8)
    for row in range(2):
        for column in range(3):
            block = planes[..., 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            expected = scipy.fft.dctn(block.double().numpy(), axes=(-2, -1), norm="ortho")
            actual = blocks[..., row, column, :, :].double().numpy()
            np.testing.assert_allclose(actual, expected, atol=TOLERANCE[dtype], rtol=0)
    torch.testing.assert_close(block_idct2(blocks), planes, atol=TOLERANCE[dtype], rtol=0)


@given(rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_blocks_round_trip_exactly(rows: int, columns: int) -> None:
    planes = random(2, 8 * rows, 8 * columns)
    assert torch.equal(from_blocks(to_blocks(planes)), planes)


@pytest.mark.parametrize("transform", [dct2, idct2])
def test_gradient_of_plane_transforms(transform: object) -> None:
    planes = random(2, 5, 3).requires_grad_()
    assert torch.autograd.gradcheck(transform, planes)  # type: ignore[arg-type]


def test_gradient_of_block_transforms() -> None:
    assert torch.autograd.gradcheck(block_dct2, random(8, 16).requires_grad_())
    assert torch.autograd.gradcheck(block_idct2, random(1, 2, 8, 8).requires_grad_())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_agrees_with_cpu() -> None:
    planes = random(2, 24, 16)
    torch.testing.assert_close(dct2(planes.cuda()).cpu(), dct2(planes), atol=1e-12, rtol=0)
    blocks = block_dct2(planes.cuda()).cpu()
    torch.testing.assert_close(blocks, block_dct2(planes), atol=1e-12, rtol=0)


def test_errors_name_what_arrived() -> None:
    with pytest.raises(ShapeError, match="12×16"):
        block_dct2(random(12, 16))
    with pytest.raises(ShapeError, match=r"\(4,\)"):
        dct2(random(4))
    with pytest.raises(ShapeError, match=r"torch\.int64"):
        dct2(torch.zeros(4, 4, dtype=torch.int64))
    with pytest.raises(ShapeError, match="size 0"):
        dct_matrix(0)
    with pytest.raises(ShapeError, match=r"\(8, 8\)"):
        block_idct2(random(8, 8))
