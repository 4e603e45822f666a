import pytest
import torch

from bandwise import jpeg
from bandwise.errors import ConfigurationError, EvaluationError
from bandwise.evaluation import Conditions, Setting, measure, original_row, recode
from bandwise.evaluation.codecs import LibjpegCodec, Pixels, as_array
from bandwise.tables import TableSet
from bandwise.tasks import logits_of, planes_of
from tests.evaluation.conftest import SIZE, Brightness, Darken, images

CONDITIONS = Conditions(split="test", network="brightness", seed=3)


def test_a_row_says_what_was_measured() -> None:
    data, network, codec = images(40), Brightness(), Darken()
    logits = logits_of(network, data.pixels_u8)
    rows = list(
        measure(
            codec,
            codec.settings(),
            data,
            network,
            original_logits=logits,
            conditions=CONDITIONS,
            threads=2,
        )
    )
    assert [row["label"] for row in rows] == ["by 0", "by 40", "by 255"]
    unchanged, darker, black = rows
    assert unchanged["accuracy"] == unchanged["agreement"] == 1
    assert unchanged["divergence"] == pytest.approx(0, abs=1e-12)
    assert unchanged["image_bytes"] == [3 * SIZE * SIZE] * 40
    wrong = int(((data.pixels_u8[:, 0, 0, 0] > 127) & (data.pixels_u8[:, 0, 0, 0] < 168)).sum())
    assert wrong > 0
    assert darker["accuracy"] == pytest.approx(1 - wrong / 40)
    assert darker["image_correct"].count("0") == wrong
    assert darker["bytes"] == 40 * (3 * SIZE * SIZE + 40)
    assert black["accuracy"] == 0.5
    assert black["divergence"] > darker["divergence"] > 0
    assert (
        black
        | {
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
            "payload_bytes": None,
            "estimated_payload_bytes": None,
        }
        == black
    )


def test_chunks_keep_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    data, network, codec = images(23), Brightness(), Darken()
    given = {"original_logits": logits_of(network, data.pixels_u8), "conditions": CONDITIONS}
    whole = list(measure(codec, codec.settings(), data, network, **given))  # type: ignore[arg-type]
    monkeypatch.setattr("bandwise.evaluation.points._CHUNK", 5)
    heard: list[int] = []
    parts = list(
        measure(
            codec,
            codec.settings(),
            data,
            network,
            progress=lambda _, done: heard.append(done),
            **given,  # type: ignore[arg-type]
        )
    )
    assert parts == [row | {"divergence": pytest.approx(row["divergence"])} for row in whole]
    assert heard == [5, 10, 15, 20, 23] * 3


def test_payload_is_counted_for_jpeg_files() -> None:
    data, network = images(6), Brightness()
    codec = LibjpegCodec(channels=3, qualities=(30,), subsamplings=("4:2:0",))
    setting = codec.settings()[0]
    (row,) = measure(
        codec,
        [setting],
        data,
        network,
        original_logits=logits_of(network, data.pixels_u8),
        conditions=CONDITIONS,
    )
    files = [
        jpeg.encode(as_array(pixels), TableSet.ijg(30), progressive=False)
        for pixels in data.pixels_u8
    ]
    assert row["image_bytes"] == [len(file) for file in files]
    assert row["payload_bytes"] == sum(map(jpeg.payload_bytes, files))


def test_the_same_pixels_cost_one_pass_of_the_network() -> None:
    data = images(6)
    codec = LibjpegCodec(channels=3, qualities=(30,), subsamplings=("4:2:0",))
    passes = 0

    class Counting(Brightness):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            nonlocal passes
            passes += 1
            return super().forward(pixels)

    network = Counting()
    logits = logits_of(network, data.pixels_u8)
    settings = codec.settings()
    rows = list(
        measure(codec, settings, data, network, original_logits=logits, conditions=CONDITIONS)
    )
    assert len(rows) == 4
    assert passes == 2
    assert len({row["accuracy"] for row in rows}) == 1


def test_the_original_has_no_bytes() -> None:
    data, network = images(10), Brightness()
    row = original_row(data, logits_of(network, data.pixels_u8), CONDITIONS)
    assert (row["codec"], row["label"]) == ("original", "original")
    assert row["bytes"] is row["image_bytes"] is row["payload_bytes"] is None
    assert (row["accuracy"], row["agreement"], row["divergence"]) == (1, 1, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_change_layout_and_back(channels: int) -> None:
    pixels = torch.randint(0, 256, (channels, 5, 7), dtype=torch.uint8)
    array = as_array(pixels)
    assert array.shape == ((5, 7) if channels == 1 else (5, 7, 3))
    assert torch.equal(planes_of(array), pixels)


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
    data, network = images(3), Brightness()
    logits = logits_of(network, data.pixels_u8)
    with pytest.raises(EvaluationError, match=complaint):
        list(
            measure(
                codec,
                codec.settings(),
                data,
                network,
                original_logits=logits,
                conditions=CONDITIONS,
            )
        )


def test_logits_of_other_images_are_refused() -> None:
    data, codec = images(3), Darken()
    with pytest.raises(ConfigurationError, match="3 images"):
        next(
            measure(
                codec,
                codec.settings(),
                data,
                Brightness(),
                original_logits=torch.zeros(2, 2),
                conditions=CONDITIONS,
            )
        )
