import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bandwise.data import Dataset
from bandwise.errors import ConfigurationError
from bandwise.evaluation import EvaluationConfig, evaluate, examples
from bandwise.evaluation.codecs import LibjpegCodec, as_array
from bandwise.results import Measurement, Results
from bandwise.statistics import best_point
from tests.evaluation.conftest import Brightness, images

NETWORK = "brightness"


@pytest.fixture
def codec() -> LibjpegCodec:
    return LibjpegCodec(channels=3, qualities=(5, 90), subsamplings=("4:2:0",))


@pytest.fixture
def results(dataset: Dataset, codec: LibjpegCodec, tmp_path: Path) -> Results:
    config = EvaluationConfig(network=NETWORK)
    return evaluate(config, dataset, Brightness(), [(codec, codec.settings())], tmp_path)


def test_images_are_shown_as_original_and_as_the_chosen_file(
    results: Results, dataset: Dataset, codec: LibjpegCodec
) -> None:
    work = [(codec, codec.settings())]
    found = list(examples(results, work, dataset.test, network=NETWORK, count=3))
    assert [(each.index, each.codec) for each in found] == [
        (index, shown) for index in (6, 20, 33) for shown in ("original", "libjpeg")
    ]
    assert [each.class_name for each in found[::2]] == ["dark", "bright", "bright"]
    measured = results.of(Measurement)
    best = best_point(measured, "libjpeg", 1)
    assert best is not None
    (setting,) = (
        each for each in codec.settings() if (each.family, each.label) == (best.family, best.label)
    )
    (tested,) = (m for m in measured if m.split == "test" and m.setting_key == best.setting_key)
    assert tested.image_bytes is not None
    for original, coded in zip(found[::2], found[1::2], strict=True):
        pixels = as_array(dataset.test.pixels_u8[original.index])
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(original.data))), pixels)
        assert coded.data == codec.encode(pixels, setting)
        assert coded.size_bytes == len(coded.data) == tested.image_bytes[original.index]
        assert coded.correct == bool(tested.image_correct[original.index])
        assert (coded.family, coded.setting_label) == (setting.family, setting.label)


def test_codecs_without_a_setting_or_not_asked_for_are_left_out(
    results: Results, dataset: Dataset, codec: LibjpegCodec
) -> None:
    work = [(codec, codec.settings())]
    left_out = examples(results, work, dataset.test, network=NETWORK, shown=("webp",))
    assert {each.codec for each in left_out} == {"original"}
    results.add(
        *(
            replace(each, accuracy=0.0, image_correct=0 * each.image_correct)
            for each in results.of(Measurement)
            if each.codec == "libjpeg" and each.split == "validation"
        )
    )
    lossy = examples(results, work, dataset.test, network=NETWORK)
    assert {each.codec for each in lossy} == {"original"}


def test_other_images_than_those_measured_are_refused(
    results: Results, codec: LibjpegCodec
) -> None:
    found = examples(results, [(codec, codec.settings())], images(7), network=NETWORK)
    with pytest.raises(ConfigurationError, match="7 test images, got 40"):
        next(found)
