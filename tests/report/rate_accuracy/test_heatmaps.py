from __future__ import annotations

import numpy as np
import pytest

from bandwise.report.rate_accuracy import heatmaps
from bandwise.tables import TableSet, flat


def cell_texts(figure: object, panel: int) -> list[str]:
    axes = figure.axes[panel]  # type: ignore[attr-defined]
    return [text.get_text() for text in axes.texts]


def test_tables_stand_beside_each_other_with_their_ratio() -> None:
    learned = TableSet(luma=flat(10), chroma=flat(200))
    figure = heatmaps.tables_beside(learned, TableSet.ijg(50), ("learned", "libjpeg q50"))
    titles = [axes.get_title(loc="left") for axes in figure.axes[:6]]
    assert titles == [
        "learned, luma",
        "libjpeg q50, luma",
        "ratio, luma",
        "learned, chroma",
        "libjpeg q50, chroma",
        "ratio, chroma",
    ]
    assert set(cell_texts(figure, 0)) == {"10"}
    # ITU-T T.81, Table K.1 begins 16, 11, 10; Table K.2 ends in 99.
    assert cell_texts(figure, 1)[:3] == ["16", "11", "10"]
    assert cell_texts(figure, 2)[:3] == ["0.62", "0.91", "1.00"]
    assert cell_texts(figure, 5)[-1] == "2.0"
    drawn = np.asarray(figure.axes[2].images[0].get_array())
    assert drawn[0, 0] == pytest.approx(np.log2(10 / 16))


def test_grey_tables_have_one_row() -> None:
    figure = heatmaps.tables_beside(TableSet(luma=flat(1)), TableSet.ijg(50), ("a", "b"))
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
        "a, luma",
        "b, luma",
        "ratio, luma",
    ]


def test_importance_is_relative_to_the_largest_of_all_components() -> None:
    luma, chroma = np.full((8, 8), 1e-3), np.full((8, 8), 1e-5)
    luma[0, 0] = 1e-2
    chroma[7, 7] = 0.0
    figure = heatmaps.importance({"cr": chroma, "luma": luma})
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        "luma (Y)",
        "red difference (Cr)",
    ]
    assert cell_texts(figure, 0)[:2] == ["0.0", "−1.0"]
    assert cell_texts(figure, 1)[0] == "−3.0"
    assert cell_texts(figure, 1)[-1] == "0"
