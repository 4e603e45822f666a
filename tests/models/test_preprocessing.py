import numpy as np
import pytest
from PIL import Image

from bandwise.errors import ConfigurationError
from bandwise.models.preprocessing import Preprocessing


@pytest.fixture
def pixels_u8() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (61, 95, 3), dtype=np.uint8)


def test_resizes_the_short_side_and_crops_the_centre_as_pillow_does(pixels_u8: np.ndarray) -> None:
    seen = Preprocessing(resize=32, crop=(24, 24), interpolation="bicubic", scale=1.0)(pixels_u8)
    resized = Image.fromarray(pixels_u8).resize((int(32 * 95 / 61), 32), Image.Resampling.BICUBIC)
    left = round((resized.width - 24) / 2)
    expected = np.asarray(resized)[4:28, left : left + 24]
    assert np.array_equal(seen, expected.transpose(2, 0, 1))


def test_normalises_each_channel(pixels_u8: np.ndarray) -> None:
    seen = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))(pixels_u8)
    expected = (pixels_u8 / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert seen.shape == (3, 61, 95)
    assert seen.dtype == np.float32
    assert np.allclose(seen, expected.transpose(2, 0, 1), atol=1e-6)


def test_layout_and_exact_size(pixels_u8: np.ndarray) -> None:
    seen = Preprocessing(resize=(20, 30), layout="NHWC")(pixels_u8)
    assert seen.shape == (20, 30, 3)


def test_grey_images_are_shown_three_times_and_colour_becomes_grey(pixels_u8: np.ndarray) -> None:
    grey = pixels_u8[..., 0]
    three = Preprocessing(scale=1.0)(grey)
    assert all(np.array_equal(channel, grey) for channel in three)
    one = Preprocessing(channels=1, scale=1.0)(pixels_u8)
    assert np.array_equal(one[0], np.asarray(Image.fromarray(pixels_u8).convert("L")))


@pytest.mark.parametrize(
    "settings",
    [
        {"resize": 0},
        {"crop": (0, 4)},
        {"mean": (0.1, 0.2)},
        {"std": (0.0,)},
        {"interpolation": "smooth"},
    ],
)
def test_refuses_settings_out_of_range(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Preprocessing(**settings)  # type: ignore[arg-type]
