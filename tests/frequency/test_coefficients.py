"""What holds of coefficients without any file."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bandwise.errors import CoefficientError
from bandwise.frequency.coefficients import Coefficients, Colour, Plane, block_grid
from bandwise.frequency.tables import flat, ijg_luma


def plane(rows: int, columns: int, *, h_samp: int = 1, v_samp: int = 1) -> Plane:
    blocks = np.zeros((rows, columns, 8, 8), np.int16)
    return Plane(blocks=blocks, table=flat(3), h_samp=h_samp, v_samp=v_samp)


@pytest.mark.parametrize(
    ("scheme", "factors", "chroma"),
    [
        ("4:4:4", (1, 1), (3, 5)),
        ("4:2:2", (2, 1), (3, 3)),
        ("4:2:0", (2, 2), (2, 3)),
        ("4:4:0", (1, 2), (2, 5)),
    ],
)
def test_schemes_and_their_chroma_grids(
    scheme: str, factors: tuple[int, int], chroma: tuple[int, int]
) -> None:
    luma = plane(3, 5, h_samp=factors[0], v_samp=factors[1])
    image = Coefficients(
        planes=(luma, plane(*chroma), plane(*chroma)), width=33, height=24, colour="ycbcr"
    )
    assert image.subsampling == scheme


@pytest.mark.parametrize("colour", ["grey", "ycbcr", "cmyk"])
def test_planes_must_fit_the_colour(colour: Colour) -> None:
    with pytest.raises(CoefficientError, match="2 planes"):
        Coefficients(planes=(plane(1, 1),) * 2, width=8, height=8, colour=colour)


def test_planes_must_fit_the_size() -> None:
    with pytest.raises(CoefficientError, match=r"plane 0 of a 9×8 image has \(1, 2\) blocks"):
        Coefficients(planes=(plane(1, 1),), width=9, height=8, colour="grey")


@pytest.mark.parametrize(
    ("luma", "chroma"), [((4, 1), (1, 1)), ((1, 1), (2, 1)), ((2, 2), (2, 2)), ((0, 1), (1, 1))]
)
def test_other_sampling_factors_are_refused(luma: tuple[int, int], chroma: tuple[int, int]) -> None:
    planes = [plane(1, 1, h_samp=h, v_samp=v) for h, v in (luma, chroma, chroma)]
    with pytest.raises(CoefficientError, match="sampling factors"):
        Coefficients(planes=tuple(planes), width=8, height=8, colour="ycbcr")


@pytest.mark.parametrize(
    "blocks",
    [
        np.zeros((1, 1, 8, 8), np.int32),
        np.zeros((1, 1, 64), np.int16),
        np.zeros((1, 1, 8, 4), np.int16),
    ],
)
def test_blocks_have_a_shape_and_a_type(blocks: NDArray[np.int16]) -> None:
    with pytest.raises(CoefficientError, match="int16 array of shape"):
        Plane(blocks=blocks, table=flat(1))


def test_dequantised_is_integer_times_step() -> None:
    blocks = np.zeros((2, 3, 8, 8), np.int16)
    blocks[1, 2, 4, 5] = -1023
    table = ijg_luma(10)
    image = Coefficients(
        planes=(Plane(blocks=blocks, table=table),), width=24, height=16, colour="grey"
    )
    (values,) = image.dequantised()
    assert values.dtype == np.float32
    assert values[1, 2, 4, 5] == -1023 * table.values[4 * 8 + 5]
    assert np.count_nonzero(values) == 1


def test_block_grid_pads_to_whole_blocks() -> None:
    assert block_grid(17, 8) == (1, 3)
    assert block_grid(17, 8, h_ratio=2, v_ratio=2) == (1, 2)
