import dataclasses
from typing import Any

import pytest
import torch

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.errors import ConfigurationError, EvaluationError
from bandwise.evaluation import (
    BaselineCodec,
    Codec,
    Conditions,
    Setting,
    measure,
    measure_original,
    recode,
)
from bandwise.evaluation.codecs import Pixels, as_array
from bandwise.frequency.tables import TableSet
from bandwise.models.classification import logits_of
from bandwise.progress import Progress
from bandwise.results import Measurement
from tests.evaluation.conftest import SIZE, Brightness, Darken, images

CONDITIONS = Conditions(split="test", network="brightness", seed=3)


def measured(codec: Codec, data: LabelledImages, **options: Any) -> list[Measurement]:
    """Measurements of every setting of a codec."""
    network = options.pop("network", Brightness())
    logits = options.pop("logits", None)
    if logits is None:
        logits = logits_of(Brightness(), data.pixels_u8)
    return list(
        measure(
            codec,
            codec.settings(),
            data,
            network,
            original_logits=logits,
            conditions=CONDITIONS,
            **options,
        )
    )


def test_a_measurement_holds_every_image() -> None:
    data = images(40)
    unchanged, darker, black = measured(Darken(), data, threads=2)
    assert [each.label for each in (unchanged, darker, black)] == ["by 0", "by 40", "by 255"]
    assert unchanged.accuracy == unchanged.agreement == 1
    assert unchanged.divergence == pytest.approx(0, abs=1e-12)
    assert unchanged.image_bytes is not None
    assert unchanged.image_bytes.tolist() == [3 * SIZE * SIZE] * 40
    wrong = int(((data.pixels_u8[:, 0, 0, 0] > 127) & (data.pixels_u8[:, 0, 0, 0] < 168)).sum())
    assert wrong > 0
    assert darker.accuracy == pytest.approx(1 - wrong / 40)
    assert 40 - darker.image_correct.sum() == wrong
    assert darker.size_bytes == 40 * (3 * SIZE * SIZE + 40)
    assert black.accuracy == 0.5
    assert black.divergence > darker.divergence > 0
    row = black.to_row()
    expected = {
        "record": "point",
        "codec": "darken",
        "family": "darken",
        "setting": {"by": 255},
        "split": "test",
        "protocol": "frozen",
        "network": "brightness",
        "seed": 3,
        "images": 40,
        "pixels": 40 * SIZE * SIZE,
    }
    assert row == row | expected
    assert "payload_bytes" not in row


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_keep_the_order(channels: int) -> None:
    data, reported = images(23, channels=channels), list[Progress]()
    whole = measured(Darken(), data)
    parts = measured(Darken(), data, batch_size=5, progress=reported.append)
    for one, other in zip(whole, parts, strict=True):
        near = dataclasses.replace(other, divergence=one.divergence)
        assert near.to_row() == one.to_row()
        assert one.divergence == pytest.approx(other.divergence)
    assert [each.done for each in reported] == [5, 10, 15, 20, 23] * 3


def test_payload_is_counted_for_jpeg_files() -> None:
    data = images(6)
    codec = BaselineCodec("libjpeg", channels=3, qualities=(30,), subsamplings=("4:2:0",))
    first, *_ = measured(codec, data)
    files = [
        jpeg.encode(as_array(pixels), TableSet.ijg(30), progressive=False)
        for pixels in data.pixels_u8
    ]
    assert first.image_bytes is not None
    assert first.image_bytes.tolist() == [len(file) for file in files]
    assert first.payload_bytes == sum(map(jpeg.payload_bytes, files))


def test_the_same_pixels_cost_one_pass_of_the_network() -> None:
    data = images(6)
    codec = BaselineCodec("libjpeg", channels=3, qualities=(30,), subsamplings=("4:2:0",))
    passes = 0

    class Counting(Brightness):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            nonlocal passes
            passes += 1
            return super().forward(pixels)

    found = measured(codec, data, network=Counting())
    assert len(found) == 4
    assert passes == 1
    assert len({each.accuracy for each in found}) == 1


def test_the_original_has_no_bytes() -> None:
    data = images(10)
    original = measure_original(data, logits_of(Brightness(), data.pixels_u8), CONDITIONS)
    assert (original.codec, original.label) == ("original", "original")
    sizes = (original.size_bytes, original.image_bytes, original.payload_bytes)
    assert sizes == (None, None, None)
    assert (original.accuracy, original.agreement, original.divergence) == (1, 1, 0)


def test_recoded_images_keep_their_labels() -> None:
    data, codec = images(7), Darken()
    recoded = recode(codec, codec.settings()[1], data)
    assert torch.equal(recoded.labels, data.labels)
    expected = (data.pixels_u8.int() - 40).clamp(0).to(torch.uint8)
    assert torch.equal(recoded.pixels_u8, expected)


class Broken(Darken):
    def encode(self, pixels_u8: Pixels, setting: Setting) -> bytes:
        raise RuntimeError("out of luck")


class Cropping(Darken):
    def decode(self, data: bytes, shape: tuple[int, ...]) -> Pixels:
        return super().decode(data, shape)[1:]


@pytest.mark.parametrize(
    ("codec", "complaint"),
    [
        (Broken(), r"darken by 0 on image 0 of test failed \(RuntimeError\): out of luck"),
        (Cropping(), r"decoded to uint8 \(15, 16, 3\)"),
    ],
)
def test_a_codec_that_fails_is_named(codec: Darken, complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        measured(codec, images(3))


def test_logits_of_other_images_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="3 images"):
        measured(Darken(), images(3), logits=torch.zeros(2, 2))
