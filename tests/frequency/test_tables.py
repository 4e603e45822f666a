"""Tables against what libjpeg writes, through Pillow, and against their own rules."""

import io
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bandwise.errors import TableError
from bandwise.frequency.tables import (
    ZIGZAG,
    QuantTable,
    TableSet,
    flat,
    ijg_chroma,
    ijg_luma,
    zigzag_order,
)
from tests.jpeg.images import saved

tables = st.lists(st.integers(1, 255), min_size=64, max_size=64).map(
    lambda steps: QuantTable(tuple(steps))
)


BLACK = Image.new("RGB", (8, 8))


def test_zigzag_is_the_order_in_which_libjpeg_stores_a_table() -> None:
    natural = list(range(1, 65))
    data = saved(BLACK, "JPEG", qtables=[natural], subsampling=0)
    start = data.index(b"\xff\xdb") + 5
    stored = list(data[start : start + 64])
    assert [natural[index] for index in ZIGZAG] == stored


@pytest.mark.parametrize("size", [1, 2, 5, 8, 16])
def test_zigzag_visits_each_position_once_and_moves_to_neighbours(size: int) -> None:
    order = zigzag_order(size)
    assert sorted(order) == list(range(size * size))
    places = [divmod(index, size) for index in order]
    steps = [(abs(a - c), abs(b - d)) for (a, b), (c, d) in pairwise(places)]
    assert set(steps) <= {(0, 1), (1, 0), (1, 1)}


def test_ijg_tables_equal_those_of_libjpeg_at_every_quality() -> None:
    for quality in range(1, 101):
        written = Image.open(io.BytesIO(saved(BLACK, "JPEG", quality=quality))).quantization  # type: ignore[attr-defined]
        assert ijg_luma(quality).values == tuple(written[0]), quality
        assert ijg_chroma(quality).values == tuple(written[1]), quality
        assert TableSet.ijg(quality).chroma == ijg_chroma(quality)


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_quality_out_of_range_is_refused(quality: int) -> None:
    with pytest.raises(TableError, match=f"1..100, got {quality}"):
        ijg_luma(quality)


@pytest.mark.parametrize("value", [0, 256, -3, 1.0, True, "9"])
def test_error_names_the_frequency_and_the_value(value: object) -> None:
    steps: list[object] = [1] * 64
    steps[3 * 8 + 5] = value
    with pytest.raises(TableError) as caught:
        QuantTable(tuple(steps))  # type: ignore[arg-type]
    assert "(v=3, u=5)" in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("count", [0, 63, 65])
def test_another_count_of_steps_is_refused(count: int) -> None:
    with pytest.raises(TableError, match=f"got {count}"):
        QuantTable((1,) * count)


@given(tables)
def test_json_and_array_come_back(table: QuantTable) -> None:
    assert QuantTable.from_json(json.loads(json.dumps(table.to_json()))) == table
    assert QuantTable.from_array(table.array) == table
    assert table.array[2, 7] == table.values[2 * 8 + 7]


@given(tables, st.none() | tables)
def test_table_set_json_comes_back(luma: QuantTable, chroma: QuantTable | None) -> None:
    both = TableSet(luma=luma, chroma=chroma)
    assert TableSet.from_json(json.loads(json.dumps(both.to_json()))) == both


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, {"chroma": None}, {"luma": [[1] * 8] * 8, "alpha": 1}),
        *({"luma": [[1] * 8] * 7 + last} for last in ([], [[1] * 7], [8])),
    ],
)
def test_malformed_json_is_refused(value: object) -> None:
    with pytest.raises(TableError):
        TableSet.from_json(value)


def test_steps_are_rounded_and_clamped() -> None:
    steps = np.full((8, 8), 7.6)
    steps[0, :4] = -4.0, 0.2, 300.0, np.inf
    assert QuantTable.from_steps(steps).values[:5] == (1, 1, 255, 255, 8)


def test_a_step_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(TableError, match="not a number"):
        QuantTable.from_steps(np.full((8, 8), np.nan))


def test_an_array_of_fractions_is_not_rounded_silently() -> None:
    with pytest.raises(TableError, match=r"1\.5"):
        QuantTable.from_array(np.full((8, 8), 1.5))


def test_flat_table_and_read_only_array() -> None:
    table = flat(9)
    assert set(table.values) == {9}
    with pytest.raises(ValueError, match="read-only"):
        table.array[0, 0] = 1
