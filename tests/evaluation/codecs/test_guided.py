"""A ladder with a network at the encoder, as a codec."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.encoding import encode_pixels
from bandwise.evaluation import GuidedCodec, libjpeg_ladder
from bandwise.evaluation.codecs.standard import LADDER_QUALITIES, TOLERANCES
from bandwise.frequency.tables import TableSet
from bandwise.profile import Profile
from tests.jpeg.images import picture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


class Corner(nn.Module):
    """Two logits that follow the mean of the upper left quarter; counts what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = 0

    def forward(self, pixels: Tensor) -> Tensor:
        self.shown += len(pixels)
        height, width = pixels.shape[-2:]
        mean = 20 * (pixels[..., : height // 2, : width // 2].mean((1, 2, 3)) - 0.5)
        return torch.stack([mean, -mean], 1)


def codec(network: nn.Module, channels: int = 3) -> GuidedCodec:
    return GuidedCodec(libjpeg_ladder(channels), network, name="libjpeg guided")


@pytest.mark.parametrize("channels", [1, 3])
def test_files_grow_as_the_tolerance_shrinks_and_are_shown_once(channels: int) -> None:
    network = Corner()
    guided = codec(network, channels)
    settings = guided.settings()
    assert [setting.options["tolerance"] for setting in settings] == list(TOLERANCES)
    assert len({setting.label for setting in settings}) == len(TOLERANCES)
    assert {setting.family for setting in settings} == {"libjpeg guided"}
    pixels = picture(32, 32, grey=channels == 1)
    files = [guided.encode(pixels, setting) for setting in settings]
    assert network.shown == 1 + len(LADDER_QUALITIES)
    ladder = [encode_pixels(pixels, profile) for profile in libjpeg_ladder(channels)]
    assert set(files) <= set(ladder)
    sizes = [len(file) for file in files]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]
    shown = guided.decode(files[0], pixels.shape)
    np.testing.assert_array_equal(shown, jpeg.decode(files[0]))


def test_images_of_the_same_bytes_and_another_shape_are_told_apart() -> None:
    guided = codec(Corner(), channels=1)
    setting = guided.settings()[0]
    wide: NDArray[np.uint8] = picture(16, 32, grey=True)
    tall = wide.reshape(32, 16)
    assert jpeg.decode(guided.encode(wide, setting)).shape == (16, 32)
    assert jpeg.decode(guided.encode(tall, setting)).shape == (32, 16)


def test_the_ladder_is_part_of_a_setting() -> None:
    one, same = codec(Corner()).settings()[0], codec(Corner()).settings()[0]
    other = GuidedCodec(
        [Profile(name="p", tables=TableSet.ijg(50))],
        Corner(),
        name="libjpeg guided",
        tolerances=(TOLERANCES[0],),
    ).settings()
    assert one == same
    assert [setting.label for setting in other] == [one.label]
    assert other[0].options != one.options


def test_the_ladder_of_libjpeg_has_its_tables() -> None:
    for channels in (1, 3):
        for quality, profile in zip(LADDER_QUALITIES, libjpeg_ladder(channels), strict=True):
            assert profile.tables.luma == TableSet.ijg(quality).luma
            assert (profile.tables.chroma is None) == (channels == 1)
