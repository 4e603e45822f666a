import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bandwise.data import Dataset
from bandwise.errors import ConfigurationError
from bandwise.evaluation import EvaluationConfig, evaluate, example_rows
from bandwise.evaluation.codecs import LibjpegCodec, as_array
from bandwise.measures import best_point, points_of
from bandwise.results import Row, read_rows
from tests.evaluation.conftest import CLASSES, Brightness, images

NETWORK = "brightness"


@pytest.fixture(scope="module")
def codec() -> LibjpegCodec:
    return LibjpegCodec(channels=3, qualities=(5, 90), subsamplings=("4:2:0",))


@pytest.fixture
def rows(dataset: Dataset, codec: LibjpegCodec, tmp_path: Path) -> list[Row]:
    config = EvaluationConfig(network=NETWORK, estimates=False)
    results = evaluate(config, dataset, Brightness(), [(codec, codec.settings())], tmp_path)
    return read_rows(results)


def test_images_are_shown_as_original_and_as_the_chosen_file(
    rows: list[Row], dataset: Dataset, codec: LibjpegCodec
) -> None:
    found = list(
        example_rows(
            rows, [(codec, codec.settings())], dataset.test, CLASSES, network=NETWORK, count=3
        )
    )
    assert [(row["index"], row["codec"]) for row in found] == [
        (index, shown) for index in (6, 20, 33) for shown in ("original", "libjpeg")
    ]
    assert [row["label"] for row in found[::2]] == ["dark", "bright", "bright"]
    best = best_point(points_of(rows), "libjpeg", 1)
    assert best is not None
    (setting,) = (
        each for each in codec.settings() if (each.family, each.label) == (best.family, best.label)
    )
    point = next(
        row
        for row in rows
        if (row.get("split"), row.get("family"), row.get("label"))
        == ("test", setting.family, setting.label)
    )
    for original, coded in zip(found[::2], found[1::2], strict=True):
        index = original["index"]
        pixels = as_array(dataset.test.pixels_u8[index])
        png = base64.b64decode(original["png_base64"])
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), pixels)
        file = base64.b64decode(coded["jpeg_base64"])
        assert file == codec.encode(pixels, setting)
        assert coded["size_bytes"] == len(file) == point["image_bytes"][index]
        assert coded["correct"] == (point["image_correct"][index] == "1")
        assert (coded["family"], coded["setting_label"]) == (setting.family, setting.label)


def test_codecs_without_a_setting_or_not_asked_for_are_left_out(
    rows: list[Row], dataset: Dataset, codec: LibjpegCodec
) -> None:
    given = ([(codec, codec.settings())], dataset.test, CLASSES)
    wrong = [
        row | {"image_correct": "0" * row["images"]}
        if row.get("codec") == "libjpeg" and row["split"] == "validation"
        else row
        for row in rows
    ]
    for found in (
        example_rows(rows, *given, network=NETWORK, shown=("webp",)),
        example_rows(wrong, *given, network=NETWORK),
    ):
        assert {row["codec"] for row in found} == {"original"}


def test_other_images_than_those_measured_are_refused(rows: list[Row], codec: LibjpegCodec) -> None:
    found = example_rows(rows, [(codec, codec.settings())], images(7), CLASSES, network=NETWORK)
    with pytest.raises(ConfigurationError, match="7 test images, got 40"):
        next(found)
